"""The source of a solution, read before any of it runs: is it Python, does it define enough."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from pipeline.stages.contract import COLUMNS, ContractError
from pipeline.stages.solution import SolutionLoadError

Definitions = Mapping[str, tuple[str, ...] | None]


def parsed(source: str) -> ast.Module:
    """The syntax tree of a solution; SolutionLoadError, with the line, where it is not Python."""
    try:
        return ast.parse(source)
    except (RecursionError, MemoryError):  # what the parser says of an expression without end
        raise SolutionLoadError(
            "the solution cannot be imported: SyntaxError: an expression is nested too deeply"
        ) from None
    except (SyntaxError, ValueError) as error:
        where = f" (line {error.lineno})" if isinstance(error, SyntaxError) else ""
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise SolutionLoadError(
            f"the solution cannot be imported: {type(error).__name__}: {said}{where}"
        ) from error


def check_definitions(tree: ast.Module, defines: Definitions) -> None:
    """ContractError unless the module defines these names, functions with these arguments.

    A name that is imported or assigned is taken as it is: only calling it shows what it is.
    """
    functions = {
        node.name: node.args
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    bound = _bound(tree)
    for name, arguments in defines.items():
        if name not in functions and name not in bound:
            raise ContractError(f"expected the solution to define {name!r}, found no such name")
        if arguments is not None and name in functions:
            _check_arguments(name, arguments, functions[name])


def with_optional(tree: ast.Module, defines: Definitions) -> Definitions:
    """`defines` with the name that a solution may define, where this one does."""
    return {**defines, COLUMNS: None} if COLUMNS in _bound(tree) else defines


def _bound(tree: ast.Module) -> set[str]:
    """Names that the module assigns, imports or defines outside of functions."""
    found = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        if isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        waiting.extend(ast.iter_child_nodes(node))
    return found


def _check_arguments(name: str, wanted: tuple[str, ...], found: ast.arguments) -> None:
    positional = [*found.posonlyargs, *found.args]
    required = len(positional) - len(found.defaults)
    keyword_only = [
        argument.arg
        for argument, default in zip(found.kwonlyargs, found.kw_defaults, strict=True)
        if default is None
    ]
    fits = required <= len(wanted) and (len(wanted) <= len(positional) or found.vararg is not None)
    if not fits or keyword_only:
        names = [argument.arg for argument in (*positional, *found.kwonlyargs)]
        raise ContractError(
            f"expected {name}({', '.join(wanted)}), found {name}({', '.join(names)})"
        )
