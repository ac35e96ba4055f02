"""Step: draw the report of the run."""

from __future__ import annotations

from pathlib import Path

from pipeline.report import make_report
from pipeline.steps.errors import run_step


def main() -> None:
    """Write report.html, summary.json, summary.csv and the figures."""
    make_report(Path.cwd())


if __name__ == "__main__":
    run_step("report", main)
