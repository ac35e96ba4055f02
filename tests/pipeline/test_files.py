"""Run files are atomic, deterministic and named by their hash."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.files import (
    RunFileError,
    read_json,
    read_table,
    replacing,
    sha256_file,
    to_json,
    write_json,
    write_table,
)


def test_json_is_canonical() -> None:
    assert to_json({"b": 1, "a": [0.5, None]}) == '{\n "a": [\n  0.5,\n  null\n ],\n "b": 1\n}\n'


def test_nan_is_refused() -> None:
    with pytest.raises(RunFileError, match="finite numbers"):
        to_json({"mu": float("nan")})


def test_broken_json_names_file_and_next_step(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{"a": ')
    with pytest.raises(RunFileError, match=r"broken\.json.*line 1.*same command again"):
        read_json(path)


def write_half(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise OSError("disk full")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    write_json(path, {"value": 1})
    with pytest.raises(OSError, match="disk full"):
        write_half(path)
    assert read_json(path) == {"value": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["kept.json"]


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    table = pd.DataFrame({"event_number": np.arange(5), "m_yy": np.linspace(105, 160, 5)})
    write_table(tmp_path / "a.parquet", table)
    write_table(tmp_path / "b.parquet", table.set_index(np.array([7, 8, 9, 10, 11])))
    assert sha256_file(tmp_path / "a.parquet") == sha256_file(tmp_path / "b.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "b.parquet"), table)
