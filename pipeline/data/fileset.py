"""The fileset: for one configuration, which samples there are, their files, and their chunks."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.data.chosen import chosen_manifest
from pipeline.data.chunks import Chunk, cut
from pipeline.data.errors import IncompleteSampleError
from pipeline.data.identity import basename, is_remote
from pipeline.data.locate import Located, Streamed, locate, open_location
from pipeline.data.manifest import ManifestFile, Sample
from pipeline.data.presence import check_something_there, streamed_note
from pipeline.data.probe import Problem, count_entries
from pipeline.data.remote import bring
from pipeline.data.synthetic_source import synthetic_samples
from pipeline.data.verify import Mode, verify_file
from pipeline.settings import Settings

FILESET_SCHEMA = 1
Progress = Callable[[int, int, int], None]  # (megabytes done, megabytes in all, events counted)


@dataclass(frozen=True)
class Wanted:
    """A sample that belongs into the fileset, and what the channel wants of it."""

    sample: Sample
    process: str
    role: str
    """signal, background, data, or other (not asked for, but there)."""


@dataclass
class Draft:
    """What has been gathered so far."""

    mode: Mode
    tree: str
    chunk_size: int
    progress: Progress | None
    total: int
    """Bytes of all files that are there."""
    done: int = 0
    events: int = 0
    samples: dict[str, Any] = field(default_factory=dict)
    chunks: list[Chunk] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def advance(self, size: int) -> None:
        """Tell the display that `size` more bytes are done."""
        self.done += size
        if self.progress is not None:
            self.progress(self.done // 1_000_000, self.total // 1_000_000, self.events)


def build_fileset(
    settings: Settings,
    records: Sequence[Mapping[str, Any]] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The fileset of `settings` in its JSON form (see docs), files verified as `data.verify` says.

    `records` are those of the synthetic files, for synthetic data. Samples of the channel's
    processes are required; every other sample of the skim of which a file is there comes along
    with the role `other`.

    Raises LocationError if there is no such place or nothing in it, IncompleteSampleError for
    missing files unless `data.partial`, VerificationError for a file with another size or checksum.
    A file that is there but cannot be read is listed with its problem and has no chunks.
    """
    data = settings.data
    if data.synthetic:
        listed, located = synthetic_samples(settings, records or ())
        location = "synthetic"
    elif data.location is not None and is_remote(data.location):
        listed = chosen_manifest(data).skim(settings.channel.skim).samples
        located = bring(settings, progress)
        location = data.location
    else:
        folder, manifest = open_location(data.location, data.release), chosen_manifest(data)
        listed = manifest.skim(settings.channel.skim).samples
        located = locate(manifest, settings.channel.skim, folder)
        location = str(folder)
        check_something_there(settings, located, folder)
    wanted = _wanted(settings, listed, located)
    if not data.partial:
        _check_resolved(wanted, data.release)
        _check_complete(wanted, located, location)
    total = sum(os.stat(p).st_size for p in located.paths.values())
    total += sum(s.size for s in located.streamed.values())
    draft = Draft(data.verify, settings.channel.tree, data.chunk_size, progress, total)
    for one in wanted:
        draft.samples[one.sample.name] = _sample(one, located, draft)
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
        "notes": draft.notes,
    }


def _wanted(settings: Settings, listed: Mapping[str, Sample], located: Located) -> list[Wanted]:
    """Required samples in the channel's order, then the others that are there."""
    wanted = [
        Wanted(_listed(name, listed, settings), process, p.role)
        for process, p in settings.channel.processes.items()
        for name in p.samples
    ]
    required = {w.sample.name for w in wanted}
    others = [
        Wanted(s, s.process, "other")
        for s in listed.values()
        if s.name not in required and any(located.holds(f.uri) for f in s.files)
    ]
    return wanted + others


def _listed(name: str, listed: Mapping[str, Sample], settings: Settings) -> Sample:
    if name in listed:
        return listed[name]
    if settings.data.synthetic:
        raise IncompleteSampleError(
            f"expected a record of the synthetic sample {name}, found records of "
            f"{', '.join(listed) or 'none'}; remove the run's folder and start it again"
        )
    return chosen_manifest(settings.data).skim(settings.channel.skim).sample(name)


def _check_resolved(wanted: Sequence[Wanted], release: str) -> None:
    """Refuse runs of which nobody has told the files yet: they would seem to have none."""
    unresolved = [w.sample.name for w in wanted if not w.sample.resolved]
    if unresolved:
        raise IncompleteSampleError(
            f"the files of {len(unresolved)} samples of release {release} are not known, first "
            f"{unresolved[0]}: the portal lists them by run; get its lists with `ladon fetch "
            "--index`, or go on without these samples with data.partial=true"
        )


