"""Reading a candidate's syntax tree: dotted names, calls, literals, loops over an argument."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

Loop = ast.For | ast.AsyncFor | ast.While | ast.comprehension
_NAMES_ONLY = frozenset(("items", "keys", "values", "fields"))
"""Attributes that give names or columns: a loop over them is not one over events."""

_COLLECTIONS = (
    ast.Dict, ast.List, ast.Tuple, ast.Set, ast.Lambda, ast.DictComp, ast.ListComp, ast.SetComp,
    ast.GeneratorExp,
)  # fmt: skip


def dotted(node: ast.AST) -> str:
    """`np.random.rand` for such an expression; empty for what is no dotted name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def last_name(call: ast.Call) -> str:
    """The last part of what is called: `fit` for `model.fit(x)` and for `fit(x)`."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """All calls."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def full_names(tree: ast.AST) -> dict[str, str]:
    """Local name -> what was imported under it: `np` -> `numpy`, `rand` -> `numpy.random.rand`."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return known


def called(call: ast.Call, known: dict[str, str]) -> str:
    """The full name of what is called, its imports resolved; empty for a method of a value."""
    name = dotted(call.func)
    first, dot, rest = name.partition(".")
    return f"{known[first]}{dot}{rest}" if first in known else name if not dot else ""


def modules(tree: ast.AST) -> list[str]:
    """The modules that are imported, in the order of the text; a relative import is `.name`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append("." * node.level + (node.module or ""))
    return found


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword argument, if it is given."""
    return next((k.value for k in call.keywords if k.arg == name), None)


def literals(tree: ast.AST) -> list[ast.Constant]:
    """All constants but docstrings and other texts that stand alone."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in alone]


def words(tree: ast.AST) -> set[str]:
    """Every name, attribute, keyword and text (but no docstring) in a piece of code."""
    found = {n.value for n in literals(tree) if isinstance(n.value, str)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.keyword) and node.arg:
            found.add(node.arg)
    return found


def parameters(tree: ast.AST, function: str) -> list[str]:
    """The names of a function's arguments; none if there is no such function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return _arguments(node)
    return []


def _arguments(function: ast.FunctionDef) -> list[str]:
    return [a.arg for a in (*function.args.posonlyargs, *function.args.args)]


def loops(tree: ast.AST) -> Iterator[tuple[Loop, int, ast.expr]]:
    """Every loop and comprehension: its node, its line, and what it runs over (or tests)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.AsyncFor):
            yield node, node.lineno, node.iter
        elif isinstance(node, ast.While):
            yield node, node.lineno, node.test
        elif isinstance(node, ast.comprehension):
            yield node, node.iter.lineno, node.iter


def loops_over(tree: ast.Module, argument: str) -> list[int]:
    """Lines of loops over `argument`, over what is taken from it, or as often as it is long.

    `argument` is a name, in every function that gets it. Values computed from it count too, if
    they are put under a name; dictionaries, and loops over names of columns, do not.
    """
    outer = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    found: set[int] = set()
    for function in outer:
        inner = [n for n in ast.walk(function) if isinstance(n, ast.FunctionDef)]
        if any(argument in _arguments(each) for each in inner):
            found |= _lines_over(function, argument)
    return sorted(found)


def _lines_over(function: ast.FunctionDef, argument: str) -> set[int]:
    tainted = {argument}
    assignments = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
    for node in sorted(assignments, key=lambda n: n.lineno):
        if _comes_from(node.value, tainted):
            for target in node.targets:
                tainted |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
    return {
        line
        for _, line, over in loops(function)
        if not _of_own_function(over) and _comes_from(over, tainted)
    }


def _of_own_function(node: ast.expr) -> bool:
    """A call of a function that is none of Python's own: what it gives, only running it shows."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return False
    return not hasattr(builtins, node.func.id)


def _comes_from(expression: ast.AST, tainted: set[str]) -> bool:
    """Whether an expression is computed from a tainted name, and is no collection of such."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and node.id in tainted:
            return True
        if isinstance(node, _COLLECTIONS):
            continue
        if isinstance(node, ast.Attribute) and node.attr in _NAMES_ONLY:
            continue
        if isinstance(node, ast.Call) and last_name(node) in _NAMES_ONLY:
            continue
        waiting += ast.iter_child_nodes(node)
    return False
