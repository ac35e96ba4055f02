"""The fileset: for one configuration, which samples there are, their files, and their chunks."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from executors.base import is_remote
from pipeline.data.chosen import expanded
from pipeline.data.errors import IncompleteSampleError
from pipeline.data.file_entry import Draft, Progress, file_entry, streamed_entry
from pipeline.data.locate import Located, locate, open_location
from pipeline.data.manifest import Sample
from pipeline.data.manifest_choice import chosen_manifest
from pipeline.data.physlite.normalisation import checked_sum
from pipeline.data.refusals import (
    Wanted,
    check_complete,
    check_readable,
    check_resolved,
    check_something_there,
)
from pipeline.data.remote import bring
from pipeline.data.share import share_of
from pipeline.data.synthetic_source import synthetic_samples
from pipeline.settings import Settings

FILESET_SCHEMA = 1
PHYSLITE = frozenset({"2024r-pp"})
"""Releases whose files have cut bookkeepers."""


def build_fileset(
    settings: Settings,
    records: Sequence[Mapping[str, Any]] | None = None,
    progress: Progress | None = None,
    count: bool = True,
) -> dict[str, Any]:
    """The fileset of `settings` in its JSON form (see docs), files verified as `data.verify` says.

    `records` are those of the synthetic files, for synthetic data. Samples of the channel's
    processes are required; every other sample of the skim of which a file is there comes along
    with the role `other`. Without `count` no file is opened: of each its size is compared, and
    there are no chunks (see `pipeline.data.parts`).

    Raises LocationError if there is no such place or nothing in it, IncompleteSampleError for
    missing files and files that cannot be read or have other entries unless `data.partial`,
    VerificationError for a file with another size or checksum. A file that is there but cannot be
    read is listed with its problem and has no chunks.
    """
    data = settings.data
    if data.synthetic:
        listed, located = synthetic_samples(settings, records or ())
        location = "synthetic"
    elif data.location is not None and is_remote(data.location):
        listed = chosen_manifest(data).skim(settings.channel.skim).samples
        if not data.partial:  # before anything is copied
            check_resolved(_required(settings, listed), data.release)
        located = bring(settings, progress, count)
        location = data.location
    else:
        folder = open_location(data.location, data.release)
        manifest = chosen_manifest(data)
        listed = manifest.skim(settings.channel.skim).samples
        located = locate(manifest, settings.channel.skim, folder)
        location = str(folder)
        check_something_there(settings, located, folder)
    wanted = _wanted(settings, listed, located)
    if data.share != "all":
        wanted, left_out = _shared(wanted, data.share)
    if not data.partial:
        check_resolved(wanted, data.release)
        check_complete(wanted, located, location)
    total = sum(os.stat(p).st_size for p in located.paths.values())
    total += sum(s.size for s in located.streamed.values())
    bookkeepers = data.release in PHYSLITE and not data.synthetic
    tree, size = settings.channel.tree, data.chunk_size
    draft = Draft(data.verify, count, tree, size, progress, bookkeepers, total)
    for one in wanted:
        draft.samples[one.sample.name] = _sample(one, located, draft)
    if not data.partial and data.share == "all":  # a share is never normalised
        check_readable(wanted, draft.damaged, location)
    if data.share != "all":
        draft.notes.append(f"data.share={data.share}: {left_out} files were left out")
    _note(settings, located, draft)
    return {
        "schema": FILESET_SCHEMA,
        "release": data.release,
        "skim": settings.channel.skim,
        "tree": settings.channel.tree,
        "location": location,
        "verify": data.verify,
        "partial": data.partial,
        "synthetic": data.labelled_synthetic,
        "luminosity_fb": data.luminosity,
        "samples": draft.samples,
        "chunks": [c.plain() for c in draft.chunks],
        **({} if count else {"counted": False}),
        **({} if data.share == "all" else {"share": data.share}),
        "notes": draft.notes,
    }


def _required(settings: Settings, listed: Mapping[str, Sample]) -> list[Wanted]:
    """The samples that the channel names, in its order."""
    return [
        Wanted(_listed(name, listed, settings), process, p.role)
        for process, p in settings.channel.processes.items()
        for name in expanded(p.samples, listed)
    ]


def _wanted(settings: Settings, listed: Mapping[str, Sample], located: Located) -> list[Wanted]:
    """Required samples in the channel's order, then the others that are there."""
    wanted = _required(settings, listed)
    required = {w.sample.name for w in wanted}
    others = [
        Wanted(s, s.process, "other")
        for s in listed.values()
        if s.name not in required and any(located.holds(f.uri) for f in s.files)
    ]
    return wanted + others


