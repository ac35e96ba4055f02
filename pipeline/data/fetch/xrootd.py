"""XRootD: a file from an offset on through the official client, and what each status means."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from executors.remote import xrootd_client
from pipeline.data.fetch.faults import MissingToolError, PassingFault, SourceFault
from pipeline.data.fetch.stream import BLOCK, Stream

LASTING = frozenset({3000, 3010, 3011, 3013, 3016, 3030})
"""Error numbers of the protocol that are the same the next time: invalid argument, not authorised,
not found, unsupported, a folder, authentication failed (XProtocol, XErrorCode)."""
NOT_FOUND = frozenset({3011})
_NOT_FOUND_HERE = 304
"""The client's own status for a file that no server has."""


def installed() -> bool:
    """Whether addresses that begin with root:// can be read here."""
    return importlib.util.find_spec("XRootD") is not None


@contextmanager
def opened(address: str, offset: int, timeout_s: float) -> Iterator[Stream]:
    """The bytes of `address` from `offset` on; see `open_stream`."""
    with _file(address, timeout_s) as (file, told):
        blocks = _blocks(file, offset, int(told.size), address, timeout_s)
        yield Stream(offset, int(told.size), blocks, version=str(told.modtime))


def size(address: str, timeout_s: float) -> int | None:
    """Bytes of `address` as the server says."""
    with _file(address, timeout_s) as (_, told):
        return int(told.size)


@contextmanager
def _file(address: str, timeout_s: float) -> Iterator[tuple[Any, Any]]:
    """The opened file of the client, and what the server says of it (its size, its last change)."""
    file = _client().File()
    _check(file.open(address, timeout=_whole(timeout_s))[0], address)
    try:
        status, told = file.stat(timeout=_whole(timeout_s))
        _check(status, address)
        yield file, told
    finally:
        file.close(timeout=_whole(timeout_s))


def _blocks(file: Any, offset: int, size: int, address: str, timeout_s: float) -> Iterator[bytes]:
    while offset < size:
        status, block = file.read(offset, min(BLOCK, size - offset), timeout=_whole(timeout_s))
        _check(status, address)
        if not block:
            return
        yield block
        offset += len(block)


def _check(status: Any, address: str) -> None:
    if status.ok:
        return
    number = int(status.errno or 0)
    said = f"{address}: {str(status.message).strip()}"
    if status.code == _NOT_FOUND_HERE or number in LASTING:
        absent = status.code == _NOT_FOUND_HERE or number in NOT_FOUND
        raise SourceFault(said, absent=absent)
    raise PassingFault(said)


def _whole(timeout_s: float) -> int:
    """The client's time-outs are whole seconds, and 0 means its own default."""
    return max(1, round(timeout_s))


def _client() -> Any:
    """The client's module; MissingToolError with the next step if it is not installed."""
    try:
        return xrootd_client()
    except ImportError as error:
        raise MissingToolError(str(error)) from error
