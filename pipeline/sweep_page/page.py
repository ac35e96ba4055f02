"""The page of a sweep: one self-contained HTML file, filled from templates."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.report.page import TEMPLATES as REPORT_TEMPLATES
from pipeline.sweep_page.chart import Chart
from pipeline.sweep_page.heatmap import HeatMap, colour_rules
from pipeline.sweep_page.table import Table

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class SweepView:
    """Everything of the page but the trials themselves."""

    run: str
    title: str
    synthetic: bool
    badges: tuple[tuple[str, str], ...]
    statements: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    """(what, value) of what was analysed and how."""
    stages: tuple[str, ...]
    models: tuple[str, ...]
    leaderboard: Table
    heatmap: HeatMap
    failures: tuple[Chart, ...]
    kinds: Table
    tradeoffs: tuple[Chart, ...]
    rounds: Chart
    identical: tuple[str, ...]
    """What was identical, what was asked for, what was measured."""
    repeatability: Table
    pairs: Table
    physics: Table
    cut: str
    """How much of each trial the page holds."""
    method: str
    files: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = (
        ("leaderboard", "Leaderboard"), ("heatmap", "Configuration × stage"),
        ("failures", "Failures"), ("tradeoffs", "Success against effort"), ("rounds", "Rounds"),
        ("repeatability", "What was identical"), ("pairs", "Comparisons"), ("physics", "Physics"),
        ("trials", "Trials"),
    )  # fmt: skip
    outcomes: tuple[tuple[str, str], ...] = (
        ("passed", "passed"), ("failed", "failed"), ("not_reached", "not reached"),
        ("missing", "not computed yet"), ("reference", "reference"),
    )  # fmt: skip
    trial_columns: tuple[tuple[str, bool], ...] = (
        ("configuration", False), ("stage", False), ("trial", True), ("outcome", False),
        ("rung", False), ("failure", False), ("rounds", True), ("calls", True), ("tokens", True),
        ("wall [s]", True),
    )  # fmt: skip


def render(page: SweepView, trials: str, chunks: Sequence[str]) -> str:
    """The HTML text; `trials` and `chunks` are base64. The same view gives the same text.

    The policy in it allows this one script and style and no request at all.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = _style()
    script = _script()
    return environment.get_template("sweep.html.j2").render(
        page=page,
        trials=trials,
        chunks=chunks,
        style=style,
        script=script,
        style_hash=_source_hash(style),
        script_hash=_source_hash(script),
    )


def _style() -> str:
    """The look of the run's report, and what only this page has."""
    common = (REPORT_TEMPLATES / "style.css").read_text(encoding="utf-8")
    return common + (TEMPLATES / "sweep.css").read_text(encoding="utf-8") + colour_rules()


def _script() -> str:
    files = sorted((TEMPLATES / "js").glob("*.js"))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def _source_hash(text: str) -> str:
    """The text as a source of a content security policy: what else stands there does not run."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
