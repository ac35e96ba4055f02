"""The HTTP client under the SDK: what is sent is on a list, what comes back has a limit."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2
import openai

from agents.errors import EndpointError
from agents.secret import Secret

MAX_REPLY_BYTES = 10_000_000
"""Size of a response body past which reading stops; a long reply has some 100 kB."""
_SENT = frozenset(
    ("accept", "authorization", "connection", "content-length", "content-type", "host",
     "user-agent")
)  # fmt: skip


def http_client(secret: Secret | None, timeout_s: float, max_bytes: int) -> httpx2.Client:
    """An HTTP client for one endpoint.

    Requests carry the headers of a fixed list, and `secret` as bearer token, so that no variable
    of the environment (OPENAI_API_KEY, OPENAI_ORG_ID, OPENAI_CUSTOM_HEADERS) reaches a foreign
    server. Redirects are not followed: the key belongs to one address. A response body of more
    than `max_bytes`, or one that is still coming after `timeout_s`, ends in EndpointError.
    """

    def outgoing(request: httpx2.Request) -> None:
        for name in list(request.headers):
            if name.lower() not in _SENT:
                del request.headers[name]
        request.headers["accept-encoding"] = "identity"
        if secret is not None:
            request.headers["authorization"] = f"Bearer {secret.reveal()}"
        elif "authorization" in request.headers:
            del request.headers["authorization"]

    def incoming(response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise EndpointError(
                "bad_reply",
                "expected an uncompressed reply, as asked for, found content-encoding "
                f"{response.headers['content-encoding']!r}",
                transient=False,
            )
        if not isinstance(response.stream, httpx2.SyncByteStream):
            raise TypeError(f"expected a synchronous stream, found {type(response.stream)!r}")
        response.stream = BoundedStream(response.stream, max_bytes, timeout_s)

    return openai.DefaultHttpxClient(
        timeout=openai.Timeout(timeout_s, connect=min(10.0, timeout_s)),
        follow_redirects=False,
        event_hooks={"request": [outgoing], "response": [incoming]},
    )


class BoundedStream(httpx2.SyncByteStream):
    """A response body that may not be longer than `max_bytes` nor take longer than `timeout_s`."""

    def __init__(self, inner: httpx2.SyncByteStream, max_bytes: int, timeout_s: float) -> None:
        self._inner = inner
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s

    def __iter__(self) -> Iterator[bytes]:
        """The chunks of the body; EndpointError at the first one past a limit."""
        size = 0
        deadline = time.monotonic() + self._timeout_s
        for chunk in self._inner:
            size += len(chunk)
            if size > self._max_bytes:
                raise EndpointError(
                    "bad_reply",
                    f"expected a reply of at most {self._max_bytes} bytes, found more; reading "
                    "was stopped there",
                    transient=False,
                )
            if time.monotonic() > deadline:
                raise EndpointError(
                    "timeout",
                    f"expected the whole reply within {self._timeout_s:g} s of its beginning, "
                    f"found {size} bytes and no end",
                )
            yield chunk

    def close(self) -> None:
        """Give the connection back."""
        self._inner.close()
