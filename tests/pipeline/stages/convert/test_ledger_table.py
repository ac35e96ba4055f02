"""The ledger of many jobs: exact, however many write at once, and whoever is killed meanwhile."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from executors.base import Err
from pipeline.data.parts import read_part, write_parts
from pipeline.files import write_json
from pipeline.stages.convert import ledger_table
from pipeline.stages.convert.ledger import ChunkOutcome, LedgerError, ledger
from pipeline.stages.convert.ledger_table import (
    FILE,
    ledger_of,
    listed,
    read_rows,
    rows_by_sample,
    rows_of,
)
from tests.benchmarks import synthetic_set as scale

FILES, PARTS, CHUNKS = 2000, 12, 2000 * scale.CHUNKS_PER_FILE
ROOT = Path(__file__).resolve().parents[4]
WRITER = """
import sys
from itertools import cycle
from pathlib import Path
from pipeline.data.parts import read_part
from pipeline.stages.convert.ledger_table import FILE, write_rows
from tests.benchmarks.synthetic_set import rows_of_part

folder, endless, *numbers = sys.argv[1:]
folder = Path(folder)
print("begins", flush=True)
for number in map(int, cycle(numbers) if endless == "endless" else numbers):
    rows = rows_of_part(read_part(folder / "f.parts.json", number))
    for _ in range(5):
        write_rows(folder / "parts" / str(number) / FILE, rows)
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic fileset of 2,000 files in parts."""
    folder = tmp_path_factory.mktemp("ledger")
    write_parts(scale.synthetic_fileset(FILES, counted=True), PARTS, folder / "f.parts.json")
    return folder


def whole_table(folder: Path) -> pa.Table:
    tables = [scale.rows_of_part(read_part(folder / "f.parts.json", n)) for n in range(PARTS)]
    return pa.concat_tables(tables).unify_dictionaries()


def test_many_writers_that_are_killed_lose_and_double_nothing(small: Path) -> None:
    draw = random.Random(7)

    def start(numbers: list[int], endless: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-c", WRITER, str(small), endless, *map(str, numbers)]
        return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE)

    for _ in range(2):  # every part by two writers at once, which are killed
        order = draw.sample(range(PARTS), PARTS)
        writers = [start(order[:8], "endless"), start(order[4:], "endless")]
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"begins\n"
        while not list((small / "parts").glob(f"*/{FILE}")):
            time.sleep(0.05)
        time.sleep(draw.random())
        for writer in writers:
            writer.kill()
            writer.communicate()
            assert writer.returncode == -signal.SIGKILL
        # what is there is whole, at any moment
        for path in (small / "parts").glob(f"*/{FILE}"):
            assert len(read_rows([path])) % scale.CHUNKS_PER_FILE == 0
    last = [start(list(range(0, PARTS, 2)), "once"), start(list(range(PARTS)), "once")]
    for writer in last:
        writer.communicate()
    assert [w.returncode for w in last] == [0, 0]

    table = read_rows([small / "parts" / str(n) / FILE for n in range(PARTS)])
    content = ledger_of(scale.synthetic_fileset(FILES, counted=True), table, "0" * 64)
    samples = content["samples"].values()
    assert sum(s["chunks"] for s in samples) == len(table) == CHUNKS
    assert sum(s["entries_done"] for s in samples) == CHUNKS * scale.EVENTS
    assert all(s["complete"] and not s["quarantined"] for s in samples)


def test_the_table_says_what_the_list_of_outcomes_says() -> None:
    whole = scale.synthetic_fileset(scale.SAMPLES, counted=True)
    part = {**whole, "samples": dict(list(whole["samples"].items())[:3])}
    for sample in part["samples"].values():
        for place, file in enumerate(sample["files"]):
            file["number"] = place
    outcomes, hashes = scale.outcomes_of(part)
    lost = outcomes[4]
    fault = Err(lost.chunk, "file", "no such file")
    outcomes[4] = ChunkOutcome(lost.chunk, lost.key, None, fault)
    del hashes[lost.key]
    part["counted"] = True
    table = rows_of(outcomes, hashes, scale.numbers_of(part))
    assert ledger_of(part, table, "ab" * 32) == ledger(part, outcomes, "ab" * 32, hashes)


def test_rows_by_sample_from_a_list_and_from_a_table(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(
        [{"sample": name, "rows": rows} for name, rows in (("a", 2), ("b", 0), ("a", 5))]
    )
    pq.write_table(table, tmp_path / FILE)
    for content in ({"table": FILE}, {"chunks": table.to_pylist()}):
        assert rows_by_sample(content, tmp_path) == {"a": 7, "b": 0}


def test_a_long_ledger_has_a_table_beside_it(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = whole_table(small)
    fileset = scale.synthetic_fileset(FILES, counted=True)
    content = ledger_of(fileset, table, "0" * 64)
    assert (content["table"], "chunks" in content) == (FILE, False)
    ledger_table.write_rows(tmp_path / FILE, table)
    monkeypatch.setattr(ledger_table, "LISTED", CHUNKS)
    short = ledger_of(fileset, table, "0" * 64)
    assert listed(content, tmp_path) == listed(short, tmp_path) == short["chunks"]
    write_json(tmp_path / "ledger.json", content)
    assert (tmp_path / "ledger.json").stat().st_size < 100_000


@pytest.mark.parametrize("wrong", ["left out", "counted twice", "no such sample", "last", "stray"])
def test_a_ledger_that_does_not_add_up_is_refused(small: Path, wrong: str) -> None:
    fileset: dict[str, Any] = scale.synthetic_fileset(FILES, counted=True)
    table = whole_table(small)
    sentence = wrong
    if wrong == "left out":
        table = pa.concat_tables([table.slice(0, 700), table.slice(701)])
    elif wrong == "counted twice":
        table = pa.concat_tables([table, table.slice(3123, 1)])
    elif wrong == "last":
        keep = pc.not_equal(table["id"], table["id"][scale.CHUNKS_PER_FILE - 1])
        table, sentence = table.filter(keep), "expected chunks up to entry 15000 of"
    elif wrong == "no such sample":
        del fileset["samples"]["700000"]
        sentence = "found chunks of sample 700000, which the fileset does not have"
    else:
        for sample in fileset["samples"].values():
            sample["files"] = sample["files"][:-1]
        sentence = "found chunks of a file that sample 700000 does not have"
    with pytest.raises(LedgerError, match=sentence):
        ledger_of(fileset, table, "0" * 64)


def test_no_rows_at_all(tmp_path: Path) -> None:
    ledger_table.write_rows(tmp_path / FILE, ledger_table.SCHEMA.empty_table())
    table = read_rows([tmp_path / FILE])
    empty = {"samples": {"a": {"kind": "data", "complete": True, "files": []}}}
    content = ledger_of(empty, table, "0" * 64)
    assert content["chunks"] == []
    assert content["samples"]["a"]["complete"]


@pytest.mark.parametrize("empty", [("a", "c"), ("a",), ("c",)])
def test_samples_without_files_do_not_hide_what_is_wrong(empty: tuple[str, ...]) -> None:
    """As data.partial leaves them: none of the files of a sample is there."""
    file = {"path": "/x/b.root", "entries": 10}
    samples = {n: {"complete": True, "files": []} for n in (*empty, "b")}
    samples["b"]["files"] = [file]
    fileset = {"samples": dict(sorted(samples.items()))}
    with pytest.raises(LedgerError, match=r"up to entry 10 of b\.root of sample b, found 0"):
        ledger_of(fileset, ledger_table.SCHEMA.empty_table(), "0" * 64)
