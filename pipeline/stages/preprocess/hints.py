"""Hints of preprocess: signed weights, the right denominator, ranges from `info`, blinding."""

from __future__ import annotations

import ast

from pipeline.settings import Settings
from pipeline.stages.hints import event_counts, everywhere, in_lines, numbers_of_settings, row_loops
from pipeline.stages.preprocess.contract import KEEP_RANGE
from pipeline.stages.syntax import calls, last_name, literals, words
from pipeline.stages.trial import StageHint

WEIGHTS = frozenset(
    ("weight", "weights", "mcWeight", "mc_weight", "event_weight", "control_weight")
)
CROSS_SECTION = ("xsec", "cross_section", "lumi", "k_factor", "filter_eff", "kfac", "filteff")
"""Beginnings of names that make an expression one of a normalisation."""


def hints(settings: Settings) -> tuple[StageHint, ...]:
    """The hints of preprocess for a channel."""
    channel = settings.channel
    ranges = [
        channel.fit_range, channel.signal_window, channel.blind, *channel.sidebands,
        KEEP_RANGE.get(channel.name, channel.fit_range),
    ]  # fmt: skip
    numbers = [settings.data.luminosity, *(end for interval in ranges for end in interval)]
    blinding = (
        StageHint(
            "blind-range",
            "Leave `blind` alone: rows there may be missing already, and no table depends on it.",
            in_code=reads_blind,
        ),
    )
    return (
        StageHint(
            "signed-weights",
            "Never take the absolute value of an event's weight, and cut none away: the negative "
            "ones correct the positive ones.",
            in_code=unsigned_weights,
        ),
        StageHint(
            "sum-of-weights",
            "Divide by `sum_of_weights` of the sample: the number of rows, or the sum over the "
            "rows that are left, is another normalisation.",
            in_code=wrong_denominator,
        ),
        StageHint(
            "ranges-from-info",
            "Take ranges and the luminosity from `info`, and write none of them down.",
            in_code=lambda tree: numbers_of_settings(tree, numbers),
        ),
        *(blinding if channel.name == "hyy" else ()),
        StageHint(
            "no-row-loops",
            "No loop over rows: masks on whole columns.",
            in_code=row_loops,
        ),
        StageHint(
            "no-written-counts",
            "Write down no number of events: count the rows that you get.",
            in_code=event_counts,
        ),
        *everywhere("preprocess"),
    )


def unsigned_weights(tree: ast.Module) -> str:
    """`abs` of a weight, and weights clipped or cut at zero.

    Names of sums of weights do not count: the difference of two sums may be taken without sign.
    """
    lines = []
    for call in calls(tree):
        name = last_name(call)
        owner = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        about = [*owner, *call.args]
        if name in ("abs", "fabs", "absolute", "clip", "maximum") and any(
            WEIGHTS & words(each) for each in about
        ):
            lines.append(call.lineno)
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Gt | ast.GtE):
            right = node.comparators[0]
            zero = isinstance(right, ast.Constant) and right.value == 0
            if zero and _is_weight(node.left):
                lines.append(node.lineno)
    return in_lines("loses the sign of weights", sorted(lines))


def _is_weight(node: ast.expr) -> bool:
    """`weight`, `table["weight"]`, `table.weight`: not a sum of them."""
    if isinstance(node, ast.Name):
        return node.id in WEIGHTS
    if isinstance(node, ast.Attribute):
        return node.attr in WEIGHTS
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value in WEIGHTS
    return False


def wrong_denominator(tree: ast.Module) -> str:
    """Normalisations (with a cross-section or the luminosity) that are divided by something
    counted or summed over the rows."""
    about = set(CROSS_SECTION)
    for node in sorted(
        (n for n in ast.walk(tree) if isinstance(n, ast.Assign)), key=lambda n: n.lineno
    ):
        if _speaks_of(node.value, about):
            about |= {t.id for t in node.targets if isinstance(t, ast.Name)}
    lines = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Div)
        and _counts_rows(node.right)
        and _speaks_of(node, about)
    ]
    return in_lines("normalises by the rows", sorted(lines))


def _speaks_of(node: ast.AST, names: set[str]) -> bool:
    return any(word.startswith(tuple(names)) for word in words(node))


def _counts_rows(node: ast.expr) -> bool:
    """`len(x)`, `x.shape[0]`, or a sum over event weights."""
    for call in calls(node):
        if last_name(call) == "len" or (last_name(call) == "sum" and WEIGHTS & words(call)):
            return True
    return any(isinstance(n, ast.Attribute) and n.attr == "shape" for n in ast.walk(node))


def reads_blind(tree: ast.Module) -> str:
    """Uses of the key `blind`."""
    lines = [n.lineno for n in literals(tree) if n.value == "blind"]
    return in_lines("reads `blind`", lines)
