"""Protocols: an address opened or measured by whoever speaks its protocol."""

from __future__ import annotations

from contextlib import AbstractContextManager

from pipeline.data.fetch import http, xrootd
from pipeline.data.fetch.address import scheme
from pipeline.data.fetch.stream import TIMEOUT_S, Stream


def open_stream(
    address: str, offset: int = 0, timeout_s: float = TIMEOUT_S
) -> AbstractContextManager[Stream]:
    """The bytes of `address` from `offset` on.

    Raises PassingFault for what may go away and SourceFault for what does not, when it is opened
    or while it is read.
    """
    if scheme(address) == "root":
        return xrootd.opened(address, offset, timeout_s)
    return http.opened(address, offset, timeout_s)


def remote_size(address: str, timeout_s: float = TIMEOUT_S) -> int | None:
    """Bytes of a remote file without reading it; None if the source does not say.

    Raises what `open_stream` raises.
    """
    if scheme(address) == "root":
        return xrootd.size(address, timeout_s)
    return http.size(address, timeout_s)
