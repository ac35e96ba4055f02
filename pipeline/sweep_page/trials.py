"""The list of all trials as the page's script reads it: a column each, words coded."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.evaluation.cell import Cell
from pipeline.sweep_page.pieces import to_text

COLUMNS = (
    "point", "stage", "model", "setting", "trial", "outcome", "rung", "category", "cause",
    "attribution", "evidence", "rounds", "calls", "prompt", "completion", "agent_s", "execute_s",
    "gpu_s", "cost", "hints", "shared", "address",
)  # fmt: skip
CODED = (
    "point", "stage", "model", "setting", "outcome", "rung", "category", "cause", "attribution",
    "evidence",
)  # fmt: skip
MAX_EVIDENCE = 400
"""Characters of a failure's evidence in the list; the verdict has the rest."""


def trials_table(cells: Sequence[Cell], addresses: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """Columns, rows and the words that coded columns number; one row per cell."""
    words: dict[str, int] = {}
    rows = []
    for cell in cells:
        values = _values(cell, addresses.get((cell.point, cell.stage)))
        rows.append(
            [
                words.setdefault(value, len(words)) if name in CODED and value is not None
                else value
                for name, value in zip(COLUMNS, values, strict=True)
            ]
        )  # fmt: skip
    return {"columns": COLUMNS, "coded": CODED, "words": list(words), "rows": rows}


def packed(table: Mapping[str, Any]) -> str:
    """The table as base64 of compressed JSON; the same table gives the same text."""
    content = to_text(table).encode("ascii")
    return base64.b64encode(gzip.compress(content, compresslevel=9, mtime=0)).decode("ascii")


def _values(cell: Cell, address: str | None) -> tuple[Any, ...]:
    failure = cell.failure
    category = cause = attribution = evidence = None
    if failure is not None:
        category, cause, attribution = failure.category, failure.cause, failure.attribution
        cut = len(failure.evidence) > MAX_EVIDENCE
        evidence = f"{failure.evidence[:MAX_EVIDENCE]} [...]" if cut else failure.evidence
    return (
        cell.point, cell.stage, cell.model, cell.setting, cell.trial, cell.outcome, cell.rung,
        category, cause, attribution, evidence, cell.rounds, cell.api_calls, cell.prompt_tokens,
        cell.completion_tokens, cell.agent_s, cell.execute_s, cell.gpu_s, cell.cost,
        cell.hint_violations, cell.shared, address,
    )  # fmt: skip