def _shared(wanted: Sequence[Wanted], share: str) -> tuple[list[Wanted], int]:
    """The samples of the channel with the files that `share` leaves them, and how many it drops.

    A sample that is not whole is not complete: it is not normalised, as one with missing files.
    """
    chosen: set[str] = set()
    for process in dict.fromkeys(w.process for w in wanted if w.role != "other"):
        samples = [w.sample for w in wanted if w.process == process and w.role != "other"]
        chosen |= share_of([f.uri for s in samples for f in s.files], share)
    found, dropped = [], 0
    for one in wanted:
        if one.role == "other":
            continue
        files = tuple(f for f in one.sample.files if f.uri in chosen)
        left_out = len(one.sample.files) - len(files)
        dropped += left_out
        # A run whose files are known stays known where the share has none of them.
        indexes = () if one.sample.resolved else one.sample.indexes
        sample = replace(one.sample, files=files, indexes=indexes)
        found.append(replace(one, sample=sample, left_out=left_out))
    return found, dropped


def _listed(name: str, listed: Mapping[str, Sample], settings: Settings) -> Sample:
    if name in listed:
        return listed[name]
    if settings.data.synthetic:
        raise IncompleteSampleError(
            f"expected a record of the synthetic sample {name}, found records of "
            f"{', '.join(listed) or 'none'}; remove the run's folder and start it again"
        )
    return chosen_manifest(settings.data).skim(settings.channel.skim).sample(name)


def _sample(one: Wanted, located: Located, draft: Draft) -> dict[str, Any]:
    """One sample's entry; its chunks, problems and notes go to the draft."""
    sample = one.sample
    files: list[dict[str, Any]] = []
    reasons: list[str] = []
    for file in sample.files:
        if file.uri in located.paths:
            files.append(file_entry(sample, file, located, draft, reasons))
        elif file.uri in located.streamed:
            files.append(streamed_entry(sample, file, located.streamed[file.uri], draft, reasons))
    missing = located.missing(sample.files)
    if missing:
        reasons.insert(0, f"{len(missing)} of its {len(sample.files)} file(s) missing")
    if not sample.resolved:
        reasons.insert(0, "its files are not known: its run index has not been fetched")
    if one.left_out:
        reasons.insert(0, f"data.share leaves out {one.left_out} of its files")
    complete = not reasons
    total = sample.sum_of_weights
    if sample.kind == "mc" and one.role != "other" and draft.bookkeepers:
        paths = [w for f in sample.files if (w := located.place(f.uri)) is not None]
        total = checked_sum(total, paths, complete, reasons)
    if sample.kind == "mc" and None in (
        sample.cross_section_pb, sample.filter_efficiency, sample.k_factor, total
    ):  # fmt: skip
        reasons.append("the release's table has no cross-section or sum of weights for it")
    return {
        "kind": sample.kind,
        "process": one.process,
        "role": one.role,
        "dsid": sample.dsid,
        "xsec_pb": sample.cross_section_pb,
        "filter_efficiency": sample.filter_efficiency,
        "k_factor": sample.k_factor,
        "sum_of_weights": total,
        "complete": complete,
        "normalisable": not reasons,
        "reason": "; ".join(reasons) or None,
        "corrections": [asdict(c) for c in sample.corrections],
        "warnings": list(sample.warnings),
        "files": files,
        "missing": missing,
    }


def _note(settings: Settings, located: Located, draft: Draft) -> None:
    """What a reader of the results must know about the data."""
    rules = importlib.import_module(f"pipeline.channels.{settings.channel.name}")
    draft.notes += rules.NOTES.get(settings.channel.selection, ())
    data = [s for s in draft.samples.values() if s["kind"] == "data"]
    short = [s for s in data if not s["complete"]]
    if short:
        draft.notes.append(
            f"the luminosity of {settings.data.luminosity:g} fb^-1 does not match the data: "
            f"{len(short)} of {len(data)} data samples are incomplete"
        )
    if located.streamed:
        draft.notes.append(
            f"{len(located.streamed)} files are read over the network, chunk by chunk: their sizes "
            "were compared with the manifest, their checksums were not verified"
            if draft.mode != "none"
            else f"{len(located.streamed)} files are read over the network: nothing was verified"
        )
    draft.notes += located.ambiguous
    if located.unknown:
        first = ", ".join(p.name for p in located.unknown[:3])
        draft.notes.append(
            f"{len(located.unknown)} ROOT files in the location are not in the manifest and were "
            f"left alone: {first}"
        )
    for name, sample in draft.samples.items():
        if not sample["files"]:
            continue
        draft.notes += [
            f"sample {name}: {c['quantity']} corrected from {c['old']} to {c['new']}"
            for c in sample["corrections"]
        ]
        draft.notes += [f"sample {name}: {text}" for text in sample["warnings"]]
