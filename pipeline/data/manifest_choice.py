"""The manifest that settings choose: the release's own, or the file that `data.manifest` names."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.data.errors import ManifestError
from pipeline.data.manifest import Manifest, load_manifest, manifest_path, manifest_sha256
from pipeline.data.manifest_form import read_manifest
from pipeline.data.run_index import with_indexes
from pipeline.data_settings import DataSettings
from pipeline.files import sha256_file


def chosen_manifest(data: DataSettings) -> Manifest:
    """The manifest of `data`; ManifestError if it is missing, not valid, or of another release.

    Runs whose index is in the user's folder come with their files, whichever manifest is chosen.
    """
    if data.manifest is None:
        return load_manifest(data.release)
    return _resolved(data.manifest, data.release)


def written_manifest(data: DataSettings) -> Manifest:
    """The chosen manifest as it is written, without run indexes that were fetched.

    For whoever fetches those: one that is damaged must not keep from fetching it again.
    """
    if data.manifest is None:
        return read_manifest(manifest_path(data.release))
    return _other(data.manifest, data.release)


def chosen_path(data: DataSettings) -> Path:
    """The file of the chosen manifest."""
    return manifest_path(data.release) if data.manifest is None else Path(data.manifest)


def chosen_sha256(data: DataSettings) -> str:
    """SHA-256 of the file of the chosen manifest, for the provenance of results."""
    if data.manifest is None:
        return manifest_sha256(data.release)
    try:
        return sha256_file(data.manifest)
    except FileNotFoundError as error:
        raise _absent(data.manifest) from error


def labelled(plain: dict[str, Any]) -> dict[str, Any]:
    """Plain settings of data, with what their manifest says of its files: real or synthetic."""
    path, release = plain.get("manifest"), plain.get("release")
    other = None if path is None else _other(str(path), str(release))
    return plain | {"synthetic_manifest": other is not None and other.synthetic}


@lru_cache
def _resolved(path: str, release: str) -> Manifest:
    return with_indexes(_other(path, release))


@lru_cache
def _other(path: str, release: str) -> Manifest:
    if not Path(path).is_file():
        raise _absent(path)
    manifest = read_manifest(Path(path))
    if manifest.release != release:
        raise ManifestError(
            f"expected a manifest of release {release} at data.manifest={path}, found one of "
            f"{manifest.release}; choose the data= that belongs to it"
        )
    return manifest


def _absent(path: str) -> ManifestError:
    return ManifestError(
        f"expected a manifest at data.manifest={path}, found no file; give the path of a "
        "compressed manifest, or leave it away for the release's own"
    )
