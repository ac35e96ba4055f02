"""Hints of categorize: the significance and the rules that are given, and boundaries found anew."""

from __future__ import annotations

import ast

from pipeline.settings import Settings
from pipeline.stages.hints import event_counts, everywhere, in_lines, listed, row_loops
from pipeline.stages.syntax import calls, last_name, literals, parameters
from pipeline.stages.trial import StageHint


def hints(settings: Settings) -> tuple[StageHint, ...]:
    """The hints of categorize, with the numbers of the settings."""
    rule = settings.channel.categorize
    numbers = (rule.min_gain, rule.min_background)
    return (
        StageHint(
            "use-significance",
            "Call the `significance` that you are given; write no formula of your own.",
            in_code=own_formula,
        ),
        StageHint(
            "rules-from-significance",
            "Take min_gain and min_background from `significance`, and write neither down.",
            in_code=lambda tree: listed(
                "holds the number", [f"{n.value:g}" for n in literals(tree)
                                     if isinstance(n.value, float) and n.value in numbers]
            ),
        ),
        StageHint(
            "no-stored-boundaries",
            "Return what the search finds, never a list that you wrote down.",
            in_code=stored,
        ),
        StageHint("no-row-loops", "No loop over rows: sums over whole columns.", in_code=row_loops),
        StageHint(
            "no-written-counts", "Write down no number of events.", in_code=event_counts
        ),
        *everywhere("categorize"),
    )  # fmt: skip


def own_formula(tree: ast.Module) -> str:
    """A `significance` that is neither called nor handed on, or a logarithm beside it."""
    arguments = parameters(tree, "boundaries")
    if len(arguments) == 3 and not _is_used(tree, arguments[2]):
        return f"`{arguments[2]}` is never called"
    logarithms = [call.lineno for call in calls(tree) if last_name(call) in ("log", "log1p")]
    return in_lines("computes a logarithm", logarithms)


def _is_used(tree: ast.Module, name: str) -> bool:
    """Called, or given to a function that may call it."""
    for call in calls(tree):
        values = [call.func, *call.args, *(k.value for k in call.keywords)]
        if any(isinstance(value, ast.Name) and value.id == name for value in values):
            return True
    return False


def stored(tree: ast.Module) -> str:
    """A list of numbers that is returned as it stands in the code."""
    lines = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Return)
        and isinstance(node.value, ast.List | ast.Tuple)
        and node.value.elts
        and all(isinstance(each, ast.Constant) for each in node.value.elts)
    ]
    return in_lines("returns a written list", lines)