def _check_complete(wanted: Sequence[Wanted], located: Located, location: str) -> None:
    """Refuse samples with missing files: their normalisation would be silently wrong."""
    incomplete = {
        w.sample.name: gone
        for w in wanted
        if w.role != "other" and (gone := located.missing(w.sample.files))
    }
    if not incomplete:
        return
    name, gone = next(iter(incomplete.items()))
    of = next(len(w.sample.files) for w in wanted if w.sample.name == name)
    first = ", ".join(basename(uris[0]) for uris in list(incomplete.values())[:3])
    raise IncompleteSampleError(
        f"{len(incomplete)} of {len(wanted)} samples are incomplete in {location}: sample {name} "
        f"misses {len(gone)} of {of} files; first missing: {first}. Put them there, give another "
        "data.location=PATH, or go on without normalising them with data.partial=true"
    )


def _sample(one: Wanted, located: Located, draft: Draft) -> dict[str, Any]:
    """One sample's entry; its chunks, problems and notes go to the draft."""
    sample = one.sample
    files: list[dict[str, Any]] = []
    reasons: list[str] = []
    for file in sample.files:
        if file.uri in located.paths:
            files.append(_file(sample, file, located, draft, reasons))
        elif file.uri in located.streamed:
            files.append(_streamed(sample, file, located.streamed[file.uri], draft, reasons))
    missing = located.missing(sample.files)
    if missing:
        reasons.insert(0, f"{len(missing)} of its {len(sample.files)} file(s) missing")
    if not sample.resolved:
        reasons.insert(0, "its files are not known: its run index has not been fetched")
    complete = not reasons
    if sample.kind == "mc" and None in (
        sample.cross_section_pb, sample.filter_efficiency, sample.k_factor, sample.sum_of_weights
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
        "sum_of_weights": sample.sum_of_weights,
        "complete": complete,
        "normalisable": not reasons,
        "reason": "; ".join(reasons) or None,
        "corrections": [asdict(c) for c in sample.corrections],
        "warnings": list(sample.warnings),
        "files": files,
        "missing": missing,
    }


def _file(
    sample: Sample, file: ManifestFile, located: Located, draft: Draft, reasons: list[str]
) -> dict[str, Any]:
    """The entry of a file that is here."""
    path = located.paths[file.uri]
    verified = located.verified.get(file.uri) or verify_file(path, file, draft.mode)
    counted = _entries(file, path, verified, draft.tree)
    return _entry(sample, file, path, path.stat().st_size, verified, counted, draft, reasons)


def _streamed(
    sample: Sample, file: ManifestFile, found: Streamed, draft: Draft, reasons: list[str]
) -> dict[str, Any]:
    """The entry of a file that is read where it is: its size was verified, its checksum cannot."""
    mode: Mode = "none" if draft.mode == "none" else "size"
    return _entry(sample, file, found.address, found.size, mode, found.entries, draft, reasons)


def _entry(
    sample: Sample,
    file: ManifestFile,
    path: Path | str,
    size: int,
    verified: Mode,
    counted: int | Problem,
    draft: Draft,
    reasons: list[str],
) -> dict[str, Any]:
    """One file's entry; what keeps its sample from being normalised goes to `reasons`."""
    problem = counted if isinstance(counted, Problem) else None
    entries = None if isinstance(counted, Problem) else counted
    if problem is not None:
        reasons.append(problem.message)
        draft.notes.append(f"sample {sample.name}: {problem.message}")
    elif file.entries is not None and entries != file.entries:
        reasons.append(f"expected {file.entries} entries in {basename(file.uri)}, found {entries}")
        draft.notes.append(f"sample {sample.name}: {reasons[-1]}")
    if entries is not None:
        draft.chunks += cut(sample.name, file, path, size, entries, draft.chunk_size)
        draft.events += entries
    draft.advance(size)
    return {
        "uri": file.uri,
        "path": str(path),
        "size": size,
        "adler32": file.adler32,
        "entries": entries,
        "verified": verified,
        "problem": None if problem is None else asdict(problem),
    }


def _entries(file: ManifestFile, path: Path, verified: Mode, tree: str) -> int | Problem:
    """Entries of a file: from the manifest if the checksum says it is that file, else counted."""
    if verified == "checksum" and file.entries is not None:
        return file.entries
    counted = count_entries(path, tree)
    published = path.stat().st_size == file.size
    if isinstance(counted, Problem) and counted.kind == "wrong_tree" and published:
        # The publisher's files of samples of which no event passed the skim hold no tree.
        return 0
    return counted


def _note(settings: Settings, located: Located, draft: Draft) -> None:
    """What a reader of the results must know about the data."""
    data = [s for s in draft.samples.values() if s["kind"] == "data"]
    short = [s for s in data if not s["complete"]]
    if short:
        draft.notes.append(
            f"the luminosity of {settings.data.luminosity:g} fb^-1 does not match the data: "
            f"{len(short)} of {len(data)} data samples are incomplete"
        )
    draft.notes += streamed_note(located, draft.mode)
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
