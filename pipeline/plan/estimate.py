"""The plan: what a run will read, in how many pieces, for how long, and what it leaves on disk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.combinations import MOST_OTHERS
from pipeline.data.errors import ReleaseError
from pipeline.data.manifest_choice import chosen_manifest
from pipeline.plan.amount import Amount, total
from pipeline.plan.branches import branch_table
from pipeline.plan.doubts import unknown, unverified
from pipeline.plan.inventory import (
    Inventory,
    Part,
    channel_parts,
    events_of,
    inventory,
    published,
    release_parts,
    together,
)
from pipeline.plan.there import parts_there, said
from pipeline.plan.throughput import Calibration, calibration_of
from pipeline.settings import Settings
from pipeline.stages.contract import ContractError

PLAN_SCHEMA = 1
UNMEASURED_BYTES = 50e9
"""Most bytes of files per job where nobody has measured what their events cost: an hour at 14 MB/s.
Two cores turn the ntuples of 2025 over thirty times as fast (`docs/speed.md`); others less."""


@dataclass(frozen=True)
class Scope:
    """What is planned for one choice of files."""

    name: str
    """channel: the samples that the channel asks for; release: everything that was published."""
    parts: tuple[Inventory, ...]
    """By kind: data, mc."""
    everything: Inventory
    read: Amount
    """Bytes of the branches that the solution declares."""
    chunks: Amount
    jobs: int
    """Jobs of one conversion."""
    cores: int
    """That work at a time."""
    core_hours: Amount
    wall_hours: Amount
    """Without waiting in queues."""
    disk: Amount
    """Bytes that convert leaves."""

    def plain(self) -> dict[str, Any]:
        """The scope as JSON types."""
        return {
            "name": self.name,
            "kinds": {p.kind: p.plain() for p in self.parts},
            "all": self.everything.plain(),
            "bytes_to_read": self.read.plain(),
            "chunks": self.chunks.plain(),
            "convert_jobs": self.jobs,
            "cores": self.cores,
            "core_hours": self.core_hours.plain(),
            "wall_hours": self.wall_hours.plain(),
            "disk_bytes": self.disk.plain(),
        }


@dataclass(frozen=True)
class Plan:
    """What `ladon plan` says."""

    channel: str
    data: str
    release: str
    skim: str
    site: str
    branches: tuple[str, ...]
    """That are read, as the files spell them."""
    measured: str
    """What the throughput was measured on."""
    conversions: int
    """How often everything is converted: by the reference, and by a model's solution."""
    scopes: tuple[Scope, ...]
    notes: tuple[str, ...]
    """What is missing, not verified or not resolved."""

    @property
    def of_channel(self) -> Scope:
        return self.scopes[0]

    def plain(self) -> dict[str, Any]:
        """The content of plan.json."""
        return {
            "schema": PLAN_SCHEMA, "channel": self.channel, "data": self.data,
            "release": self.release, "skim": self.skim, "site": self.site,
            "branches": list(self.branches), "throughput": self.measured,
            "conversions": self.conversions,
            "scopes": [s.plain() for s in self.scopes], "notes": list(self.notes),
        }  # fmt: skip


def make_plan(settings: Settings) -> Plan:
    """The plan of `settings`, from the manifest alone: no file of the data is opened.

    With `data.partial` the channel's part is that of the files which lie in the folder, and of a
    folder all files of the skim are converted.

    Raises ManifestError for a release without a manifest.
    """
    manifest = chosen_manifest(settings.data)
    notes: list[str] = []
    if settings.data.synthetic:
        notes.append(
            f"{settings.data.name} is made on this machine, and smaller: the numbers are those of "
            f"the real files of release {settings.data.release}"
        )
    if settings.data.skim is not None:
        notes.append(
            "data.skim: a run reads no ROOT file and converts nothing; the numbers are those of a "
            "run without it"
        )
    branches = _branches(settings, notes)
    calibration = calibration_of(settings)
    if calibration is None:
        notes.append(
            f"no measurement of how fast convert of {settings.channel.selection} is: measure it "
            "with `ladon plan --measure FILE ...`"
        )
    estimator = _Estimator(settings, branches, calibration)
    chosen = channel_parts(settings, manifest)
    here = parts_there(settings, manifest, chosen)
    if here is not None:
        notes.append(said(settings, chosen, here))
        chosen = here
    scopes = [
        estimator.scope("channel", chosen),
        estimator.scope("release", release_parts(manifest), published(manifest)),
    ]
    notes += unknown(chosen) + unverified(settings, chosen)
    return Plan(
        settings.channel.name, settings.data.name, manifest.release, settings.channel.skim,
        settings.site.name, tuple(branches),
        "not measured" if calibration is None else scopes[0].core_hours.how, conversions(settings),
        tuple(scopes), tuple(notes),
    )  # fmt: skip


