"""Tables in files: what is read of them, and that nothing else is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.files import RunFileError, read_table, write_blocks, write_table
from pipeline.stages import stored
from pipeline.stages.stored import INPUT_ROW, StoredTable, StoredTables, narrowed

GROUP = 7
"""Rows per row group of the files here."""


def rows(number: int = 40) -> pd.DataFrame:
    number_of = np.arange(number)
    return pd.DataFrame(
        {
            "m": np.where(number_of % 5 == 0, np.nan, number_of).astype(np.float32),
            "event": number_of,
            "text": ["é", "b"] * (number // 2),
            "good": number_of % 3 == 0,
        }
    )


@pytest.fixture
def table(tmp_path: Path) -> StoredTable:
    path = tmp_path / "one.parquet"
    arrow = pa.Table.from_pandas(rows(), preserve_index=False).replace_schema_metadata(None)
    pq.write_table(arrow, path, row_group_size=GROUP)
    return StoredTable(path)


@pytest.mark.parametrize("places", [[3], [39, 0, 0, 17, 6, 7], list(range(40)), []])
def test_some_rows_come_as_asked(table: StoredTable, places: list[int]) -> None:
    found = table.take(np.asarray(places, np.int64), ["good", "text", "m", "absent"])
    right = rows().iloc[places][["m", "text", "good"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, right)


def test_row_groups_without_a_wanted_row_stay_unread(
    table: StoredTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    class Counted(pq.ParquetFile):
        def read_row_group(self, i: int, *given: object, **named: object) -> pa.Table:
            read.append((i, named["columns"]))
            return super().read_row_group(i, *given, **named)

    monkeypatch.setattr(stored.pq, "ParquetFile", Counted)
    table.take(np.asarray([15, 14, 38]), ["event"])
    assert read == [(2, ["event"]), (5, ["event"])]


def test_blocks_are_the_row_groups(table: StoredTable, tmp_path: Path) -> None:
    blocks = list(table.blocks())
    assert [len(block) for block in blocks] == [7, 7, 7, 7, 7, 5]
    pd.testing.assert_frame_equal(pd.concat(blocks, ignore_index=True), rows())
    write_table(tmp_path / "empty.parquet", rows(0))
    (empty,) = StoredTable(tmp_path / "empty.parquet").blocks()
    pd.testing.assert_frame_equal(empty, rows(0))


def test_a_table_is_read_when_it_is_taken_and_not_kept(table: StoredTable) -> None:
    tables = StoredTables({"one": table, "gone": StoredTable(Path("nowhere.parquet"))})
    assert list(tables) == ["one", "gone"]
    assert "gone" in tables  # looking for a name opens no file
    with pytest.raises(FileNotFoundError):
        tables["gone"]
    first = tables["one"]
    first["m"] = 0.0
    pd.testing.assert_frame_equal(tables["one"], rows())


def test_narrowed_tables_are_alike_in_files_and_in_memory(table: StoredTable) -> None:
    names = ["event", "m", "absent"]
    found = narrowed(StoredTables({"one": table}), names)["one"]
    assert list(found.columns) == ["m", "event", INPUT_ROW]
    pd.testing.assert_frame_equal(found, narrowed({"one": rows()}, names)["one"])
    assert found[INPUT_ROW].tolist() == list(range(40))
    assert found["m"].dtype == np.float32


def test_blocks_of_whole_row_groups_give_the_bytes_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.files.ROW_GROUP", GROUP)
    whole, parts = tmp_path / "whole.parquet", tmp_path / "parts.parquet"
    write_table(whole, rows())
    write_blocks(parts, (rows().iloc[start : start + 14] for start in (0, 14, 28)))
    assert whole.read_bytes() == parts.read_bytes()
    pd.testing.assert_frame_equal(read_table(parts), rows())
    with pytest.raises(RunFileError, match="whole row groups of 7 rows, found 10 rows before"):
        write_blocks(parts, [rows().iloc[:10], rows().iloc[10:]])
    with pytest.raises(RunFileError, match="a block of rows to write"):
        write_blocks(parts, [])
    assert whole.read_bytes() == parts.read_bytes()
