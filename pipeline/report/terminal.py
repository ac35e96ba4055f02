"""The report in the terminal: stages, the measured numbers, and where the page is."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.report.cross_section import cross_section
from pipeline.report.folder import PointFolder, read_points
from pipeline.report.notation import DASH, interval, number, seconds, whole
from pipeline.report.tables.run import why

COLOURS = {"passed": "green", "reference": "green", "failed": "red", "not_reached": "yellow"}


def terminal_summary(run: Path) -> Group:
    """A short rich renderable of a finished run: per point its stages and its measurement."""
    run = Path(run)
    points = read_points(run)
    parts: list[RenderableType] = []
    for point in points:
        parts += [_title(point, len(points) > 1), _stages(point), *_numbers(point), Text()]
    parts.append(Text.assemble("report  ", (str(run / "report.html"), "bold")))
    return Group(*parts)


def _title(point: PointFolder, several: bool) -> Text:
    settings = point.settings
    text = Text(f"{settings.channel.title}, {settings.data.release}", style="bold")
    if several:
        text = Text.assemble((f"{point.name}: ", "bold"), text)
    if settings.data.synthetic:
        text.append("  synthetic", style="bold yellow")
    if point.partial:
        text.append("  partial data", style="bold yellow")
    return text


def _stages(point: PointFolder) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("stage", "outcome", "rung", "checks", "time", ""):
        table.add_column(name, justify="right" if name in ("checks", "time") else "left")
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
            seconds(about["wall_s"]),
            Text(why(about)),
        )
    return table


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
