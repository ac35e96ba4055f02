"""The step server's process: it imports what steps need, and makes a copy of itself for each.

One thread and one loop: nothing may run beside a fork. See `pipeline.step_server`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from executors.parent import die_with_parent
from executors.sandbox import zygote

STEPS = tuple(
    f"pipeline.steps.{name}"
    for name in ("adopt", "solve", "convert_part", "execute", "judge", "collect")
)
MOST = 65536
"""Bytes of a request."""


@dataclass(frozen=True)
class Child:
    """A step at work, and the connection of the one that waits for it."""

    pid: int
    asker: socket.socket


def preload() -> None:
    """Import the steps and all that they import late, and find the sandbox of this machine."""
    import executors.sandbox
    import pipeline.stages

    names = [m.name for m in pkgutil.walk_packages(pipeline.stages.__path__, "pipeline.stages.")]
    for name in (*STEPS, "executors.local", *(n for n in names if not n.endswith("tabpfn"))):
        importlib.import_module(name)
    with suppress(executors.sandbox.SandboxUnavailableError):
        executors.sandbox.strongest(executors.sandbox.Limits())  # what it finds is remembered


def listen(place: str) -> socket.socket:
    """The socket at `place`: whoever asks before all is imported waits in its queue."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(place)
    listening.listen(128)
    return listening


def serve(listening: socket.socket) -> None:
    """Answer until this process is told to end."""
    ended, noticed = os.pipe()
    os.set_blocking(noticed, False)
    signal.set_wakeup_fd(noticed)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    waiting = selectors.DefaultSelector()
    waiting.register(listening, selectors.EVENT_READ)
    waiting.register(ended, selectors.EVENT_READ)
    children: dict[int, Child] = {}
    while True:
        for key, _ in waiting.select():
            if key.fileobj is listening:
                child = _begin(listening)
                if child is not None:
                    children[child.pid] = child
                    waiting.register(child.asker, selectors.EVENT_READ, child)
            elif key.fileobj == ended:
                os.read(ended, 4096)
            elif key.data is not None:  # the asker is gone
                waiting.unregister(key.fileobj)
                with suppress(ProcessLookupError):
                    os.killpg(key.data.pid, signal.SIGKILL)
        for pid, status in _ended():
            child = children.pop(pid)
            with suppress(KeyError):
                waiting.unregister(child.asker)
            with suppress(OSError):
                code = os.waitstatus_to_exitcode(status)
                child.asker.sendall(str(code if code >= 0 else 128 - code).encode())
            child.asker.close()


def _begin(listening: socket.socket) -> Child | None:
    """Fork a child for the next request; None where nothing came."""
    asker, _ = listening.accept()
    message, streams, _, _ = socket.recv_fds(asker, MOST, 2)
    while message and not message.endswith(b"\n") and (more := asker.recv(MOST)):
        message += more
    if not message or len(streams) != 2:
        asker.close()
        return None
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(json.loads(message), streams, parent)
    with suppress(OSError):
        os.setpgid(pid, pid)  # both do it: whoever comes first
    for stream in streams:
        os.close(stream)
    return Child(pid, asker)


def _become(asked: dict[str, object], streams: list[int], parent: int) -> NoReturn:
    """In the child: run the step as `python -m` would."""
    code = 1
    try:
        die_with_parent(parent)
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for own, stream in zip((1, 2), streams, strict=True):
            os.dup2(stream, own)
        asking = zygote.channel()
        kept = 2 if asking is None else asking.fileno()
        os.closerange(3, max(3, kept))
        os.closerange(kept + 1, 4096)
        os.chdir(str(asked["folder"]))
        step = [str(word) for word in asked["step"]]  # type: ignore[attr-defined]
        sys.argv = step
        runpy.run_module(step[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  (the interpreter's own last words)
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _ended() -> list[tuple[int, int]]:
    found = []
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            found.append((pid, status))
    return found


if __name__ == "__main__":
    asked = listen(sys.argv[1])
    if "--zygote" in sys.argv:
        zygote.begin()  # it loads its packages while we load ours
    preload()
    gc.collect()
    gc.freeze()  # what is shared with the children is not touched by their collectors
    serve(asked)
