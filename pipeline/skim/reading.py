"""Reading a skim: the fileset that it stands for, and its parts for a run's own chunk store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from executors.base import is_remote
from pipeline.files import replacing, sha256_file, sha256_json, write_json
from pipeline.settings import Settings
from pipeline.skim.manifest import MANIFEST, Part, Skim, SkimError, choices, read_skim
from pipeline.stages.convert.runner import chunks_of
from pipeline.stages.convert.store import ChunkStore


def key_of(fileset: Mapping[str, Any], keys: Sequence[str]) -> str:
    """Thirty-two hex digits that name the skim of a fileset whose chunks have these keys.

    The keys name solution, channel, release, code and, by checksum, the files. Of a file whose
    checksum nobody verified, size and time of change are told too: another one of the same name
    is another skim. Of one that is streamed, address and size: more nobody knows.
    """
    files = [file for sample in fileset["samples"].values() for file in sample["files"]]
    unverified = [_state(f) for f in files if f.get("verified") != "checksum"]
    return sha256_json({"chunks": list(keys), "unverified": unverified})[:32]


def names_of(fileset: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    """What the index of a skim calls the chunks of a fileset, or of a part of one.

    The key of a chunk, and where nobody verified the checksum of its file, what is known of that.
    """
    states = {
        (name, file["path"]): _state(file)
        for name, sample in fileset["samples"].items()
        for file in sample["files"]
        if file.get("verified") != "checksum"
    }
    return [
        key if state is None else sha256_json({"chunk": key, "unverified": state})[:32]
        for key, state in (
            (key, states.get((chunk["sample"], chunk["path"])))
            for key, chunk in zip(keys, fileset["chunks"], strict=True)
        )
    ]


def open_skim(settings: Settings) -> tuple[Path, Skim]:
    """The skim that `data.skim` names, and its folder.

    Raises SkimError where it is damaged or holds other events than the settings ask for, where it
    is of a share of the data, which stays blinded, and where samples miss files, unless
    `data.partial`.
    """
    folder = Path(str(settings.data.skim))
    skim = read_skim(folder)
    differing = _differences(skim.made_from, choices(settings))
    if differing:
        # Whether the events are real goes before everything else that may differ.
        name, there, wanted = min(differing, key=lambda one: one[0] != "data.synthetic")
        raise SkimError(
            f"expected a skim with {name} {wanted!r} in {folder}, found one with {there!r}; give "
            "data.skim a skim of these events, or leave it away to read the ROOT files"
        )
    share = skim.fileset.get("share", "all")
    if settings.unblind and share != "all":
        raise SkimError(
            "expected a skim of all of the data with unblind=true, found one of data.share="
            f"{share} in {folder}: that is a step on the way and stays blinded; leave unblind "
            "away, or give a skim of data.share=all"
        )
    if not settings.data.partial:
        _check_complete(folder, skim)
    return folder, skim


def _check_complete(folder: Path, skim: Skim) -> None:
    """As for the ROOT files: nobody goes on without some of them who has not said so."""
    samples = {n: s for n, s in skim.fileset["samples"].items() if s.get("role") != "other"}
    lacking = {n: len(gone) for n, s in samples.items() if (gone := s.get("missing"))}
    if not lacking:
        return
    name, gone = next(iter(lacking.items()))
    raise SkimError(
        f"expected a skim of complete samples in {folder}, found one in which {len(lacking)} of "
        f"{len(samples)} are incomplete: sample {name} misses {gone} files; give another skim, "
        "or go on without normalising these samples with data.partial=true"
    )


def fileset_of(settings: Settings) -> dict[str, Any]:
    """The fileset of the skim that `data.skim` names; no file of it is opened.

    Its paths are names alone, and its location is the skim.
    """
    folder, skim = open_skim(settings)
    place = f"skim {skim.key} in {folder}"
    return {**skim.fileset, "location": place, "luminosity_fb": settings.data.luminosity}


def take_parts(
    folder: Path, skim: Skim, fileset: Mapping[str, Any], store: ChunkStore
) -> list[Part]:
    """Put the parts of a skim into a chunk store, each verified by its hash; what was put there.

    Raises SkimError if the skim is not one of this fileset, solution and code, and for a part that
    is gone or changed, before the store has any of it.
    """
    kinds = {name: str(sample["kind"]) for name, sample in fileset["samples"].items()}
    keys = [store.key(chunk, kinds[chunk.sample]) for chunk in chunks_of(fileset)]
    _check_made_alike(folder, skim, keys, store)
    put_parts(folder, skim.parts, store)
    return list(skim.parts)


def put_parts(folder: Path, parts: Sequence[Part], store: ChunkStore) -> None:
    """Put some parts of a skim into a chunk store.

    Raises SkimError for a part that is gone or changed, before the store has any of them.
    """
    for part in parts:
        _check_part(folder, part)
    for part in parts:
        with replacing(store.rows_path(part.key)) as temporary:
            temporary.unlink()
            link_or_copy(folder / f"{part.key}.parquet", temporary)
        write_json(store.folder / f"{part.key}.json", asdict(part.record))


def link_or_copy(source: Path, target: Path) -> None:
    """One more name for a file that nobody changes; a copy where the disk is another."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _check_made_alike(folder: Path, skim: Skim, keys: Sequence[str], store: ChunkStore) -> None:
    if keys == [part.key for part in skim.parts]:
        return
    ours = store.folder.name
    what = (
        f"converted by the solution {ours}, found one by {skim.solution_sha256[:16]}"
        if skim.solution_sha256[:16] != ours
        else "made by this version of Ladon's reading code, found one by another "
        f"({skim.code_sha256[:12]})"
    )
    raise SkimError(
        f"expected a skim {what}, in {folder / MANIFEST}; run once without data.skim: what "
        "convert makes then is kept as a new skim"
    )


def _check_part(folder: Path, part: Part) -> None:
    path = folder / f"{part.key}.parquet"
    if not path.is_file():
        found = "no such file"
    elif (digest := sha256_file(path)) != part.sha256:
        found = f"{digest[:16]}…"
    else:
        return
    raise SkimError(
        f"expected the hash {part.sha256[:16]}… of {path}, found {found}: this part of the skim is "
        "damaged and was not used; remove the skim's folder and run once without data.skim to have "
        "it made again"
    )


def _state(file: Mapping[str, Any]) -> list[str | int]:
    if is_remote(file["path"]):
        return [file["path"], file["size"]]
    path = Path(file["path"])
    status = path.stat()
    return [path.name, status.st_size, status.st_mtime_ns]


def _differences(there: Any, wanted: Any, where: str = "") -> list[tuple[str, Any, Any]]:
    """(key, there, wanted) of the values that differ; a list and a tuple of the same are one."""
    if isinstance(there, Mapping) and isinstance(wanted, Mapping):
        return [
            found
            for key in dict.fromkeys([*there, *wanted])
            for found in _differences(
                there.get(key), wanted.get(key), f"{where}.{key}" if where else str(key)
            )
        ]
    same = sha256_json([there]) == sha256_json([wanted])
    return [] if same else [(where, there, wanted)]
