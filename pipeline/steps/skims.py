"""What convert and the skims below the outputs have to do with each other."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline.files import sha256_file
from pipeline.skim import (
    FOLDER,
    SkimError,
    keep_skim,
    key_of,
    open_skim,
    read_skim,
    take_parts,
)
from pipeline.skim.manifest import MANIFEST
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
    facts = facts_of(fileset, settings.data.release)
    store = ChunkStore.of(CHUNKS, sha256_file(place.folder / "solution.py"), settings, facts)
    if settings.data.skim is not None:
        folder, skim = open_skim(settings)
        take_parts(folder, skim, fileset, store)
        return
    if not settings.run.skims:
        return
    kinds = {name: str(sample["kind"]) for name, sample in fileset["samples"].items()}
    keys = [store.key(chunk, kinds[chunk.sample]) for chunk in chunks_of(fileset)]
    if all(store.finished(key) for key in keys):
        return
    folder = skims() / key_of(fileset, keys)
    if not (folder / MANIFEST).exists():
        return
    try:
        took = take_parts(folder, read_skim(folder), fileset, store)
        print(f"ladon: {len(took)} chunks were taken from the skim {folder}", flush=True)
    except SkimError as error:
        print(f"ladon: {error}; the ROOT files are read, and the skim is made again", flush=True)
        shutil.rmtree(folder, ignore_errors=True)


def keep(place: Place, product: ConvertProduct) -> None:
    """Keep what convert made as a skim, if the run is to and it was not made from one."""
    settings = place.settings()
    if settings.run.skims and settings.data.skim is None:
        keep_skim(product, settings, skims())


def skims() -> Path:
    """The folder of skims of the outputs that this run, the working directory, belongs to."""
    return Path.cwd().parent / FOLDER
