"""Addresses: where on the network a file of the portal can be had, and in which order to try."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from executors.base import is_remote
from pipeline.data.errors import LocationError
from pipeline.data.identity import portal_path

PORTAL = ("https://opendata.cern.ch", "root://eospublic.cern.ch")
"""The portal over HTTPS and over XRootD: the same paths below both."""


def addresses(uri: str, sources: Sequence[str]) -> tuple[str, ...]:
    """Where the file of a manifest's `uri` lies below each of `sources`, in their order."""
    return tuple(address(uri, source) for source in sources)


def address(uri: str, source: str) -> str:
    """The address of a file below one source, which has the portal's layout.

    XRootD takes an absolute path after the host, so its addresses have two slashes there.
    """
    base, path = source.rstrip("/"), portal_path(uri)
    if scheme(source) == "root":
        parts = urlsplit(base)
        below = parts.path.strip("/")
        return f"root://{parts.netloc}//{below + '/' if below else ''}{path}"
    return f"{base}/{quote(path)}"


def scheme(address: str) -> str:
    """`root`, `http` or `https`; LocationError for what cannot be read over the network."""
    found = urlsplit(address).scheme.lower()
    if found in ("davs", "dav"):  # WebDAV: reading is HTTP
        return "https" if found == "davs" else "http"
    if found not in ("root", "http", "https"):
        raise LocationError(
            f"expected an address that begins with https://, http:// or root://, found {address!r}"
        )
    return found


def _host(source: str) -> str:
    """The host of an address, with its port; nothing if there is none, or none that can be."""
    try:
        parts = urlsplit(source)
        return parts.netloc if parts.hostname and parts.port != 0 else ""
    except ValueError:  # a bracket that is left open, or a port that is no number up to 65535
        return ""


def check_sources(sources: Sequence[str]) -> tuple[str, ...]:
    """`sources` as they are; LocationError for one that is no address of a host."""
    for source in sources:
        if not is_remote(source) or not _host(source):
            raise LocationError(
                "expected an address with the portal's layout below it, such as "
                f"{PORTAL[0]} or {PORTAL[1]}, found {source!r}; check data.source and data.location"
            )
        scheme(source)
    return tuple(sources)