def convert_jobs(settings: Settings, core_hours: float | None, files: int, size: float) -> int:
    """Jobs of one conversion that costs so much: of about job_minutes, no more than the files.

    Where it is not known what it costs, by the `size` of the files in bytes.
    """
    budget = settings.site.budget
    if budget.convert_jobs is not None:
        return max(1, min(budget.convert_jobs, files))
    most = max(1, (budget.most_jobs - MOST_OTHERS) // conversions(settings))
    if core_hours is None:
        return max(1, min(most, files, math.ceil(size / UNMEASURED_BYTES)))
    hours = core_hours / max(1, _cores_of_job(settings))
    return max(1, min(most, files, math.ceil(hours * 60 / budget.job_minutes)))


def conversions(settings: Settings) -> int:
    """How often a run of one point converts all data: the reference does, and a model may."""
    return 2 if converts_itself(settings) else 1


def converts_itself(settings: Settings) -> bool:
    """Whether a point converts with a model's solution, beside the reference."""
    return settings.solver.name != "reference" and "convert" in settings.stages


def cores_at_a_time(settings: Settings, jobs: int) -> int:
    """Cores that convert has at this site when it is cut into `jobs` jobs."""
    site = settings.site
    if site.scheduler == "none":
        return min(site.cores, _cores_of_job(settings) * jobs)
    return min(jobs, site.jobs) * _cores_of_job(settings)


def _cores_of_job(settings: Settings) -> int:
    site = settings.site
    if site.executor == "inline":
        return 1
    return site.elastic.maximum if site.executor == "elastic" else site.workers


@dataclass(frozen=True)
class _Estimator:
    """What every scope is estimated with."""

    settings: Settings
    branches: Sequence[str]
    calibration: Calibration | None

    def scope(self, name: str, parts: Sequence[Part], said: Sequence[Inventory] = ()) -> Scope:
        """The plan for these parts; `said` is what the publisher says of them (see `published`)."""
        pieces = [inventory(part) for part in parts]
        kinds = [
            together(kind, [p for p in pieces if p.kind == kind])
            for kind in ("data", "mc")
            if any(p.kind == kind for p in pieces)
        ]
        whole = together("all", pieces)
        for one in said:  # the publisher's numbers go before ours, where it has them
            if one.kind == "total":
                whole = one if one.events.value is not None else replace(one, events=whole.events)
            elif one.events.value is not None:
                kinds = [one if k.kind == one.kind else k for k in kinds]
        chunks = total(map(self._chunks, parts))
        work = self._core_hours(whole.events, chunks, whole.files, 0)
        jobs = convert_jobs(self.settings, work.value, whole.files, whole.size.value or 0)
        workers = _cores_of_job(self.settings) * jobs
        once = self._core_hours(whole.events, chunks, whole.files, workers)
        hours = once.times(conversions(self.settings))
        cores = cores_at_a_time(self.settings, jobs)
        return Scope(
            name, tuple(kinds), whole, self._read(whole), chunks, jobs, cores,
            hours, hours.times(1 / cores), self._disk(whole.events),
        )  # fmt: skip

    def _read(self, whole: Inventory) -> Amount:
        table = branch_table(self.settings.data.release)
        if table is None or not self.branches:
            return Amount.unknown(f"no table of branches for {self.settings.data.release}")
        share = table.share(self.branches)
        return whole.size.times(share, f"share of the branches: {share.how}")

    def _chunks(self, part: Part) -> Amount:
        """Chunks of a part's files; exact where all entries are known."""
        events, size = events_of(part), self.settings.data.chunk_size
        if events.value is None:
            return Amount.unknown(events.how)
        files, hidden = part.files, part.hidden
        bytes_unknown = sum(f.size for f in files if f.entries is None)
        counted = sum(f.entries or 0 for f in files)

        def number(all_events: float | None, of_hidden: float | None) -> int:
            rest = max(0.0, (all_events or 0.0) - (of_hidden or 0.0) - counted)
            per_byte = rest / bytes_unknown if bytes_unknown else 0.0
            return sum(
                math.ceil((f.entries if f.entries is not None else f.size * per_byte) / size)
                for f in files
            )

        how = "manifest" if not bytes_unknown else "entries of files estimated from their bytes"
        if hidden is None:
            return Amount(
                number(events.value, 0), number(events.low, 0), number(events.high, 0), how
            )
        least, most = ((end or 0.0) / size for end in (hidden.events.low, hidden.events.high))
        value = (hidden.events.value or 0.0) / size
        # The last chunk of a file is not full: half a chunk for each file, or anything up to one.
        return Amount(
            round(number(events.value, hidden.events.value) + value + hidden.files / 2),
            round(number(events.low, hidden.events.low) + least),
            round(number(events.high, hidden.events.high) + most + hidden.files),
            "files that are not resolved: events, and at most one chunk more for each file",
        )

    def _core_hours(self, events: Amount, chunks: Amount, files: int, workers: int) -> Amount:
        """Core-hours of one conversion: events, chunks, files, and the workers of its jobs.

        A file is opened once at least, and at most by each worker that has a chunk of it.
        """
        if self.calibration is None:
            return Amount.unknown("no measured throughput")
        if chunks.value is None:
            return Amount.unknown(chunks.how)
        most = min(chunks.high or 0, files * _cores_of_job(self.settings))
        opened = Amount((files + most) / 2, files, most, "")
        started = Amount.exact(min(workers, chunks.value), "")
        found = self.calibration.seconds(events, chunks, opened, started)
        return found.times(1 / 3600)

    def _disk(self, events: Amount) -> Amount:
        if self.calibration is None:
            return Amount.unknown("no measured size of what convert keeps")
        return self.calibration.kept(events)


def _branches(settings: Settings, notes: list[str]) -> list[str]:
    """Branches that are read for the reference solution, and for recognising and blinding."""
    from pipeline.plan.declared import declared

    try:
        return declared(settings)
    except (ContractError, ReleaseError, OSError) as error:
        notes.append(f"the branches of convert are not known: {error}")
        return []
