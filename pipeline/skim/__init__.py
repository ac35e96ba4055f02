"""Skims: what convert made of one fileset, kept so that another analysis reads no ROOT file."""

from pipeline.skim.manifest import Part, Skim, SkimError, read_skim
from pipeline.skim.reading import fileset_of, key_of, open_skim, take_parts
from pipeline.skim.writing import FOLDER, keep_skim

__all__ = [
    "FOLDER",
    "Part",
    "Skim",
    "SkimError",
    "fileset_of",
    "keep_skim",
    "key_of",
    "open_skim",
    "read_skim",
    "take_parts",
]
