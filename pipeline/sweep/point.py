"""A point of a sweep: one resolved configuration, with a name that stays."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.configure import Composer
from pipeline.files import sha256_json
from pipeline.overrides import GROUPS, parse
from pipeline.settings import RunSettings, Settings, SettingsError, deciding

MAIN = "main"
"""Name of the only point of a run that is no sweep."""
WORDLESS = frozenset({*GROUPS, "chain", "classifier"})
"""Keys whose values say enough without the key."""
LONGEST = 80


@dataclass(frozen=True)
class Point:
    """One point: its name, its settings, and what of them was chosen from several values."""

    name: str
    settings: Settings
    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """Hash of what decides the point, but for its stages.

        Asked for more stages it is the same point: those that it has are not made again.
        """
        return sha256_json({**deciding(self.settings), "stages": None})

    @property
    def key(self) -> str:
        """The beginning of the identity: what tells two points with one name apart."""
        return self.identity[:6]


def points_of(batch: Sequence[Sequence[str]]) -> list[Point]:
    """The points that the overrides of each job mean; those that differ in stages alone are one.

    Raises SettingsError for what `configure` refuses, and where points are to run in several runs
    or at several sites.
    """
    composer = Composer()
    settings = [composer(overrides) for overrides in batch]
    first = settings[0]
    for other in settings:
        if (other.site, other.run) != (first.site, first.run):
            raise SettingsError(
                "a sweep is one run at one site, found several values of site or run; start one "
                "sweep for each"
            )
    chosen = [_chosen(overrides) for overrides in batch]
    swept = _swept(chosen)
    merged: dict[str, Point] = {}
    for own, these in zip(chosen, settings, strict=True):
        choices = {key: own[key] for key in swept if key in own}
        named = {"model": own["model"], **choices} if "model" in own else choices
        point = Point(_name(named), these, choices)
        before = merged.get(point.identity)
        if before is not None:
            point = replace(before, settings=with_stages(before.settings, these.stages))
        merged[point.identity] = point
    return _told_apart(list(merged.values()))


def with_stages(settings: Settings, stages: Sequence[str]) -> Settings:
    """The same settings with these stages too, in the order of the channel."""
    wanted = {*settings.stages, *stages}
    return replace(settings, stages=tuple(s for s in settings.channel.stages if s in wanted))


def run_of_sweep(points: Sequence[Point], sweep: str | None) -> RunSettings:
    """The run of an unnamed sweep, named by its data: extended, it is found again."""
    run, first = points[0].settings.run, points[0].settings
    if run.name:
        return run
    shared = [
        {k: v for k, v in deciding(p.settings).items() if k in ("channel", "data", "seed")}
        for p in points
    ]
    digest = sha256_json({k: v for k, v in shared[0].items() if all(s[k] == v for s in shared)})
    name = f"{sweep or 'sweep'}-{first.channel.name}-{first.data.name}-{digest[:8]}"
    return replace(run, name=name)


def _chosen(overrides: Sequence[str]) -> dict[str, str]:
    """Key -> value of one job's overrides, but for the stages."""
    parsed = [o for o in parse(overrides) if not o.is_delete()]
    chosen = {o.key_or_group: o.get_value_element_as_str() for o in parsed}
    chosen.pop("stages", None)
    return chosen


def _swept(chosen: Sequence[Mapping[str, str]]) -> list[str]:
    """The keys that have several values, in their order on the command line."""
    keys = list(dict.fromkeys(key for one in chosen for key in one))
    return [key for key in keys if len({one.get(key) for one in chosen}) > 1]


def _name(choices: Mapping[str, str]) -> str:
    words = []
    for key, value in choices.items():
        last = key.rpartition(".")[2]
        if key == "trial":
            words.append(f"trial{value:0>3}")
        else:
            words.append(value if key in WORDLESS else f"{last}_{value}")
    name = "-".join(re.sub(r"[^A-Za-z0-9.]+", "_", word).strip("_.") for word in words)
    if len(name) > LONGEST:
        name = f"{name[:LONGEST]}.{hashlib.sha256(name.encode()).hexdigest()[:6]}"
    return name or MAIN


def _told_apart(points: list[Point]) -> list[Point]:
    """Points of one name (their values differ in signs that a name cannot have) by their key."""
    names = [point.name for point in points]
    return [replace(p, name=f"{p.name}.{p.key}") if names.count(p.name) > 1 else p for p in points]
