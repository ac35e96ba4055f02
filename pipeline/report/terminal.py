"""The report in the terminal: stages, the measured numbers, and where the page is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.report.cross_section import cross_section
from pipeline.report.folder import PointFolder, read_points
from pipeline.report.model import Solvers, solvers
from pipeline.report.notation import DASH, interval, number, seconds, whole
from pipeline.report.tables.run import why

SHOWN = 100
"""Characters of a failure's evidence."""
COLOURS = {"passed": "green", "reference": "green", "failed": "red", "not_reached": "yellow"}


def terminal_summary(run: Path) -> Group:
    """A short rich renderable of a finished run: per point its stages and its measurement."""
    run = Path(run)
    points = read_points(run)
    parts: list[RenderableType] = []
    for point in points:
        who = solvers(point)
        parts += [_title(point, len(points) > 1), *_who(who), _stages(point, who is not None)]
        parts += [*_numbers(point), Text()]
    stages = [stage for point in points for stage in point.results["stages"].values()]
    if any(stage["outcome"] == "failed" for stage in stages):
        parts.append(Text(f"why stages failed:  ladon explain {run}"))
    parts.append(Text.assemble("report  ", (str(run / "report.html"), "bold")))
    return Group(*parts)


def _title(point: PointFolder, several: bool) -> Text:
    settings = point.settings
    text = Text(f"{settings.channel.title}, {settings.data.release}", style="bold")
    if several:
        text = Text.assemble((f"{point.name}: ", "bold"), text)
    if settings.data.labelled_synthetic:
        text.append("  synthetic", style="bold yellow")
    if point.partial:
        text.append("  partial data", style="bold yellow")
    return text


def _who(who: Solvers | None) -> list[RenderableType]:
    """The model that wrote the solutions, if one did."""
    if who is None:
        return []
    return [Text(f"model: {who.text}", style="bold yellow" if who.scripted else "")]


def _stages(point: PointFolder, agents: bool) -> Table:
    """One row per stage; what writing its solution took, if `agents` did it."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    took = ("rounds", "calls", "tokens", "hints") if agents else ()
    for name in ("stage", "outcome", "rung", "checks", *took, "time"):
        left = name in ("stage", "outcome", "rung")
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    table.add_column("", overflow="fold")
    stages = point.results["stages"]
    for stage in point.settings.channel.stages:
        if stage not in stages:
            continue
        about = stages[stage]
        checks = about.get("checks") or {"passed": 0, "total": 0}
        table.add_row(
            stage,
            Text(about["outcome"].replace("_", " "), style=COLOURS[about["outcome"]]),
            about["rung"] or DASH,
            f"{checks['passed']}/{checks['total']}",
            *(_took(about) if agents else ()),
            seconds(about["wall_s"]),
            Text(_short(why(about))),
        )
    return table


def _short(text: str) -> str:
    """The beginning of a failure: all of it is what `ladon explain` is for."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN].rstrip()} …"


def _took(about: dict[str, Any]) -> tuple[str, str, str, str]:
    """Rounds, calls, tokens and hints that were not followed."""
    tokens = about["tokens"]["prompt"] + about["tokens"]["completion"]
    return (
        whole(about["rounds"]),
        whole(about["api_calls"]),
        whole(tokens),
        whole(about.get("hint_violations")),
    )


def _numbers(point: PointFolder) -> list[RenderableType]:
    found = point.results["measurement"]
    if found is None:
        counts = [
            f"{name} {whole(sample['entries'])} → {whole(sample['selected'])}"
            for name, sample in point.results["samples"].items()
            if sample["kind"] == "data"
        ]
        reason = point.results["measurement_reason"]
        return [Text(f"no measurement: {reason}"), Text("events  " + ", ".join(counts))]
    best = interval(found["mu"], tuple(found["mu_err"]))
    limits = found.get("mu_interval_95")
    within = f"   95 %: {number(limits[0])} to {number(limits[1])}" if limits else ""
    z = found["significance"]
    sigma = cross_section(found)
    return [
        Text.assemble("μ       ", (best.plain, "bold"), within),
        Text(f"Z       {number(z['observed'])} σ observed, {number(z['expected'])} σ expected"),
        Text(
            f"σ×BR    {number(sigma.value, sigma.places)} {sigma.errors('stat')} (stat.) "
            f"{sigma.errors('syst')} (syst.) {sigma.errors('lumi')} (lumi.) fb"
        ),
    ]
