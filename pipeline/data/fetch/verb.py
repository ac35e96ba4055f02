"""`ladon fetch`: the files of a release that a channel needs, brought into the cache."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from executors.base import is_remote
from pipeline.configure import configure
from pipeline.data.fetch.address import PORTAL
from pipeline.data.fetch.faults import Failure
from pipeline.data.fetch.index import drop_damaged, fetch_indexes, indexes
from pipeline.data.fetch.meter import Meter
from pipeline.data.fetch.transfer import JOBS, Outcome, Transfer
from pipeline.data.fetch.wanted import transfer_of, unknown_runs, wanted_files
from pipeline.data.manifest import ManifestFile
from pipeline.data.manifest_choice import written_manifest
from pipeline.settings import Settings
from pipeline.usage import UsageError

EXIT_OK, EXIT_FAILED, EXIT_STOPPED = 0, 1, 130


@dataclass(frozen=True)
class Asked:
    """The options of the command line."""

    overrides: tuple[str, ...]
    jobs: int = JOBS
    whole_skim: bool = False
    dry_run: bool = False
    index: bool = False

    @classmethod
    def read(cls, arguments: Sequence[str]) -> Asked:
        """Options and overrides; UsageError for a number of jobs that is none."""
        rest = list(arguments)
        jobs = JOBS
        if "--jobs" in rest:
            at = rest.index("--jobs")
            given = rest[at + 1] if at + 1 < len(rest) else "nothing"
            if not given.isdecimal() or int(given) < 1:
                raise UsageError(f"expected a number of files after --jobs, found {given}")
            jobs = int(given)
            del rest[at : at + 2]
        overrides = tuple(a for a in rest if not a.startswith("-"))
        return cls(overrides, jobs, "--all" in rest, "--dry-run" in rest, "--index" in rest)


def fetch(arguments: Sequence[str], console: Console) -> int:
    """Fetch what is asked for; 0 if every file is there, 1 if any could not be, 130 if stopped."""
    asked = Asked.read(arguments)
    settings = _settings(asked)
    transfer = transfer_of(settings.data, asked.jobs)
    unknown: list[str] = []
    if asked.index:
        files = indexes(written_manifest(settings.data))
    else:
        files = wanted_files(settings, asked.whole_skim)
        unknown = unknown_runs(settings, asked.whole_skim)
    if unknown:
        console.print(
            f"the files of {len(unknown)} runs of {settings.data.release} are not known, first "
            f"{unknown[0]}: the portal lists them by run; `ladon fetch --index` gets its lists",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    if asked.dry_run:
        _tell_plan(transfer, files, console)
        return EXIT_OK
    if asked.index:
        drop_damaged(transfer, files)
    missing = transfer.missing(files)
    console.print(
        f"{len(files)} files, {_gb(files)}; {len(missing)} to be fetched from "
        f"{transfer.sources[0]} into {transfer.cache.folder}",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip
    try:
        with Meter(console, len(missing), transfer.left(files)) as meter:
            if asked.index:
                outcome, known = fetch_indexes(transfer, settings.data.release, files, meter)
            else:
                outcome, known = transfer.run(files, meter), None
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on where this one was")
        return EXIT_STOPPED
    verb = "fetch --index" if unknown else "run"
    _tell_end(f"{verb} {_words(asked, settings)}", transfer, files, outcome, console)
    if known is not None:
        console.print(
            f"{known.resolved} runs of {settings.data.release} list their files now: {known.files} "
            f"files, {known.bytes / 1e12:.3f} TB; {known.unresolved} runs are not resolved",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    return EXIT_FAILED if outcome.failures else EXIT_OK


def _settings(asked: Asked) -> Settings:
    """The settings, with the portal as location where none is named."""
    overrides = list(asked.overrides)
    if not any(o.startswith("data=") for o in overrides):
        raise UsageError(
            "expected the release to fetch, found none; for example: "
            "ladon fetch data=opendata_2025 channel=hyy"
        )
    if "data=synthetic" in overrides:
        raise UsageError(
            "expected a release with files to fetch, found data=synthetic, whose files a run makes "
            "itself; for example: ladon fetch data=opendata_2025 channel=hyy"
        )
    if not any(o.startswith("data.location=") for o in overrides):
        overrides.append(f"data.location={PORTAL[0]}")
    settings = configure(overrides)
    location = settings.data.location
    if location is not None and not is_remote(location):
        raise UsageError(
            f"files are fetched from an address, found data.location={location}; name it with "
            "data.source=URL, and the folder that files are to go to with data.cache=DIR"
        )
    return settings


def _tell_plan(transfer: Transfer, files: Sequence[ManifestFile], console: Console) -> None:
    """What would be fetched, and from where."""
    missing = transfer.missing(files)
    console.print(
        f"{len(files)} files, {_gb(files)}; {len(files) - len(missing)} are in "
        f"{transfer.cache.folder}; {len(missing)}, {transfer.left(files) / 1e9:.3f} GB, would be "
        f"fetched from {' or '.join(transfer.sources)}",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip
    for file in missing:
        console.print(
            f"{file.size / 1e6:10.1f} MB  {transfer.order(file).addresses[0]}",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip


def _tell_end(
    then: str,
    transfer: Transfer,
    files: Sequence[ManifestFile],
    outcome: Outcome,
    console: Console,
) -> None:
    """What is there now; each file that is not, with its reason; what to do next."""
    said = [f"{len(outcome.paths)} of {len(files)} files are in {transfer.cache.folder}"]
    if outcome.evicted:
        said.append(f"{len(outcome.evicted)} that were not used for longest had to go")
    console.print("; ".join(said), highlight=False, markup=False, soft_wrap=True)
    if not outcome.failures:
        console.print(
            f"next: ladon {then}",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
        return
    errors = Console(stderr=True)
    errors.print(
        f"ladon: {len(outcome.failures)} of {len(files)} files could not be fetched; give the same "
        "command again to go on where it stopped, or name another source with data.source=URL",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip
    for failure in outcome.failures:
        errors.print(_line(failure), highlight=False, markup=False, soft_wrap=True)


def _words(asked: Asked, settings: Settings) -> str:
    """The overrides by which the files are found again: those given, quoted for a shell."""
    first = {
        "channel": settings.channel.name,
        "data": settings.data.name,
        "data.location": settings.data.location,
    }
    others = [o for o in asked.overrides if o.partition("=")[0] not in first]
    return shlex.join([*(f"{name}={value}" for name, value in first.items()), *others])


def _line(failure: Failure) -> str:
    return f"  {failure.reason}"


def _gb(files: Sequence[ManifestFile]) -> str:
    return f"{sum(f.size for f in files) / 1e9:.3f} GB"
