"""Files of a mirror for a run: copied into the cache, or looked at to be read where they are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from executors.base import is_remote
from executors.diagnosis import is_passing
from executors.patience import patiently
from executors.remote import remote_size, xrootd_fault
from pipeline.data.errors import DataError, LocationError, VerificationError
from pipeline.data.fetch.address import address
from pipeline.data.fetch.faults import Failure, FetchError
from pipeline.data.fetch.pins import Owner, pin
from pipeline.data.fetch.transfer import JOBS
from pipeline.data.fetch.wanted import spoken, transfer_of, wanted_files
from pipeline.data.file_entry import entries_of
from pipeline.data.identity import basename
from pipeline.data.locate import Located, Streamed
from pipeline.data.manifest import ManifestFile
from pipeline.data.verify import Mode, adler32_file
from pipeline.files import read_json
from pipeline.settings import Settings, load

Progress = Callable[[int, int, int], None]
Answer = TypeVar("Answer")


def bring(settings: Settings, progress: Progress | None, count: bool = True) -> Located:
    """The files of the channel's samples at `data.location`, an address.

    Only those: of a mirror nobody can ask what else it has. Without `count` no file that is
    streamed is opened. Raises FetchError if a file that is
    there could not be had, and LocationError if not one is there.
    """
    files = wanted_files(settings)
    found = _stream(settings, files, count) if settings.data.access == "stream" else None
    found = found or _copy(settings, files, progress)
    if not (found.paths or found.streamed):
        raise LocationError(
            f"expected files of skim {settings.channel.skim} of release {settings.data.release} "
            f"such as {basename(files[0].uri)} at {address(files[0].uri, _mirror(settings))}, "
            "found not one of them; check data.location, which has the portal's paths below it"
        )
    return found


def local_copies(settings: Settings, files: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Path of the fileset -> path on this machine of `files`; those that are streamed are copied.

    Raises FetchError if one could not be had.
    """
    paths = {str(f["path"]): str(f["path"]) for f in files}
    far = [f for f in files if is_remote(str(f["path"]))]
    away = {str(f["uri"]): str(f["path"]) for f in far}
    if away:
        wanted = [ManifestFile(f["uri"], f["size"], f["adler32"], None) for f in far]
        transfer = transfer_of(settings.data)
        pin(transfer.cache.folder, Owner.of_run(Path.cwd()), map(transfer.place, wanted), "copies")
        outcome = transfer.run(wanted, lambda *told: None)
        if outcome.failures:
            raise FetchError(outcome.failures, len(wanted))
        paths |= {away[uri]: str(path) for uri, path in outcome.paths.items()}
    return paths


def renew(run: Path, tell: Callable[[str], None]) -> None:
    """Pin again what a run that goes on has in its cache, and fetch what was evicted since.

    Raises FetchError if a file could not be had again.
    """
    for path in sorted((run / "fileset").glob("*.settings.json")):
        made = path.with_name(path.name.replace(".settings", ""))
        data = load(path).data
        if not made.is_file() or data.location is None or not is_remote(data.location):
            continue
        files = [
            ManifestFile(f["uri"], f["size"], f["adler32"], f["entries"])
            for sample in read_json(made)["samples"].values()
            for f in sample["files"]
            if not is_remote(f["path"])
        ]
        transfer = transfer_of(data)
        pin(transfer.cache.folder, Owner.of_run(run), map(transfer.place, files), "fileset")
        gone = transfer.missing(files)
        if gone:
            tell(f"{len(gone)} files are gone from {transfer.cache.folder}: fetching them again")
            outcome = transfer.run(gone, lambda *told: None)
            if outcome.failures:
                raise FetchError(outcome.failures, len(gone))


def _mirror(settings: Settings) -> str:
    (mirror,) = spoken((str(settings.data.location),))
    return mirror


def _copy(settings: Settings, files: list[ManifestFile], progress: Progress | None) -> Located:
    """Copied into the cache, and pinned there for as long as the run works."""
    transfer = transfer_of(settings.data)
    total = transfer.left(files)
    done = 0
    guard = threading.Lock()

    def told(uri: str, more: int, finished: bool) -> None:
        nonlocal done
        with guard:
            done += more
            if progress is not None:
                progress(done // 1_000_000, total // 1_000_000, 0)

    pin(transfer.cache.folder, Owner.of_run(Path.cwd()), map(transfer.place, files), "fileset")
    if settings.data.verify == "checksum":
        for file in files:
            place = transfer.place(file)
            if transfer.order(file).there() and adler32_file(place) != file.adler32:
                place.unlink()  # it was damaged in the cache: fetch it again
    outcome = transfer.run(files, told)
    failed = [f for f in outcome.failures if not f.absent]
    if failed:
        raise FetchError(failed, len(files))
    verified: dict[str, Mode] = dict.fromkeys(outcome.paths, settings.data.verify)
    return Located(outcome.paths, (), (), verified)


def _stream(settings: Settings, files: list[ManifestFile], count: bool) -> Located:
    """Looked at from here: whether it is there, its size, and its entries if nobody knows them."""
    source, tree, verify = _mirror(settings), settings.channel.tree, settings.data.verify
    with ThreadPoolExecutor(JOBS) as pool:
        looked = pool.map(
            lambda file: _look(file, address(file.uri, source), tree, verify, count), files
        )
        streamed = {f.uri: s for f, s in zip(files, looked, strict=True) if s is not None}
    return Located({}, (), (), {}, streamed)


def _look(file: ManifestFile, where: str, tree: str, verify: Mode, count: bool) -> Streamed | None:
    """A file at its address; None if the mirror does not have it."""
    try:
        size = patient(lambda: remote_size(where), where)
    except FileNotFoundError:
        return None
    if verify != "none" and size != file.size:
        raise VerificationError(
            f"expected size {file.size} bytes of {basename(file.uri)}, found {size} bytes at "
            f"{where}; take another mirror, or the file as it is with data.verify=none"
        )
    if not count:
        return Streamed(where, size, None)
    verified: Mode = "none" if verify == "none" else "size"
    counted = patient(lambda: entries_of(file, where, size, verified, tree), where)
    return Streamed(where, size, counted)


def patient(ask: Callable[[], Answer], where: str) -> Answer:
    """The answer of a mirror, which may fail for a while; FileNotFoundError if it has no file.

    Raises FetchError if it fails for longer, and LocationError for any other error.
    """

    def passes(error: Exception) -> bool:
        fault = xrootd_fault(where) if where.startswith("root:") else None
        if fault is not None and fault[0]:
            raise FileNotFoundError(fault[1]) from error
        return fault is not None or is_passing(error)

    try:
        return patiently(ask, passes=passes)
    except (FileNotFoundError, DataError):
        raise
    except Exception as error:
        if passes(error):
            raise FetchError([Failure(where, f"{where}: {error}")], 1) from error
        raise LocationError(
            f"expected a file at {where}, found {type(error).__name__}: {error}; check "
            "data.location, or take another mirror"
        ) from error
