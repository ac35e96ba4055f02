"""How calls that gave no value are named: from an answer, or from how a process ended."""

from __future__ import annotations

import signal
from typing import Any

from executors.sandbox.base import SandboxResult, Status
from executors.sandbox.inside.audit import MAX_KEPT
from executors.sandbox.inside.report import MAX_MESSAGE, MAX_TRACEBACK

EXIT_CHANNEL = 70
"""`inside.__main__.EXIT_CHANNEL`: the program inside found the channel spoiled."""
FROM_WORKER: tuple[Status, ...] = ("exception", "memory", "violation")
"""What a worker may say of a call; everything else the host sees for itself."""
FATAL: tuple[Status, ...] = ("timeout", "cpu", "killed", "output_limit", "protocol")
"""After these there is no worker any more; after the others only if the watchdog ended it."""


def protocol(found: str) -> SandboxResult:
    """The channel carried something else than an answer."""
    return SandboxResult(
        "protocol", message=f"expected one answer on the sandbox's channel, found: {found}"
    )


def ended(code: int) -> SandboxResult:
    """The process ended by itself, with `code` as subprocess counts (negative: a signal).

    bubblewrap's first process reports a signal as 128 plus its number.
    """
    if code == EXIT_CHANNEL:
        return protocol("a channel that the solution closed or wrote to")
    number = -code if code < 0 else code - 128
    if number in set(signal.Signals):
        name = signal.Signals(number).name
        status: Status = "cpu" if number == signal.SIGXCPU else "killed"
        message = f"the process was ended by signal {number} ({name})"
        return SandboxResult(status, exit_code=code, signal=number, message=message)
    return SandboxResult(
        "killed",
        exit_code=code,
        message=f"the process ended with exit code {code} instead of returning a result",
    )


def reported(frame: dict[str, Any]) -> SandboxResult:
    """The worker says that the solution raised; what it says is cut to size and not believed."""
    error = frame.get("error")
    if not isinstance(error, dict) or error.get("kind") not in FROM_WORKER:
        return protocol(f"an answer without result or error: {str(frame)[:200]}")
    line = error.get("line")
    kind: Status = error["kind"]
    return SandboxResult(
        kind,
        exception_type=_text(error.get("type"), 200),
        message=_text(error.get("message"), MAX_MESSAGE),
        traceback=_text(error.get("traceback"), MAX_TRACEBACK),
        line=line if isinstance(line, int) and not isinstance(line, bool) else None,
        violations=attempts(frame),
    )


def attempts(frame: dict[str, Any]) -> tuple[str, ...]:
    """Forbidden things that the worker says were tried."""
    found = frame.get("violations")
    if not isinstance(found, list):
        return ()
    return tuple(_text(item, 200) for item in found[:MAX_KEPT])


def _text(value: Any, most: int) -> str:
    return str(value)[:most] if isinstance(value, str) else ""
