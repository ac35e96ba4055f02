"""When two spellings mean the same file: checksums and addresses, brought to one form."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from executors.base import is_remote
from pipeline.data.errors import ManifestError

SERVER = "root://eospublic.cern.ch"
ATLAS_FOLDER = "eos/opendata/atlas/"
_ADLER32 = re.compile(r"(?:adler32:?)?([0-9a-f]{1,8})", re.IGNORECASE)
_ROOT_FILE = re.compile(r"\.root(\.\d+)?$")


def normalise_adler32(text: Any) -> str:
    """Eight lower-case hex digits of a checksum as the portal and its records spell it.

    `adler32:29634ba7`, `adler32c3116579` and `37f48e7` (leading zero dropped) are all read.
    Raises ManifestError for anything else, such as no text.
    """
    match = _ADLER32.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ManifestError(f"expected an adler32 checksum of at most 8 hex digits, found {text!r}")
    return match[1].lower().zfill(8)


def format_adler32(value: int) -> str:
    """Eight lower-case hex digits of a checksum that `zlib.adler32` returned."""
    return f"{value & 0xFFFFFFFF:08x}"


def portal_path(uri: str) -> str:
    """The path of a file on the portal, e.g. `eos/opendata/atlas/…/data_A.4lep.root`.

    `root://eospublic.cern.ch//eos/…`, the same with `:1094`, and `https://opendata.cern.ch/eos/…`
    give the same path. A plain path comes back without its leading slash.
    """
    path = urlsplit(uri).path if is_remote(uri) else uri
    return path.lstrip("/")


def canonical_address(uri: str) -> str:
    """The one spelling of a file's address that manifests use: XRootD, without a port.

    Raises ManifestError for an address that is not of ATLAS on the portal.
    """
    path = portal_path(uri)
    if not path.startswith(ATLAS_FOLDER):
        raise ManifestError(
            f"expected the address of a file below /{ATLAS_FOLDER} on the portal, found {uri!r}"
        )
    return f"{SERVER}//{path}"


def split_address(uri: str) -> tuple[str, str]:
    """Folder (with the slash at its end) and name of an address."""
    folder, slash, name = uri.rpartition("/")
    return folder + slash, name


def is_root_file(uri: str) -> bool:
    """Whether a name is of a ROOT file: `.root`, or `.root.1` as production systems number them."""
    return _ROOT_FILE.search(uri) is not None


def basename(uri: str) -> str:
    """The file name at the end of an address."""
    return portal_path(uri).rsplit("/", 1)[-1]
