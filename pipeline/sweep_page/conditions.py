"""What the points of a sweep were asked under: their settings, read once, and facts about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.evaluation.cell import Cell
from pipeline.files import RunFileError, read_json
from pipeline.report.notation import THIN
from pipeline.settings import Settings, SettingsError, from_dict, to_dict
from pipeline.sweep_page.observables import ChannelAxes

CHAINS = {
    "isolated": "isolated: each reads the reference's output of the stage before",
    "chained": "chained: each reads the output of the stage before of the same trial",
}


@dataclass(frozen=True)
class Conditions:
    """The settings of a sweep's points, as far as they are there and can be read."""

    settings: Mapping[str, Settings]
    """Point -> its settings."""

    @classmethod
    def of(cls, run: Path, points: Iterable[str]) -> Conditions:
        """Of a run's points; one whose settings are damaged is left out."""
        found = {}
        for point in points:
            try:
                found[point] = from_dict(read_json(run / "points" / point / "settings.json"))
            except (FileNotFoundError, RunFileError, SettingsError):
                continue
        return cls(found)

    def by_config(self, cells: Sequence[Cell]) -> dict[str, list[Settings]]:
        """Configuration -> the settings of its points, in their order."""
        found: dict[str, dict[str, Settings]] = {}
        for cell in cells:
            if cell.point in self.settings:
                found.setdefault(cell.config, {})[cell.point] = self.settings[cell.point]
        return {config: list(points.values()) for config, points in found.items()}

    def facts(self) -> tuple[tuple[str, str], ...]:
        """(what, value) of what was analysed and how; values that differ are all named."""
        every = list(self.settings.values())
        facts: Mapping[str, Iterable[Any]] = {
            "channel": (f"{s.channel.title} ({s.channel.name})" for s in every),
            "data": (_data(s) for s in every),
            "stages": (CHAINS[s.chain] for s in every),
            "blinding": (_blinding(s) for s in every),
            "rounds of a stage": (f"at most {s.solver.max_rounds}" for s in every),
        }
        joined = {name: "; ".join(dict.fromkeys(map(str, v))) for name, v in facts.items()}
        return tuple((name, value) for name, value in joined.items() if value)

    @property
    def unblinded(self) -> bool:
        """Whether solvers of any point may see everything."""
        return any(s.unblind for s in self.settings.values())


def _data(settings: Settings) -> str:
    data = settings.data
    kind = "synthetic samples with its names" if data.labelled_synthetic else "ATLAS Open Data"
    luminosity = f"{'part of ' if data.partial else ''}{data.luminosity:g}{THIN}fb⁻¹"
    injected = f", injected μ{THIN}={THIN}{data.mu:g}" if data.synthetic else ""
    return f"{data.release}, {kind}, {luminosity}{injected}"


def _blinding(settings: Settings) -> str:
    if settings.unblind:
        return "none (unblind=true): solvers see the selected data of the signal window"
    hidden = ChannelAxes.of(to_dict(settings)).blind
    if hidden is None:
        return "none: this channel hides no data"
    return f"solvers see no selected data between {hidden[0]:g} and {hidden[1]:g} GeV"
