"""What the host is told about an exception: kind, type, message, line and a readable traceback."""

from __future__ import annotations

import errno
import os
import traceback
from typing import Any

from .audit import SandboxViolation

MAX_MESSAGE = 4_000
MAX_TRACEBACK = 16_000

LIMIT_ERRORS = {
    errno.EFBIG: "larger than a file may be",
    errno.ENOSPC: "no space left in the writable folder",
    errno.EDQUOT: "no space left in the writable folder",
    errno.EROFS: "not in a writable folder",
    errno.EACCES: "not allowed",
    errno.EPERM: "not allowed",
    errno.EAGAIN: "as many processes as the limit allows",
    errno.ENETUNREACH: "there is no network",
}
"""System errors that are the sandbox's walls, and which wall each is."""


def describe(error: BaseException, solution: str, folders: list[str]) -> dict[str, Any]:
    """The exception as plain data; frames before the `solution` file and ours are left out.

    `folders` are cut from the paths, so that the text is the same on every machine.
    """
    kind, message = "exception", _message(error)
    if isinstance(error, MemoryError):
        kind = "memory"
    elif isinstance(error, SandboxViolation):
        kind = "violation"
    elif isinstance(error, OSError) and error.errno in LIMIT_ERRORS:
        kind, message = "violation", f"{message} (sandbox: {LIMIT_ERRORS[error.errno]})"
    own = os.path.dirname(__file__)
    frames = [f for f in traceback.extract_tb(error.__traceback__)
              if not f.filename.startswith(own + "/")]  # fmt: skip
    while frames and frames[0].filename != solution:
        del frames[0]
    line = next((f.lineno for f in reversed(frames) if f.filename == solution), None)
    if isinstance(error, SyntaxError) and error.filename == solution:
        line = error.lineno
    head = "Traceback (most recent call last):\n" if frames else ""
    last = "".join(traceback.format_exception_only(error))
    text = head + "".join(traceback.format_list(frames)) + last
    for folder in folders:
        text = text.replace(folder.rstrip("/") + "/", "")
    return {
        "kind": kind,
        "type": type(error).__name__[:200],
        "message": message[:MAX_MESSAGE],
        "traceback": text[-MAX_TRACEBACK:],
        "line": line,
    }


def _message(error: BaseException) -> str:
    """The exception's own text, also where its class cannot write one."""
    name, _, text = traceback.format_exception_only(error)[-1].rstrip("\n").partition(": ")
    return text or name
