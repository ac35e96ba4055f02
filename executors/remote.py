"""Files on the network, read where they are: only the byte ranges that are asked for."""

from __future__ import annotations

import importlib.util
import queue
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import fsspec
import uproot
from uproot.source.chunk import Chunk
from uproot.source.coalesce import coalesce_requests
from uproot.source.fsspec import FSSpecSource
from uproot.source.futures import TrivialFuture

CONNECT_S, READ_S = 15, 60
"""Seconds in which a server must take a connection, and send the next bytes."""
PASSING = frozenset({408, 425, 429})
"""Answers below 500 that may be another one later (RFC 9110, RFC 6585, RFC 8470)."""


class RangeError(OSError):
    """A server sent other bytes than were asked for."""


def open_remote(address: str) -> Any:
    """The ROOT file at an address, opened by uproot; raises what `is_passing_answer` tells apart.

    Every array is read once: a cache of arrays would only hold memory.
    """
    return uproot.open({address: None}, array_cache=None, handler=RangeSource, **_options(address))


def remote_bytes(address: str, start: int, stop: int) -> bytes:
    """The bytes [start, stop) of a remote file."""
    system, path = fsspec.core.url_to_fs(address, **_options(address))
    return bytes(_checked(system.cat_file(path, start=start, end=stop), start, stop, address))


def remote_size(address: str) -> int:
    """Bytes of a remote file as its server says; FileNotFoundError if there is none."""
    system, path = fsspec.core.url_to_fs(address, **_options(address))
    size = system.info(path)["size"]
    if size is None:
        raise RangeError(
            f"expected {address} to come with its size, found a server that does not tell it; "
            "take data.access=copy"
        )
    return int(size)


class RangeSource(FSSpecSource):  # type: ignore[misc]  # uproot ships no types
    """uproot's source over fsspec, which also sees what did not come.

    fsspec hands an error over in place of the bytes of a range, and a server that does not know
    ranges sends the whole file; uproot 5.7 takes both for what it asked for.
    """

    def chunk(self, start: int, stop: int) -> Chunk:
        """One range, now."""
        data = self._fs.cat_file(self._file_path, start=start, end=stop)
        return Chunk(self, start, stop, TrivialFuture(_checked(data, start, stop, self._file_path)))

    def chunks(
        self, ranges: Sequence[tuple[int, int]], notifications: queue.Queue[Chunk]
    ) -> list[Chunk]:
        """Many ranges, near ones in one request; they come while the caller goes on."""
        return list(
            coalesce_requests(
                ranges,
                lambda wanted: self._executor.submit(self._ranges(wanted)),
                self,
                notifications,
                config=self._coalesce_config,
            )
        )

    async def _ranges(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        starts, stops = (list(edge) for edge in zip(*ranges, strict=True))
        found = await self._fs._cat_ranges([self._file_path] * len(ranges), starts, stops)
        return [
            _checked(data, start, stop, self._file_path)
            for data, (start, stop) in zip(found, ranges, strict=True)
        ]


def is_passing_answer(error: BaseException) -> bool:
    """Whether an error of the network says that the same request may go well later."""
    aiohttp = sys.modules.get("aiohttp")
    if aiohttp is None:  # nobody has spoken HTTP, and it takes its time to import
        return False
    if isinstance(error, aiohttp.ClientResponseError):
        return bool(error.status >= 500 or error.status in PASSING)
    return isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError)


@cache
def xrootd_client() -> Any:
    """The official XRootD client; ImportError with the next step if it is not installed.

    Left alone it tries to reach a server for ten minutes, and whoever reads a chunk waits for it.
    """
    if importlib.util.find_spec("XRootD") is None:
        raise ImportError(
            "addresses that begin with root:// need the packages xrootd and fsspec-xrootd, found "
            "neither; install them with `pip install 'ladon-hep[xrootd]'`, or take https:// instead"
        )
    client: Any = importlib.import_module("XRootD.client")  # its types are half there
    client.EnvPutInt("ConnectionWindow", CONNECT_S)
    client.EnvPutInt("ConnectionRetry", 1)
    return client


def xrootd_fault(address: str) -> tuple[bool, str] | None:
    """Ask an XRootD server for a file's state: (is it gone for good, what it said); None if well.

    The errors of fsspec-xrootd are texts; the client's own status has numbers.
    """
    client = xrootd_client()
    where = client.URL(address)
    system = client.FileSystem(f"{where.protocol}://{where.hostid}")
    status, _ = system.stat(where.path, timeout=CONNECT_S)
    if status.ok:
        return None
    absent = status.code == _NOT_FOUND_HERE or status.errno in _LASTING
    return absent, str(status.message).strip()


_NOT_FOUND_HERE = 304
"""The client's own status for a file that no server has."""
_LASTING = frozenset({3000, 3010, 3011, 3013, 3016, 3030})
"""Errors of the protocol that stay: invalid argument, not authorised, not found, unsupported, a
folder, authentication failed (XProtocol, XErrorCode)."""


def _options(address: str) -> dict[str, Any]:
    if address.startswith("root:"):
        xrootd_client()
        return {}
    import aiohttp

    limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=READ_S)
    return {"client_kwargs": {"timeout": limits}}


def _checked(data: Any, start: int, stop: int, address: str) -> bytes:
    """The bytes of a range if they are what was asked for."""
    if isinstance(data, BaseException):
        raise data
    if len(data) != stop - start:
        raise RangeError(
            f"expected the bytes {start} to {stop} of {address}, found {len(data)}: the file is "
            "shorter than it should be, or the server does not know ranges; take data.access=copy"
        )
    return bytes(data)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what caused it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
