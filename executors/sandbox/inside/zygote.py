"""The zygote: it has imported the packages, and copies of it go into sandboxes that are empty.

A fresh Python takes seconds to import what an analysis needs; a copy has it. A copy joins the
namespaces that bubblewrap made, gives up every privilege, and goes on as a fresh worker would: no
solution ever ran in the process that it is a copy of.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from . import limits

PACKAGES = (
    "numpy", "pandas", "pyarrow", "pyarrow.compute", "awkward", "uproot", "threadpoolctl",
    "scipy.stats", "scipy.special", "scipy.optimize", "sklearn.ensemble", "sklearn.linear_model",
    "sklearn.metrics", "sklearn.model_selection", "sklearn.pipeline", "sklearn.preprocessing",
)  # fmt: skip
"""What solutions import; what is not installed is left out."""
MOST = 1 << 16
"""Bytes of a request."""
FILES = ("control", "input", "output", "stdout", "stderr", "status")
"""Open files that come with a request, before those of the namespaces."""
MOST_FILES = 4096
PR_CAPBSET_DROP = 24
LAST_CAPABILITY = 63
"""More than the kernel has: it refuses those that are not there."""


def serve(channel: int, begin: Callable[[dict[str, Any]], None]) -> None:
    """Make a copy for each request until nobody is left who could ask; `begin` is its work."""
    from . import audit, decoding, encoding, formulas, framing, report, seccomp  # noqa: F401

    limits.die_with(os.getppid())  # bubblewrap, which dies with ours
    for name in PACKAGES:
        with suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is shared with the copies is not touched by their collectors
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those
    asking = socket.socket(fileno=channel)
    while True:
        message, files, _, _ = socket.recv_fds(asking, MOST, 16)
        if not message:
            return
        if os.fork() == 0:
            asking.close()
            try:
                _send(json.loads(message), files, begin)
            finally:
                os._exit(1)  # whatever happened: it must not go on as a second zygote
        for file in files:
            os.close(file)


def _send(setup: dict[str, Any], files: list[int], begin: Callable[[dict[str, Any]], None]) -> None:
    """In a child of the zygote: send a process into the namespaces, and say which it is."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    named = dict(zip(FILES, files, strict=False))
    for namespace in files[len(FILES) :]:
        _system("setns", namespace, 0)
    keeper = os.fork()
    if keeper == 0:
        _keep(setup, named, begin)
    _tell(named["status"], keeper)
    os.closerange(0, MOST_FILES)
    os.waitpid(keeper, 0)  # where nobody else would: not every machine's first process does
    os._exit(0)


def _keep(
    setup: dict[str, Any], named: dict[str, int], begin: Callable[[dict[str, Any]], None]
) -> NoReturn:
    """In the sandbox, as a user that a solution cannot signal: make the worker, say how it ends."""
    worker = os.fork()
    if worker == 0:
        _enter(setup, named, begin)
    for name in FILES[:-1]:
        os.close(named[name])
    limits.drop_privileges(setup["keeper"])
    _, ended = os.waitpid(worker, 0)
    _tell(named["status"], os.waitstatus_to_exitcode(ended))
    os._exit(0)


def _enter(
    setup: dict[str, Any], named: dict[str, int], begin: Callable[[dict[str, Any]], None]
) -> NoReturn:
    """In the sandbox: what bubblewrap does for a program that it starts, then the worker's work."""
    code = 1
    try:
        os.setsid()
        os.chdir(setup["folder"])
        os.environ["PWD"] = setup["folder"]
        os.dup2(named["stdout"], 1)
        os.dup2(named["stderr"], 2)
        for capability in range(LAST_CAPABILITY + 1):
            with suppress(OSError):
                _system("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0)
        _forget_seeds()
        begin(setup | {name: named[name] for name in ("control", "input", "output")})
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001  (the interpreter's own last words)
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code)


def _forget_seeds() -> None:
    """Draw another state for numpy's old generator: copies must not share their surprises.

    Python's own generator does it by itself after a fork. A solution that forgot to seed must be
    seen to give something else each time.
    """
    import numpy as np

    np.random.seed()  # noqa: NPY002  (it is the old generator's state that a fork repeats)


def _tell(status: int, number: int) -> None:
    with suppress(OSError):  # nobody listens any more
        os.write(status, b"%d\n" % number)


def _system(name: str, *arguments: int) -> None:
    c = ctypes.CDLL(None, use_errno=True)
    if getattr(c, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}{arguments}: {os.strerror(number)}")
