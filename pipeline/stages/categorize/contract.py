"""The contract of categorize: scores in the signal window in, boundaries out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from pipeline.files import read_json, read_table, write_json
from pipeline.physics.arrays import floats
from pipeline.physics.regions import inside
from pipeline.physics.significance import (
    Scores,
    SignificanceRule,
    asimov_z,
    combine,
    greedy_steps,
)
from pipeline.settings import Settings
from pipeline.stages.contract import ContractError, StageContext
from pipeline.stages.tables import own

CATEGORIES_FILE = "categories.json"
COLUMNS = ["score", "weight"]


class CategorizeContract:
    """`boundaries(signal, background, significance) -> list[float]`."""

    stage = "categorize"
    defines: Mapping[str, tuple[str, ...] | None] = {
        "boundaries": ("signal", "background", "significance")
    }

    def arguments(self, context: StageContext) -> dict[str, Any]:
        """Signal in the signal window, and the sideband events that stand for background there.

        Both from `output/`, in the sealed pass too: boundaries never depend on blinded data.
        """
        channel = context.settings.channel
        folder = context.upstream["classify"] / "output"
        signal = read_table(folder / "signal.parquet", [channel.observable, *COLUMNS])
        in_window = inside(signal[channel.observable].to_numpy(), channel.signal_window)
        return {
            "signal": signal.loc[in_window, COLUMNS].reset_index(drop=True),
            "background": read_table(folder / "background.parquet", COLUMNS),
            "significance": _rule(context.settings),
        }

    def call(self, solution: ModuleType, arguments: Mapping[str, Any]) -> Any:
        """Call `solution.boundaries` with tables of its own."""
        return solution.boundaries(
            own(arguments["signal"]), own(arguments["background"]), arguments["significance"]
        )

    def accept(self, result: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The content of `categories.json`: boundaries, and significances computed by us.

        ContractError unless the boundaries are a short list of ascending numbers between 0 and 1.
        Whether they follow the stopping rule is for the judge.
        """
        rule = arguments["significance"]
        boundaries = _boundaries(result, rule)
        signal, background = arguments["signal"], arguments["background"]
        scores = Scores(
            floats(signal["score"]),
            floats(signal["weight"]),
            floats(background["score"]),
            floats(background["weight"]),
        )
        s, b = scores.yields(boundaries)
        significances = [asimov_z(float(x), float(y)) for x, y in zip(s, b, strict=True)]
        edges = [0.0, *boundaries, 1.0]
        return {
            "boundaries": boundaries,
            "significances": significances,
            "combined": combine(significances),
            "inclusive": combine(scores.significances([], asimov_z)),
            "steps": [
                {
                    "boundary": step.boundary,
                    "combined": step.combined,
                    "gain": step.gain,
                    "accepted": step.accepted,
                }
                for step in greedy_steps(scores, rule, given=boundaries)
            ],
            "categories": [
                {
                    "name": f"category {k + 1}",
                    "range": [edges[k], edges[k + 1]],
                    "signal": float(s[k]),
                    "background": float(b[k]),
                    "significance": significances[k],
                }
                for k in range(len(significances))
            ],
        }

    def write(self, product: Mapping[str, Any], folder: Path) -> None:
        """Keep `categories.json`."""
        write_json(folder / CATEGORIES_FILE, product)

    def read(self, folder: Path) -> dict[str, Any]:
        """What `write` kept."""
        content: dict[str, Any] = read_json(folder / CATEGORIES_FILE)
        return content


def _boundaries(result: Any, rule: SignificanceRule) -> list[float]:
    if isinstance(result, np.ndarray):
        result = result.tolist()
    if not isinstance(result, Sequence) or isinstance(result, (str, bytes)):
        raise ContractError(
            f"expected boundaries to return a list of numbers, found {type(result).__name__}"
        )
    wrong = [each for each in result if not isinstance(each, Real) or not math.isfinite(each)]
    if wrong:
        raise ContractError(f"expected numbers as boundaries, found {wrong[0]!r}")
    found = [float(each) for each in result]
    outside = [each for each in found if not 0 < each < 1]
    if outside or any(b <= a for a, b in pairwise(found)):
        raise ContractError(
            f"expected boundaries between 0 and 1 in ascending order, each once, found {found!r}"
        )
    if len(found) > rule.max_boundaries:
        raise ContractError(
            f"expected at most {rule.max_boundaries} boundaries, found {len(found)}: {found!r}"
        )
    return found


def _rule(settings: Settings) -> SignificanceRule:
    chosen = settings.channel.categorize
    return SignificanceRule(chosen.min_gain, chosen.min_background, chosen.max_boundaries)


def task_variables(settings: Settings) -> dict[str, Any]:
    """What `task.md` needs."""
    channel = settings.channel
    return {
        "observable": channel.observable,
        "signal_window": list(channel.signal_window),
        "min_gain": channel.categorize.min_gain,
        "min_background": channel.categorize.min_background,
        "max_boundaries": channel.categorize.max_boundaries,
    }


CONTRACT = CategorizeContract()
