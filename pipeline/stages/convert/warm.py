"""Solutions of convert that stay loaded in a worker, from one chunk to the next."""

from __future__ import annotations

import atexit
import contextlib
import threading
from pathlib import Path
from types import ModuleType

from executors.base import TaskError
from pipeline.files import sha256_file
from pipeline.stages.convert.contract import CONTRACT
from pipeline.stages.jail import Jail

_Key = tuple[str, str, int]
_open: dict[_Key, tuple[contextlib.ExitStack, ModuleType]] = {}
"""Per file, hash and thread: a sandbox dies with the thread that opened it."""


def loaded(path: str, sha256: str, jail: Jail) -> ModuleType:
    """The solution at `path`, loaded once per thread; it must still be the frozen one.

    Loaded again where its process was ended. ContractError where it cannot be loaded; TaskError,
    which blames no solution, where it is another than the one that was frozen.
    """
    key = (path, sha256, threading.get_ident())
    if key in _open and not _open[key][1].alive:
        _open.pop(key)[0].close()
    if key not in _open:
        found = sha256_file(path)
        if found != sha256:
            raise TaskError(
                "internal",
                f"expected the frozen solution {sha256[:12]} at {Path(path).name}, found "
                f"{found[:12]}; it was changed while it ran: start the run again under another "
                "run.name",
            )
        stack = contextlib.ExitStack()
        module = stack.enter_context(jail.opened(Path(path), CONTRACT.defines))
        _open[key] = (stack, module)
    return _open[key][1]


@atexit.register
def _close_all() -> None:
    while _open:
        _open.popitem()[1][0].close()
