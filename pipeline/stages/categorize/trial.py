"""Trying a solution of categorize: all its input, and the rules for boundaries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from agents.evidence import Finding
from pipeline.physics.significance import CANDIDATES, SignificanceRule
from pipeline.settings import Settings
from pipeline.stages.categorize.contract import CONTRACT
from pipeline.stages.categorize.hints import hints
from pipeline.stages.contract import StageContext
from pipeline.stages.trial import Slice, StageHint, at_least_one, holds

ROUNDING = 1e-9
"""Relative: sums of the same weights in another order."""


class CategorizeTrial:
    """Slices, findings and hints of categorize."""

    def slices(self, context: StageContext) -> Iterator[Slice]:
        """All scores: the input is small."""
        return at_least_one(_slices(context), "categorize", "scores of signal and of background")

    def findings(self, given: Slice, product: Any, context: StageContext) -> list[Finding]:
        """Every boundary is a candidate, keeps the background, gains enough; no further one would.

        The significances are our own, computed by the contract for the boundaries that came back.
        """
        rule: SignificanceRule = given.arguments["significance"]
        boundaries, steps = product["boundaries"], product["steps"]
        others = [
            f"{b!r}" for b in boundaries if min(abs(b - c) for c in CANDIDATES) > ROUNDING
        ]  # fmt: skip
        few = [
            f"{c['name']} ({c['range'][0]:g} to {c['range'][1]:g}) has {c['background']:.4g}"
            for c in product["categories"]
            if boundaries and c["background"] < rule.min_background * (1 - ROUNDING)
        ]
        small = [
            f"that at {step['boundary']:g} gains {step['gain']:.2%}"
            for step in steps
            if step["accepted"] and step["gain"] < rule.min_gain - ROUNDING
        ]
        missed = [
            f"one more would gain {step['gain']:.2%}"
            for step in steps
            if not step["accepted"] and step["gain"] >= rule.min_gain + ROUNDING
        ]
        return [
            holds("boundaries are candidates", others, "0.01, 0.02, … 0.99"),
            holds("every category keeps its background", few,
                  f"at least {rule.min_background:g} events"),
            holds("every boundary gains enough", small, f"at least {rule.min_gain:.2%}"),
            holds("no further boundary would gain enough", missed,
                  f"less than {rule.min_gain:.2%}, or {rule.max_boundaries} boundaries"),
        ]  # fmt: skip

    def hints(self, settings: Settings) -> tuple[StageHint, ...]:
        """Use what `significance` gives."""
        return hints(settings)


TRIAL = CategorizeTrial()


def _slices(context: StageContext) -> Iterator[Slice]:
    arguments = CONTRACT.arguments(replace(context, sealed=False))
    if len(arguments["signal"]) and len(arguments["background"]):
        yield Slice("all scores", arguments)
