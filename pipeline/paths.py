"""Where the files live that come with Ladon but are not code: `conf` and `data_manifests`."""

from __future__ import annotations

import sys
from pathlib import Path


class ResourceError(FileNotFoundError):
    """A folder that comes with Ladon is not where it should be."""


def resource(name: str) -> Path:
    """The folder (or file) `name` of this checkout, else of the installed distribution.

    Raises ResourceError if it is in neither place.
    """
    checkout = Path(__file__).resolve().parent.parent / name
    installed = Path(sys.prefix) / "share" / "ladon" / name
    for path in (checkout, installed):
        if path.exists():
            return path
    raise ResourceError(
        f"expected {name!r} in {checkout} or {installed}, found it in neither; "
        "run Ladon from its checkout, or install it again"
    )
