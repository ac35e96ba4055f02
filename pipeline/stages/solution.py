"""Loading a frozen solution: one module that defines what its contract says."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from pipeline.stages.contract import ContractError


class SolutionLoadError(ContractError):
    """A solution cannot be imported: a syntax error, a missing module, a fault at import."""


def load_solution(path: Path, defines: Mapping[str, tuple[str, ...] | None]) -> ModuleType:
    """Import the module at `path` and check that it defines the names of `defines`.

    `defines` maps a name to the positional arguments of the function, or to None for a plain
    value. Raises SolutionLoadError if it cannot be imported and ContractError if a name is missing
    or takes other arguments.
    """
    name = f"ladon_solution_{abs(hash(str(path.resolve())))}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SolutionLoadError(f"expected a Python module, found {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # a solution's folder holds what its record lists, nothing else
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise SolutionLoadError(
            f"the solution cannot be imported: {type(error).__name__}: {error}"
        ) from error
    finally:
        sys.dont_write_bytecode = before
    for expected, arguments in defines.items():
        _check(module, expected, arguments)
    return module


def _check(module: ModuleType, name: str, arguments: tuple[str, ...] | None) -> None:
    if not hasattr(module, name):
        raise ContractError(f"expected the solution to define {name!r}, found no such name")
    if arguments is None:
        return
    function = getattr(module, name)
    if not callable(function):
        raise ContractError(f"expected {name!r} to be a function, found {type(function).__name__}")
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        raise ContractError(
            f"expected {name}({', '.join(arguments)}), found {name}{inspect.signature(function)}"
        ) from error
