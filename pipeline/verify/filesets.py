"""Filesets: each entry of each file is in one chunk, and synthetic files are those made for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.stages.convert.ledger import LedgerError, check_tiling
from pipeline.stages.convert.runner import chunks_of
from pipeline.verify.findings import Group
from pipeline.verify.folder import RunFolder

REMEDY = "restore it from a copy of the run"
OF_FILE = ("adler32", "entries", "size", "uri", "path")
OF_SAMPLE = {
    "sum_of_weights": "sum_of_weights", "xsec_pb": "cross_section_pb", "k_factor": "k_factor",
    "filter_efficiency": "filter_efficiency", "kind": "kind",
}  # fmt: skip
"""Member of a sample in a fileset -> the same in the record of a synthetic file."""


def check_fileset(run: RunFolder, key: str, group: Group) -> None:
    """One fileset: its chunks, and its files against the records of what was made for it."""
    name = f"fileset/{key}.json"
    fileset = run.json(name, group)
    if fileset is None:
        return
    try:
        if fileset.get("counted", True):  # else convert's jobs count, and their ledger is checked
            check_tiling(fileset, chunks_of(fileset))
        group.holds(True, name, "", "")
    except (LedgerError, LookupError, TypeError) as error:
        group.holds(False, name, "each entry of each file once", str(error))
    for record in run.layout.synthetic_records(key):
        made = run.json(record, group)
        if made is not None:
            _check_made(name, fileset, record, made, group)


def _check_made(
    name: str, fileset: Mapping[str, Any], record: str, made: Any, group: Group
) -> None:
    try:
        told = dict(_pairs(made))
        for sample, about in fileset["samples"].items():
            for file in about["files"]:
                mine = {k: file[k] for k in OF_FILE} | {k: about.get(k) for k in OF_SAMPLE}
                theirs = told.pop((sample, file["uri"]), {})
                for member, value in theirs.items():
                    what = f"{member} of {file['uri']} as {name} has it,"
                    group.same(record, what, mine[member], value, REMEDY)
                group.holds(bool(theirs), record, f"the file {file['uri']} of {name}", "no such",
                            REMEDY)  # fmt: skip
        extra = sorted(uri for _, uri in told)
        group.same(record, f"no file that {name} does not have;", [], extra, REMEDY)
    except (LookupError, TypeError, AttributeError) as error:
        said = f"{type(error).__name__}: {error}"
        group.holds(False, record, f"the files that {name} was made from", said, REMEDY)


def _pairs(made: Any) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """(sample, file) -> what the generator said of it, in the words of a fileset."""
    for one in made:
        said = {k: one[k] for k in OF_FILE}
        said |= {k: one.get(theirs) for k, theirs in OF_SAMPLE.items()}
        yield (one["sample"], one["uri"]), said
