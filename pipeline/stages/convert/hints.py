"""Hints of convert: whole arrays, GeV as given, float64, and only the branches that are used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.settings import Settings
from pipeline.stages.hints import event_counts, everywhere, in_lines, listed
from pipeline.stages.syntax import called, calls, full_names, literals, loops_over, parameters
from pipeline.stages.trial import StageHint

ENOUGH_ROWS = 10
"""Rows of which not all can be 4-byte numbers by chance."""
BRANCHES = "BRANCHES"


def hints(settings: Settings) -> tuple[StageHint, ...]:
    """The hints of convert for a channel."""
    observable = settings.channel.observable
    return (
        StageHint(
            "no-loops",
            "No Python loop over events: masks and arithmetic on whole arrays (awkward, NumPy).",
            in_code=event_loops,
        ),
        StageHint(
            "branches-used",
            "Put into BRANCHES what the code uses, and nothing else: every branch costs reading.",
            in_code=unused_branches,
        ),
        StageHint(
            "no-conversion",
            "Energies come in GeV: do not divide by 1000.",
            in_code=conversions,
        ),
        StageHint(
            "float64-masses",
            f"Compute {observable} in float64: the branches are 4-byte numbers, and E² - p² "
            "cancels.",
            in_run=lambda arguments, product: rounded(product, observable),
        ),
        StageHint(
            "no-written-counts",
            "Write down no number of events: it is that of one file.",
            in_code=event_counts,
        ),
        *everywhere("convert"),
    )


def event_loops(tree: ast.Module) -> str:
    """Loops over events, and functions that hide one."""
    arguments = parameters(tree, "convert")
    lines = loops_over(tree, arguments[0]) if arguments else []
    if lines:
        return in_lines("loops over events", sorted(lines))
    known = full_names(tree)
    hidden = ("numpy.vectorize", "awkward.to_list", "awkward.to_pylist", "numpy.apply_along_axis")
    return listed("uses", [name for call in calls(tree) if (name := called(call, known)) in hidden])


def unused_branches(tree: ast.Module) -> str:
    """Names that stand in BRANCHES itself and that the rest of the code never mentions.

    A piece of a name counts too, if the code puts names together (`f"photon_{quantity}"`).
    """
    assigned = [node for node in tree.body if _assigns(node, BRANCHES)]
    rest = ast.Module([node for node in tree.body if node not in assigned], [])
    if any(isinstance(n, ast.Name) and n.id == BRANCHES for n in ast.walk(rest)):
        return ""  # goes through them all
    texts = {n.value for n in literals(rest) if isinstance(n.value, str)}
    texts |= {n.attr for n in ast.walk(rest) if isinstance(n, ast.Attribute)}
    patterns = [re.compile(pattern) for pattern in _patterns(rest)]
    branches = [name for node in assigned for name in _elements(node)]
    unused = [
        name for name in branches
        if name not in texts and not any(p.fullmatch(name) for p in patterns)
    ]  # fmt: skip
    return listed("BRANCHES holds what is never used:", unused)


def _assigns(node: ast.stmt, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _elements(node: ast.stmt) -> Iterator[str]:
    """The texts that are listed there one by one (not those of a comprehension)."""
    value = getattr(node, "value", None)
    elements = value.elts if isinstance(value, ast.List | ast.Tuple) else []
    for element in elements:
        if isinstance(element, ast.Constant) and isinstance(element.value, str):
            yield element.value


def _patterns(tree: ast.Module) -> Iterator[str]:
    """Regular expressions of the names that are put together from a text and something else."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                re.escape(str(v.value)) if isinstance(v, ast.Constant) else ".*"
                for v in node.values
            )
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            for side, text in ((node.left, "{}.*"), (node.right, ".*{}")):
                if isinstance(side, ast.Constant) and isinstance(side.value, str):
                    yield text.format(re.escape(side.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = re.split(r"\{\}|%s", node.value)
            if len(parts) > 1:
                yield ".*".join(map(re.escape, parts))


def conversions(tree: ast.Module) -> str:
    """Divisions by 1000 and multiplications by 0.001."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp | ast.AugAssign):
            right = node.right if isinstance(node, ast.BinOp) else node.value
            sides = [right, node.left] if isinstance(node, ast.BinOp) else [right]
            divides = isinstance(node.op, ast.Div) and _is(right, 1000.0)
            scales = isinstance(node.op, ast.Mult) and any(_is(side, 0.001) for side in sides)
            if divides or scales:
                lines.append(node.lineno)
    return in_lines("converts units", sorted(lines))


def _is(node: ast.expr, number: float) -> bool:
    return isinstance(node, ast.Constant) and node.value == number


def rounded(product: Any, observable: str) -> str:
    """Whether every mass is a 4-byte number: then it was computed with such."""
    columns: Mapping[str, np.ndarray] = product.columns
    mass = columns[observable][np.isfinite(columns[observable])]
    if len(mass) < ENOUGH_ROWS or not np.array_equal(mass, mass.astype(np.float32)):
        return ""
    return f"all {len(mass)} values of {observable} have the digits of 4-byte numbers"
