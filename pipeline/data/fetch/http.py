"""HTTP and HTTPS: a file from an offset on by a range request, and what each answer means."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache

import httpx2

from pipeline.data.fetch.faults import MissingToolError, PassingFault, SourceFault
from pipeline.data.fetch.stream import BLOCK, Stream

PASSING = frozenset({408, 425, 429})
"""Answers below 500 that may be another one later (RFC 9110, RFC 6585, RFC 8470)."""
ABSENT = frozenset({404, 410})
_CONTENT_RANGE = re.compile(r"bytes\s+(\d+)-(\d+)/(\d+|\*)")
WAIT_S = 0.5
"""Longest that bytes which have come wait for more: whoever is told to stop looks in between."""
_ONE = threading.Lock()
_UNSATISFIED = re.compile(r"bytes\s+\*/(\d+)")


def _client() -> httpx2.Client:
    """The one client of this process: it keeps connections, and may be used by many threads.

    Raises MissingToolError if the proxy that the environment names needs a package.
    """
    with _ONE:  # two threads that ask at once would make two
        try:
            return _made()
        except ImportError as error:
            raise MissingToolError(
                "expected a proxy that speaks HTTP in ALL_PROXY, HTTP_PROXY or HTTPS_PROXY, found "
                "a SOCKS one, which needs the package socksio; install it with `pip install "
                "socksio`, or unset the variable"
            ) from error


@cache
def _made() -> httpx2.Client:
    return httpx2.Client(
        follow_redirects=True,
        headers={"User-Agent": "ladon", "Accept-Encoding": "identity"},
        limits=httpx2.Limits(max_connections=None),
    )


def close() -> None:
    """Close the connections that were kept; the next request opens new ones."""
    with _ONE:
        if _made.cache_info().currsize:
            _made().close()
            _made.cache_clear()


@contextmanager
def opened(address: str, offset: int, timeout_s: float) -> Iterator[Stream]:
    """The bytes of `address` from `offset` on; see `open_stream`."""
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    with (
        _faults(address),
        _client().stream("GET", address, headers=headers, timeout=timeout_s) as answer,
    ):
        if answer.status_code == 416 and _all_there(answer, offset):
            yield Stream(offset, offset, iter(()), _version(answer))
            return
        _check_status(answer, address)
        begin, size = _extent(answer, offset, address)
        yield Stream(begin, size, _blocks(answer), _version(answer))


def _blocks(answer: httpx2.Response) -> Iterator[bytes]:
    """The bytes of an answer in large blocks; on a slow line in what comes within `WAIT_S`.

    What has come before a connection breaks is not lost.
    """
    block, since = bytearray(), time.monotonic()
    try:
        for piece in answer.iter_raw():
            block += piece
            if len(block) >= BLOCK or time.monotonic() - since >= WAIT_S:
                yield bytes(block)
                block, since = bytearray(), time.monotonic()
    except httpx2.TransportError:
        if block:
            yield bytes(block)
        raise
    if block:
        yield bytes(block)


def _version(answer: httpx2.Response) -> str | None:
    """The entity tag, else the time of the last change (RFC 9110, 8.8)."""
    return answer.headers.get("ETag") or answer.headers.get("Last-Modified")


def size(address: str, timeout_s: float) -> int | None:
    """Bytes of `address` as the server says; None if it does not."""
    with _faults(address):
        answer = _client().head(address, timeout=timeout_s)
        _check_status(answer, address)
        return _length(answer)


@contextmanager
def _faults(address: str) -> Iterator[None]:
    """What the client raises, as what it means for the transfer."""
    try:
        yield
    except httpx2.TooManyRedirects as error:
        raise SourceFault(f"{address} redirects without end") from error
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
        raise SourceFault(f"{address} leads to no address of the web ({error})") from error
    except httpx2.TimeoutException as error:
        raise PassingFault(f"{address} did not answer in time") from error
    except httpx2.TransportError as error:
        raise PassingFault(f"the connection to {address} failed ({error})") from error


def _check_status(answer: httpx2.Response, address: str) -> None:
    status = answer.status_code
    if status in (200, 206):
        return
    said = f"{address} answered {status} {answer.reason_phrase}".strip()
    if status in PASSING or status >= 500:
        raise PassingFault(said, retry_after(answer.headers.get("Retry-After")))
    raise SourceFault(said, absent=status in ABSENT)


def retry_after(text: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a `Retry-After` asks for, given as seconds or as a date; None if it does not."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)  # the old form names no zone
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


def _extent(answer: httpx2.Response, offset: int, address: str) -> tuple[int, int | None]:
    """Where the bytes of an answer begin, and the size of the whole file."""
    if answer.status_code == 200:
        return 0, _length(answer)
    told = answer.headers.get("Content-Range", "")
    match = _CONTENT_RANGE.fullmatch(told.strip())
    if match is None or int(match[1]) != offset:
        raise SourceFault(
            f"{address} was asked for the bytes from {offset} on and answered with {told!r}"
        )
    return offset, None if match[3] == "*" else int(match[3])


def _all_there(answer: httpx2.Response, offset: int) -> bool:
    """Whether nothing comes from `offset` on because the file ends there."""
    match = _UNSATISFIED.fullmatch(answer.headers.get("Content-Range", "").strip())
    return match is not None and int(match[1]) == offset > 0


def _length(answer: httpx2.Response) -> int | None:
    told = answer.headers.get("Content-Length")
    return int(told) if told is not None and told.isdecimal() else None
