"""Hints of measure: no random numbers, no results and no model written down, an honest minimum."""

from __future__ import annotations

import ast

from pipeline.settings import Settings
from pipeline.stages.hints import (
    event_counts,
    everywhere,
    in_lines,
    numbers_of_settings,
    random_numbers,
)
from pipeline.stages.trial import StageHint

RESULTS = ("mu", "mu_err", "mu_interval_95", "cross_section_pb", "significance", "background_yield",
           "signal_yield")  # fmt: skip
"""Members of the result that a fit must give."""


def hints(settings: Settings) -> tuple[StageHint, ...]:
    """The hints of measure, with the numbers of the settings."""
    channel, measure = settings.channel, settings.channel.measure
    numbers = [
        settings.data.luminosity, measure.luminosity_uncertainty, measure.scale_uncertainty,
        measure.signal_mass, *channel.fit_range, *channel.signal_window,
        *(end for sideband in channel.sidebands for end in sideband),
    ]  # fmt: skip
    return (
        StageHint(
            "no-random",
            "No random numbers: a fit and Asimov data need none.",
            in_code=random_numbers,
        ),
        StageHint(
            "numbers-from-model",
            "Take luminosity, ranges and uncertainties from `model`, and write none of them down.",
            in_code=lambda tree: numbers_of_settings(tree, numbers),
        ),
        StageHint(
            "no-written-results",
            "Write down no yield and no result: each comes from the categories or the fit.",
            in_code=written_results,
        ),
        StageHint(
            "honest-minimum",
            "Report `valid` as the minimiser says it, never as a constant.",
            in_code=constant_validity,
        ),
        *everywhere("measure"),
    )


def written_results(tree: ast.Module) -> str:
    """Members of the result that are constants other than 0, and written numbers of events."""
    lines = [value.lineno for key, value in _members(tree) if key in RESULTS and _number(value)]
    return in_lines("a result is a constant", lines) or event_counts(tree)


def constant_validity(tree: ast.Module) -> str:
    """A member `valid` that is always true."""
    lines = [
        value.lineno
        for key, value in _members(tree)
        if key == "valid" and isinstance(value, ast.Constant)
    ]
    return in_lines("`valid` is a constant", lines)


def _members(tree: ast.Module) -> list[tuple[str, ast.expr]]:
    """Keys that are texts, with their values, of all dictionaries in the code."""
    return [
        (str(key.value), value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant)
    ]


def _number(node: ast.expr) -> bool:
    """A number other than 0, or a list of numbers, as it stands in the code."""
    each = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    plain = [n.operand if isinstance(n, ast.UnaryOp) else n for n in each]
    return bool(plain) and all(
        isinstance(n, ast.Constant) and isinstance(n.value, int | float) and bool(n.value)
        for n in plain
    )
