"""Making the report of a run: read, draw, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.files import replacing
from pipeline.report.content import Content, read_content
from pipeline.report.export import FigureFiles, export, write_csv
from pipeline.report.figures.style import atlas_style
from pipeline.report.folder import PointFolder, read_points
from pipeline.report.gallery import gallery
from pipeline.report.numbers.yields import yield_columns
from pipeline.report.page import PageView, data_uri, render
from pipeline.report.summary import write_summary
from pipeline.report.tables.run import points_table
from pipeline.report.view import COMPARISON, FigureView, PointView, point_view

WHOLE_REPORTS = 2
"""Up to this many points the page holds every figure and dialogue; of more, two figures each."""
FIRST_FIGURES = frozenset({"stack", "spectrum", "likelihood"})


@dataclass(frozen=True)
class ReportProduct:
    """Paths of what was written."""

    html: Path
    summary_json: Path
    summary_csv: Path
    figures: tuple[Path, ...]


def make_report(run: Path) -> ReportProduct:
    """Write report.html, summary.json, summary.csv and figures/ of a finished run directory.

    The same run directory gives the same bytes. Raises RunFolderError for a missing file and
    ResultsError for a `results.json` that does not meet its schema.
    """
    run = Path(run)
    points = read_points(run)
    views: list[PointView] = []
    written: dict[str, dict[str, FigureFiles]] = {}
    for point in points:
        content = read_content(point)
        folder = "figures" if len(points) == 1 else f"figures/{point.name}"
        drawn = _draw(run, point, content, folder, len(points) <= WHOLE_REPORTS)
        written[point.name] = {name: view.files for name, view in drawn.items()}
        if content.yields is not None:
            write_csv(run / folder / "data" / "yields.csv", yield_columns(content.yields.value))
        whole = len(points) <= WHOLE_REPORTS
        views.append(point_view(point, content, drawn, f"{folder}/data", whole))
    summaries = write_summary(run, points, written)
    page = PageView(
        run=points[0].run_name,
        title=_title(points),
        synthetic=any(point.settings.data.labelled_synthetic for point in points),
        points=tuple(views),
        points_table=points_table(points) if len(points) > 1 else None,
        summaries=summaries,
    )
    with replacing(run / "report.html") as temporary:
        temporary.write_text(render(page), encoding="utf-8")
    return ReportProduct(
        html=run / "report.html",
        summary_json=run / summaries[0],
        summary_csv=run / summaries[1],
        figures=_paths(run, written),
    )


def _draw(
    run: Path, point: PointFolder, content: Content, folder: str, every: bool
) -> dict[str, FigureView]:
    """Draw and export the figures of a point, by name."""
    found = {}
    with atlas_style():
        for plate in gallery(point, content):
            files = export(plate, run, folder)
            shown = every or plate.name in FIRST_FIGURES
            image = data_uri(files.svg, "image/svg+xml") if shown else ""
            found[plate.name] = FigureView(plate, files, image, plate.name not in COMPARISON)
    return found


def _title(points: tuple[PointFolder, ...]) -> str:
    titles = dict.fromkeys(point.settings.channel.title for point in points)
    measured = any(point.results["measurement"] for point in points)
    return ", ".join(titles) + (": signal strength and cross-section" if measured else "")


def _paths(run: Path, written: Mapping[str, Mapping[str, FigureFiles]]) -> tuple[Path, ...]:
    return tuple(
        run / path
        for figures in written.values()
        for files in figures.values()
        for path in (files.png, files.pdf, files.csv, files.json)
    )
