"""Skims: what convert made of one fileset, kept so that another analysis reads no ROOT file."""

from pipeline.skim.index import INDEX, read_index, write_index
from pipeline.skim.manifest import MANIFEST, Part, Skim, SkimError, read_skim
from pipeline.skim.reading import (
    fileset_of,
    key_of,
    names_of,
    open_skim,
    put_parts,
    take_parts,
)
from pipeline.skim.writing import FOLDER, Finished, keep_chunks, keep_skim

__all__ = [
    "FOLDER",
    "INDEX",
    "MANIFEST",
    "Finished",
    "Part",
    "Skim",
    "SkimError",
    "fileset_of",
    "keep_chunks",
    "keep_skim",
    "key_of",
    "names_of",
    "open_skim",
    "put_parts",
    "read_index",
    "read_skim",
    "take_parts",
    "write_index",
]
