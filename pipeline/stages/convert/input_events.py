"""Whether every row of a converted table is an event of the input, once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.chunks import edges
from pipeline.data.parts import with_counts
from pipeline.files import read_json
from pipeline.judge.columns import Table
from pipeline.judge.request import JudgeRequest
from pipeline.judge.verdict import Check
from pipeline.stages.convert.events import readable_events
from pipeline.stages.convert.identity import keys, without_event
from pipeline.stages.convert.ledger_table import rows_by_sample
from pipeline.stages.convert.part import COUNTS

MOST_ENTRIES, MOST_FILES = 50_000_000, 500
"""Of a whole fileset: with more of them the judge, which is one job, does not read it again."""
STEP = 2_000_000
"""Entries read at once when rows are looked up in the input."""


@dataclass(frozen=True)
class InputEvents:
    """The events that a conversion was given, as far as the judge looks them up.

    Each row was recognised as an event of its chunk, once, when that was converted
    (`ConvertContract.accept`, outside of the solution), and the ledger has every chunk once. Of a
    small fileset the judge reads run and event numbers again, and needs none of that.
    """

    fileset: Mapping[str, Any]
    """With what the jobs counted, if `again`."""
    release: str
    folder: Path
    """Output of the conversion."""
    ledger: Mapping[str, Any]
    again: bool

    @classmethod
    def of(cls, request: JudgeRequest) -> InputEvents:
        fileset, folder = request.fileset, request.output / "output"
        counts = None
        files = [f for sample in fileset["samples"].values() for f in sample["files"]]
        if not fileset.get("counted", True):
            files = counts = read_json(folder / COUNTS)
        entries = sum(int(file["entries"] or 0) for file in files)
        again = entries <= MOST_ENTRIES and len(files) <= MOST_FILES
        if again and counts is not None:
            fileset = with_counts(fileset, counts, request.settings.data.chunk_size)
        ledger = read_json(folder / "ledger.json")
        return cls(fileset, request.settings.data.release, folder, ledger, again)

    def check(self, sample: str, table: Table, known: Table | None) -> Check:
        """Every row is an event of the input, once.

        Rows that the reference (`known`) has too are events: the files are read only if there are
        others.
        """
        title = f"{sample}: event identity"
        rows = keys(table["run_number"], table["event_number"])
        strange = rows
        if known is not None:
            strange = without_event(rows, keys(known["run_number"], known["event_number"]))
        if len(strange) and not self.again:
            counted = self._rows.get(sample, 0)
            said = "rows that were events of their chunk when it was converted; there are too many"
            return Check(title, len(rows) == counted, counted, len(rows), f"{said} to read again")
        if len(strange):
            strange = without_event(rows, self._keys(sample))
        said = "rows that are no event of the input, or are there more often"
        return Check(title, not len(strange), 0, len(strange), said)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return rows_by_sample(self.ledger, self.folder)

    def _keys(self, sample: str) -> np.ndarray:
        """Keys of all events of a sample but those of chunks that cannot be read, which gave no
        rows.

        A file with damage is read again in the ranges of its chunks, so that one costs no other.
        """
        names, fileset = ["runNumber", "eventNumber"], self.fileset

        def keys_of(path: str, ranges: Iterable[tuple[int, int]]) -> Iterator[np.ndarray | None]:
            for start, stop in ranges:
                events = readable_events(path, fileset["tree"], self.release, start, stop, names)
                yield None if events is None else keys(events["runNumber"], events["eventNumber"])

        found = [np.empty(0, np.int64)]
        for file in fileset["samples"][sample]["files"]:
            path = file["path"]
            whole = list(keys_of(path, edges(int(file["entries"] or 0), STEP)))
            if any(part is None for part in whole):
                own = (c for c in fileset.get("chunks", ()) if c["path"] == path)
                whole = list(keys_of(path, ((c["start"], c["stop"]) for c in own)))
            found += [part for part in whole if part is not None]
        return np.concatenate(found)
