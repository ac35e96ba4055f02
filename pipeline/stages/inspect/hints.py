"""Hints of inspect: the header of the file is enough, and files are closed."""

from __future__ import annotations

import ast

from pipeline.settings import Settings
from pipeline.stages.hints import everywhere, in_lines, listed
from pipeline.stages.syntax import calls, dotted, last_name
from pipeline.stages.trial import StageHint

READERS = frozenset(("array", "arrays", "iterate", "concatenate", "dask", "lazy"))


def hints(settings: Settings) -> tuple[StageHint, ...]:
    """The hints of inspect; the same for every channel."""
    return (
        StageHint(
            "header-only",
            "Read no event: `num_entries`, `branches` and `typename` are in the header.",
            in_code=reads_events,
        ),
        StageHint(
            "close-files", "Open files in a `with` statement.", in_code=left_open
        ),
        *everywhere("inspect"),
    )  # fmt: skip


def reads_events(tree: ast.Module) -> str:
    """Calls that read values of branches."""
    return listed("calls", [name for call in calls(tree) if (name := last_name(call)) in READERS])


def left_open(tree: ast.Module) -> str:
    """Files that are opened outside of a `with` statement."""
    managed = {
        id(item.context_expr)
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        for item in node.items
    }
    lines = [
        call.lineno
        for call in calls(tree)
        if dotted(call.func) in ("uproot.open", "open") and id(call) not in managed
    ]
    return in_lines("opens a file without `with`", lines)
