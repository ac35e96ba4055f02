"""The report of a run: figures, tables, one self-contained page, and the same in the terminal.

The drawing libraries are imported when a report is made, not with the package: the step that only
checks `results.json` against its schema does not wait for them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.workflow.layout import Layout

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pipeline.report.product import ReportProduct

__all__ = ["make_report", "terminal_summary"]


def make_report(run: Path) -> ReportProduct | None:
    """Make the report of a run or a sweep; see `pipeline.report.product` and `.sweep.report`.

    What was made, for a run that is no sweep.
    """
    if _is_sweep(run):
        from pipeline.sweep.report import make_sweep_report

        make_sweep_report(run)
        return None
    from pipeline.report.product import make_report as make

    return make(run)


def terminal_summary(run: Path) -> RenderableType:
    """The outcome of a run or a sweep in a few lines."""
    if _is_sweep(run):
        from pipeline.sweep.report import sweep_summary

        return sweep_summary(run)
    from pipeline.report.terminal import terminal_summary as summarise

    return summarise(run)


def _is_sweep(run: Path) -> bool:
    """Whether the folder holds many points; a folder without a run is for others to refuse."""
    path = run / "sweep.json"
    return path.exists() and Layout.load(path).is_sweep
