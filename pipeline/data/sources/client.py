"""What the official client says: cross-sections, sums of weights and addresses of each dataset.

The client is `atlasopenmagic` (extra `manifests`). It reads `GET /datasets/count` and
`GET /datasets?release_name=…&skip=…&limit=…` of its service, and keys what it has read by number
and by short name; 2020 has up to three datasets of one number, which only the names tell apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipeline.data.errors import ManifestError
from pipeline.data.identity import portal_path

if TYPE_CHECKING:
    import requests

UNSKIMMED = "noskim"
"""The client's name of what it lists without a skim."""


@dataclass(frozen=True)
class Dataset:
    """One dataset as the client describes it."""

    number: str
    """DSID, or `data`."""
    short: str | None
    facts: dict[str, float | int | None]
    """By the names that a sample of the manifest has for them."""
    paths: dict[str, tuple[str, ...]]
    """Skim -> paths on the portal."""


def session_for(address: str) -> requests.Session:
    """The client's HTTP session: it tries again after 429, 500, 502, 503 and 504, with back-off.

    To a server of this machine it goes past any proxy. Raises ManifestError if the client is not
    installed.
    """
    try:
        from atlasopenmagic import metadata
    except ImportError as error:
        raise ManifestError(
            "building manifests needs the official client, which is not installed; install it "
            "with `pip install 'ladon-hep[manifests]'`"
        ) from error
    session: requests.Session = metadata.get_session()
    session.trust_env = urlsplit(address).hostname != "127.0.0.1"
    return session


def fetch_datasets(release: str, api: str) -> list[Dataset]:
    """All datasets of a release from the service at `api`.

    Raises ManifestError if the client is not installed or the service does not answer it.
    """
    session_for(api)
    import atlasopenmagic
    import requests
    from atlasopenmagic import metadata

    atlasopenmagic.set_verbosity("error")
    metadata.API_BASE_URL = api
    metadata.RELEASES_DESC.setdefault(release, ("",))
    try:
        metadata.empty_metadata()
        atlasopenmagic.set_release(release)
        found = atlasopenmagic.get_all_metadata()
    except (requests.RequestException, ValueError) as error:
        raise ManifestError(
            f"expected the datasets of release {release} from {api}, found {error}; check the "
            "address and the network, and try again"
        ) from error
    return sorted(
        (_dataset(d) for d in _once(found.values())), key=lambda d: (d.number, d.short or "")
    )


def _once(described: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each dataset once: the client holds the same one below its number and below its name."""
    return list({(str(d["dataset_number"]), d.get("physics_short")): d for d in described}.values())


def _dataset(plain: dict[str, Any]) -> Dataset:
    listed = {s["skim_type"]: s["file_list"] for s in plain.get("skims") or ()}
    if plain.get("file_list"):
        listed[UNSKIMMED] = plain["file_list"]
    return Dataset(
        number=str(plain["dataset_number"]),
        short=plain.get("physics_short"),
        facts={
            "cross_section_pb": _number(plain, "cross_section_pb"),
            "filter_efficiency": _number(plain, "genFiltEff"),
            "k_factor": _number(plain, "kFactor"),
            "sum_of_weights": _number(plain, "sumOfWeights"),
            "sum_of_weights_squared": _number(plain, "sumOfWeightsSquared"),
            "n_events": _whole(plain, "nEvents"),
        },
        paths={skim: tuple(portal_path(u) for u in urls) for skim, urls in listed.items()},
    )


def _number(plain: dict[str, Any], key: str) -> float | None:
    value = plain.get(key)
    return None if value is None else float(value)


def _whole(plain: dict[str, Any], key: str) -> int | None:
    value = _number(plain, key)
    return None if value is None else int(value)
