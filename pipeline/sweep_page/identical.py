"""What was identical: between repeated trials, and between the answers of a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from executors.serving.errors import ServingError
from pipeline.determinism.asked import asked
from pipeline.evaluation.cell import Cell
from pipeline.evaluation.repeating import Share, repeatability
from pipeline.evaluation.usage import SERVERS_FILE
from pipeline.files import read_json
from pipeline.report.notation import share
from pipeline.report.tables.determinism import NOT_MEASURED
from pipeline.settings import Settings, SettingsError
from pipeline.sweep_page.conditions import Conditions

NOT_REPEATED = (
    "No trial that counts was repeated: how many have identical code or output is not known."
)
NOT_THE_SERVER = (
    "Requests of different trials differ in their seeds. The shares above say how alike repeated "
    "trials come out; whether a server answers one request with the same bits is another question:"
)
MOST_NAMED = 8


def identical(run: Path, conditions: Conditions, cells: Sequence[Cell]) -> tuple[str, ...]:
    """Sentences: how many trials agree, what was asked of servers, and what was measured of them.

    Nothing is claimed of a server that no measurement in the run's servers.json speaks of.
    """
    by_config = conditions.by_config(cells)
    files = [c for c, settings in by_config.items() if not any(map(_is_asked, settings))]
    found = [_agreement(cells)]
    if files:
        found.append(
            f"Replies of {_names(files)} were not asked of a server (scripted, recorded or our own "
            "solutions): model.deterministic means nothing there."
        )
    if len(files) < len(by_config):
        found += [NOT_THE_SERVER, *_of_servers(by_config), *_measured(run)]
    return tuple(found)


def deterministic(settings: Sequence[Settings]) -> str:
    """`on`, `off`, or both, of a configuration's points; empty where no server answers."""
    words = {"on" if s.model.deterministic else "off" for s in settings if _is_asked(s)}
    return " and ".join(sorted(words))


def _is_asked(settings: Settings) -> bool:
    """Whether a server writes the solutions."""
    return settings.solver.name != "reference" and settings.model.provider == "endpoint"


def _agreement(cells: Sequence[Cell]) -> str:
    found = repeatability(cells)
    if not found.output.pairs:
        return NOT_REPEATED
    built = (
        f" {found.by_construction} of those with identical output are so by construction: the same "
        "code was run once on the same inputs, and its output taken over."
        if found.by_construction
        else ""
    )
    return (
        f"Of {found.output.pairs} pairs of trials of the same configuration and stage, "
        f"{_part(found.code)} have identical code, {_part(found.output)} identical output, bit "
        f"for bit, and {_part(found.ladder)} are equal within the ladder: the same bits, or both "
        f"within the rung statistical of the reference.{built}"
    )


def _part(found: Share) -> str:
    return f"{found.agree} ({share(found.value or 0.0)})"


def _of_servers(by_config: Mapping[str, Sequence[Settings]]) -> list[str]:
    """What model.deterministic asked of the servers, each sentence once with who it is about."""
    said: dict[str, list[str]] = {}
    for config, points in by_config.items():
        for settings in points:
            if _is_asked(settings):
                about = said.setdefault(_asked(settings), [])
                about += [config] if config not in about else []
    return [f"{_names(configs)}: {sentence}" for sentence, configs in said.items()]


def _asked(settings: Settings) -> str:
    try:
        return " ".join(asked(settings))
    except (SettingsError, ServingError) as error:
        on = str(settings.model.deterministic).lower()
        return f"model.deterministic={on}; what that does cannot be said: {error}"


def _measured(run: Path) -> list[str]:
    """What the run's record of its servers holds of measurements, each sentence once."""
    path = run / SERVERS_FILE
    servers = read_json(path).get("servers", []) if path.is_file() else []
    told = [s["determinism"] for s in servers if s.get("determinism")]
    found = dict.fromkeys(f"{one['sentence']} (server {one['server']})" for one in told)
    return list(found) or [NOT_MEASURED]


def _names(configs: Sequence[str]) -> str:
    more = len(configs) - MOST_NAMED
    return ", ".join(configs[:MOST_NAMED]) + (f" and {more} others" if more > 0 else "")
