"""`ladon fetch --index`: the run indexes of a release, fetched and taken into its manifest."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.data.errors import ManifestError
from pipeline.data.fetch.transfer import OnProgress, Outcome, Transfer
from pipeline.data.manifest import Manifest, ManifestFile
from pipeline.data.run_index import Resolution, resolve
from pipeline.data.verify import adler32_file


def indexes(manifest: Manifest) -> list[ManifestFile]:
    """The indexes that a release's records list instead of files; ManifestError if there are none.

    An index is a file with size and checksum like any other.
    """
    found = {
        i.uri: ManifestFile(i.uri, i.size, i.adler32, None)
        for skim in manifest.skims.values()
        for sample in skim.samples.values()
        for i in sample.indexes
    }
    if not found:
        raise ManifestError(
            f"expected run indexes in release {manifest.release}, found none: its records list "
            "every file; leave --index away"
        )
    return list(found.values())


def drop_damaged(transfer: Transfer, wanted: Sequence[ManifestFile]) -> None:
    """Remove indexes from the cache that were damaged there, so that they are fetched again."""
    for file in wanted:
        place = transfer.place(file)
        if transfer.order(file).there() and adler32_file(place) != file.adler32:
            place.unlink()


def fetch_indexes(
    transfer: Transfer, release: str, wanted: Sequence[ManifestFile], on_progress: OnProgress
) -> tuple[Outcome, Resolution]:
    """Fetch indexes and take those that came into the release's manifest.

    An index that could not be fetched leaves its run unresolved, and is in the outcome.
    """
    outcome = transfer.run(wanted, on_progress)
    return outcome, resolve(release, outcome.paths)
