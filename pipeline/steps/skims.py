"""What convert and the skims below the outputs have to do with each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.files import sha256_file, take_away
from pipeline.settings import Settings
from pipeline.skim import (
    FOLDER,
    INDEX,
    MANIFEST,
    Finished,
    Part,
    SkimError,
    keep_chunks,
    keep_skim,
    key_of,
    names_of,
    open_skim,
    put_parts,
    read_index,
    read_skim,
    take_parts,
    write_index,
)
from pipeline.stages.convert.part import counted
from pipeline.stages.convert.product import ConvertProduct
from pipeline.stages.convert.runner import chunks_of, facts_of
from pipeline.stages.convert.store import ChunkStore
from pipeline.steps.context import Place

CHUNKS = Path("chunks")
"""Root of the chunk store of a run, in the run directory."""


def take(place: Place) -> None:
    """Put into the run's chunk store what a skim has of the chunks that convert is to make.

    The skim is that of `data.skim`, for which SkimError says what is wrong; or else the one below
    the outputs that another run made of the same files by the same solution. If that one is
    damaged, it is told and removed, and the ROOT files are read: it will be made again.
    """
    settings, fileset = place.settings(), place.fileset()
    store = _store(place, fileset, settings)
    if settings.data.skim is not None:
        folder, skim = open_skim(settings)
        take_parts(folder, skim, fileset, store)
        return
    if not settings.run.skims:
        return
    keys = _keys(fileset, store)
    if all(store.finished(key) for key in keys):
        return
    folder = skims() / key_of(fileset, keys)
    if not (folder / MANIFEST).exists():
        return
    try:
        took = take_parts(folder, read_skim(folder), fileset, store)
        print(f"ladon: {len(took)} chunks were taken from the skim {folder}", flush=True)
    except SkimError as error:
        _remove(folder, error)


def take_part(place: Place, part: Mapping[str, Any], number: int) -> None:
    """The same for the chunks of one of the jobs that convert is cut into.

    Each chunk is looked for in all skims: those jobs were cut otherwise, or had other files too.
    """
    settings = place.settings()
    if not settings.run.skims:
        return
    store = _store(place, part, settings, number)
    keys = _keys(part, store)
    wanted = dict(zip(names_of(part, keys), keys, strict=True))
    wanted = {name: key for name, key in wanted.items() if not store.finished(key)}
    for index in sorted(skims().glob(f"[0-9a-f]*/{INDEX}")):
        folder = index.parent
        there = {n: k for n, k in wanted.items() if (folder / f"{k}.parquet").is_file()}
        if not there:
            continue
        try:
            took = read_index(index, there)
            put_parts(folder, took, store)
        except SkimError as error:
            _remove(folder, error)
            continue
        if took:
            print(f"ladon: {len(took)} chunks were taken from the skim {folder}", flush=True)
        done = {part.key for part in took}
        wanted = {name: key for name, key in wanted.items() if key not in done}


def keep(place: Place, product: ConvertProduct) -> None:
    """Keep what convert made as a skim, if the run is to and it was not made from one."""
    settings = place.settings()
    if settings.run.skims and settings.data.skim is None:
        keep_skim(product, settings, skims())


def keep_part(product: ConvertProduct, folder: Path) -> None:
    """Leave in a job's folder what it adds to a skim, for the job that gathers."""
    finished = [o for o in product.outcomes if o.record is not None]
    parts = [
        Part(o.key, sha256_file(product.store.rows_path(o.key)), o.record)
        for o in finished
        if o.record is not None
    ]
    write_index(folder / INDEX, parts, [part.key for part in parts])


def keep_gathered(place: Place, source: Place) -> None:
    """Keep as a skim what the jobs of `source` made: the one that a single job would have kept.

    Not where a chunk is in quarantine, or was deleted since its job ended, nor where jobs of an
    older version left no word of theirs.
    """
    settings = place.settings()
    folders = [source.part(number) for number in range(place.plan.parts)]
    if not settings.run.skims or not all((folder / INDEX).is_file() for folder in folders):
        return
    fileset = counted(folders, place.fileset(), settings)
    made: dict[str, Finished] = {}
    for number, folder in enumerate(folders):
        store = _store(place, fileset, settings, number)
        for part in read_index(folder / INDEX):
            rows = store.rows_path(part.key)
            if rows.is_file():
                made[part.key] = Finished(part.key, part.record, rows, part.sha256)
    keys = _keys(fileset, _store(place, fileset, settings))
    if keys and {*keys} <= {*made}:
        solution = sha256_file(place.folder / "solution.py")
        keep_chunks(fileset, solution, [made[key] for key in keys], settings, skims())


def _store(
    place: Place, fileset: Mapping[str, Any], settings: Settings, part: int | None = None
) -> ChunkStore:
    solution = sha256_file(place.folder / "solution.py")
    facts = facts_of(fileset, settings.data.release)
    return ChunkStore.of(CHUNKS, solution, settings, facts, part)


def _keys(fileset: Mapping[str, Any], store: ChunkStore) -> list[str]:
    kinds = {name: str(sample["kind"]) for name, sample in fileset["samples"].items()}
    return [store.key(chunk, kinds[chunk.sample]) for chunk in chunks_of(fileset)]


def _remove(folder: Path, error: SkimError) -> None:
    """Take a damaged skim away at once, so that no other job meets half of it."""
    print(f"ladon: {error}; the ROOT files are read, and the skim is made again", flush=True)
    take_away(folder)


def skims() -> Path:
    """The folder of skims of the outputs that this run, the working directory, belongs to."""
    return Path.cwd().parent / FOLDER
