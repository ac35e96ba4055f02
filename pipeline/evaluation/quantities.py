"""The physics of a stage's output in a number or two, from small files that are there anyway."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pipeline.files import read_json

AUC_CHECK = "area under the ROC curve"
"""Name of the judge's check (pipeline/stages/classify/checks.py) that has both areas."""
QUANTITIES: dict[str, str] = {
    "convert": "selected",
    "classify": "auc",
    "categorize": "significance",
    "measure": "mu",
}
"""Stage -> name of its quantity."""


def quantities_of(
    stage: str, folder: Path, verdict: Mapping[str, Any], side: Literal["found", "expected"]
) -> dict[str, float]:
    """Quantity -> value of the output in `folder`; empty where there is none.

    selected: events that convert's selection keeps, all samples together; auc: area under the ROC
    curve, which only the judge's verdict has, `side` says whose; significance: combined, of all
    categories; mu: signal strength, of the pass with the blinded events.
    """
    if stage == "classify":
        value = _area(verdict, side)
    elif stage == "convert":
        flows = _optional(folder / "output" / "cutflow.json")
        value = sum(float(steps[-1][1]) for steps in flows.values() if steps) if flows else None
    elif stage == "categorize":
        value = _optional(folder / "output" / "categories.json").get("combined")
    elif stage == "measure":
        value = _optional(folder / "sealed" / "measurement.json").get("mu")
    else:
        return {}
    return {QUANTITIES[stage]: float(value)} if _finite(value) else {}


def _area(verdict: Mapping[str, Any], side: str) -> Any:
    for check in verdict.get("checks", ()):
        if check["name"] == AUC_CHECK:
            return check[side]
    return None


def _finite(value: Any) -> bool:
    """Verdicts hold NaN and infinities as words."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _optional(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = read_json(path)
    except FileNotFoundError:
        return {}
    return content
