"""The table of the agents: what each stage took, how it ended, and whose failure it was."""

from __future__ import annotations

from typing import Any

from pipeline.report.folder import PointFolder
from pipeline.report.model import Solvers
from pipeline.report.notation import DASH, seconds, whole
from pipeline.report.tables.cell import Cell, Table, numeric
from pipeline.report.tables.run import TONES, in_order

MAX_EVIDENCE = 220
"""Characters of evidence in a cell; the whole of it is in results.json."""


def agents_table(point: PointFolder, who: Solvers, determinism: str = "") -> Table:
    """One row per stage that the agents were asked for, and a row of sums."""
    stages = in_order(point)
    rows = [_row(point, stage, about) for stage, about in stages]
    if len(rows) > 1:
        rows.append(_total(point, [about for _, about in stages]))
    most = f", at most {who.max_rounds} rounds a stage" if who.max_rounds else ""
    return Table(
        "agents",
        "What the agents did",
        f"Model: {who.text}{most}. A round is one pass of supervisor, coder and sandbox; tokens as "
        "the endpoint counted them; the time is that of writing and running the solution. Hints "
        "are advice of the task that a module did not follow: counted, no failure. A failure is "
        "attributed to the model unless endpoint, infrastructure, data or Ladon itself caused it."
        f"{' ' if determinism else ''}{determinism}",
        (
            "stage", "outcome", "rung", "rounds", "calls", "tokens in", "out", "time",
            "hints missed", "failure", "evidence",
        ),
        tuple(rows),
        frozenset({len(rows) - 1} if len(rows) > 1 else ()),
    )  # fmt: skip


def _row(point: PointFolder, stage: str, about: dict[str, Any]) -> tuple[Cell, ...]:
    file = point.results_file
    trajectory = f"{point.base}/{stage}/trajectory.jsonl"
    verdict = f"{point.base}/{stage}/verdict.json"
    judged = verdict if point.exists(verdict) else file
    failure = about["failure"]
    hints = about.get("hint_violations")
    return (
        Cell(stage, trajectory if point.exists(trajectory) else None, tone="strong"),
        Cell(about["outcome"].replace("_", " "), judged, tone=TONES[about["outcome"]]),
        Cell(about["rung"] or DASH, judged),
        numeric(whole(about["rounds"]), file, about["rounds"]),
        numeric(whole(about["api_calls"]), file, about["api_calls"]),
        numeric(whole(about["tokens"]["prompt"]), file, about["tokens"]["prompt"]),
        numeric(whole(about["tokens"]["completion"]), file, about["tokens"]["completion"]),
        numeric(seconds(about["wall_s"]), file, about["wall_s"]),
        numeric(whole(hints), file, hints, tone="bad" if hints else ""),
        Cell(f"{failure['category']} ({failure['attribution']})", judged, tone="bad")
        if failure
        else Cell(DASH),
        Cell(_evidence(about), judged if failure else None, hint=_whole(about)),
    )


def _total(point: PointFolder, stages: list[dict[str, Any]]) -> tuple[Cell, ...]:
    file = point.results_file
    prompt = sum(about["tokens"]["prompt"] for about in stages)
    completion = sum(about["tokens"]["completion"] for about in stages)
    rounds, calls = (sum(about[key] for about in stages) for key in ("rounds", "api_calls"))
    hints = sum(about.get("hint_violations") or 0 for about in stages)
    passed = sum(about["outcome"] == "passed" for about in stages)
    return (
        Cell("all"),
        Cell(f"{passed} of {len(stages)} passed"),
        Cell(""),
        numeric(whole(rounds), file, rounds),
        numeric(whole(calls), file, calls),
        numeric(whole(prompt), file, prompt),
        numeric(whole(completion), file, completion),
        numeric(seconds(sum(about["wall_s"] for about in stages)), file, None),
        numeric(whole(hints), file, hints),
        Cell(""),
        Cell(""),
    )


def _whole(about: dict[str, Any]) -> str:
    return str(about["failure"]["evidence"]) if about["failure"] else ""


def _evidence(about: dict[str, Any]) -> str:
    """One sentence: the failure's evidence, why a stage was not reached, or what to know of it."""
    said = _whole(about) or str(about.get("reason") or "") or "; ".join(about.get("notes") or ())
    line = " ".join(said.split())
    return line if len(line) <= MAX_EVIDENCE else f"{line[:MAX_EVIDENCE].rpartition(' ')[0]} …"
