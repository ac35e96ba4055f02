"""The report of a run: figures, tables, one self-contained page, and the same in the terminal.

The drawing libraries are imported when a report is made, not with the package: the step that only
checks `results.json` against its schema does not wait for them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Group

    from pipeline.report.product import ReportProduct

__all__ = ["make_report", "terminal_summary"]


def make_report(run: Path) -> ReportProduct:
    """Draw the report of a finished run directory; see `pipeline.report.product.make_report`."""
    from pipeline.report.product import make_report as make

    return make(run)


def terminal_summary(run: Path) -> Group:
    """The run's outcome in a few lines; see `pipeline.report.terminal.terminal_summary`."""
    from pipeline.report.terminal import terminal_summary as summarise

    return summarise(run)
