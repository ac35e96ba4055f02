"""Messages on the control channel: eight bytes of length, then a small JSON object."""

from __future__ import annotations

import json
import os
from typing import Any

HEADER = 8
MAX_FRAME = 1 << 18
"""Bytes of one message; anything large lies in the shared memory instead."""


class FramingError(ValueError):
    """Bytes that are not a message."""


def pack(message: dict[str, Any]) -> bytes:
    """One message as bytes."""
    body = json.dumps(message).encode()
    return len(body).to_bytes(HEADER, "little") + body


def unpack(buffer: bytes | bytearray) -> dict[str, Any] | None:
    """The message that `buffer` holds, None while it is incomplete; FramingError if it is none.

    Exactly one message may be there: the other end speaks once, when it is asked.
    """
    if len(buffer) < HEADER:
        return None
    length = int.from_bytes(buffer[:HEADER], "little")
    if length > MAX_FRAME:
        raise FramingError(f"expected a message of at most {MAX_FRAME} bytes, found {length}")
    if len(buffer) < HEADER + length:
        return None
    if len(buffer) > HEADER + length:
        raise FramingError(f"{len(buffer) - HEADER - length} bytes after the end of a message")
    try:
        message = json.loads(bytes(buffer[HEADER:]))
    except (ValueError, RecursionError) as error:
        raise FramingError(f"expected JSON, found {bytes(buffer[HEADER:][:80])!r}") from error
    if not isinstance(message, dict):
        raise FramingError(f"expected a JSON object, found {type(message).__name__}")
    return message


def receive(fd: int) -> dict[str, Any] | None:
    """Wait for one message on `fd`; None where the other end has closed it."""
    buffer = bytearray()
    while (message := unpack(buffer)) is None:
        missing = HEADER - len(buffer)
        if missing <= 0:
            missing += int.from_bytes(buffer[:HEADER], "little")
        data = os.read(fd, missing)
        if not data:
            return None
        buffer += data
    return message


def send(fd: int, message: dict[str, Any]) -> None:
    """Write one message to `fd`."""
    data = pack(message)
    while data:
        data = data[os.write(fd, data) :]
