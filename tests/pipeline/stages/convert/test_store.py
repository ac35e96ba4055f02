"""The chunk store: keys that name everything, and files that are there whole or not at all."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from executors.base import Chunk
from pipeline.settings import Settings
from pipeline.stages.convert.store import BLINDED, ROOT, ChunkStore, sources

CHUNK = Chunk("00ff", "data_A", "/somewhere/a.root", "analysis", 10, 14)
COLUMNS = {
    "run_number": np.array([1, 1, 2], dtype=np.int64),
    "ph1_pt": np.array([50.5, np.nan, 60.0], dtype=np.float32),
    "trigger": np.array([True, False, True]),
}
HIDDEN = np.array([False, True, False])


@pytest.fixture
def store(tmp_path: Path, settings: Settings) -> ChunkStore:
    return ChunkStore.of(tmp_path, "ab" * 32, settings)


def test_what_was_saved_comes_back(store: ChunkStore) -> None:
    key = store.key(CHUNK, "data")
    assert store.finished(key) is None
    record = store.save(key, CHUNK, COLUMNS, HIDDEN, (("all", 4), ("tight", 3)))
    assert store.finished(key) == record
    assert (record.events, record.rows, record.blinded) == (4, 3, 1)
    table = store.load(key)
    assert table.column_names == [*COLUMNS, BLINDED]
    for name, values in COLUMNS.items():
        found = table[name].to_numpy()
        assert found.dtype == values.dtype
        np.testing.assert_array_equal(found, values)
    assert table[BLINDED].to_pylist() == HIDDEN.tolist()


def test_the_same_rows_are_the_same_bytes(store: ChunkStore) -> None:
    store.save("a" * 32, CHUNK, COLUMNS, HIDDEN, (("all", 4),))
    store.save("b" * 32, CHUNK, COLUMNS, HIDDEN, (("all", 4),))
    assert store.rows_path("a" * 32).read_bytes() == store.rows_path("b" * 32).read_bytes()


def test_a_truncated_file_is_not_finished(store: ChunkStore) -> None:
    key = store.key(CHUNK, "data")
    store.save(key, CHUNK, COLUMNS, HIDDEN, (("all", 4),))
    path = store.rows_path(key)
    path.write_bytes(path.read_bytes()[:-1])
    assert store.finished(key) is None
    path.unlink()
    assert store.finished(key) is None


def test_rows_that_a_crash_left_without_content_are_not_finished(store: ChunkStore) -> None:
    """The length of a file may be on the disk, and its bytes not."""
    key = store.key(CHUNK, "data")
    store.save(key, CHUNK, COLUMNS, HIDDEN, (("all", 4),))
    path = store.rows_path(key)
    path.write_bytes(bytes(path.stat().st_size))
    assert store.finished(key) is None


@pytest.mark.parametrize(
    "content", [b"", b'{"chunk": "00', b"\0" * 200, b"\xff" * 200, b"[]", b"{}"]
)
def test_a_record_that_a_crash_left_in_part_is_none(store: ChunkStore, content: bytes) -> None:
    """A node that lost its power may leave a renamed file without its content."""
    key = store.key(CHUNK, "data")
    store.save(key, CHUNK, COLUMNS, HIDDEN, (("all", 4),))
    (store.folder / f"{key}.json").write_bytes(content)
    assert store.finished(key) is None


def test_a_key_names_everything_that_rows_depend_on(
    store: ChunkStore, tmp_path: Path, settings: Settings
) -> None:
    other_blind = replace(settings, channel=replace(settings.channel, blind=(115.0, 130.0)))
    other_release = replace(settings, data=replace(settings.data, release="2020e-13tev"))
    found = {
        store.key(CHUNK, "data"),
        store.key(CHUNK, "mc"),
        store.key(replace(CHUNK, id="00fe"), "data"),
        store.key(replace(CHUNK, stop=15), "data"),
        store.key(replace(CHUNK, tree="analysis_up"), "data"),
        ChunkStore.of(tmp_path, "cd" * 32, settings).key(CHUNK, "data"),
        ChunkStore.of(tmp_path, "ab" * 32, other_blind).key(CHUNK, "data"),
        ChunkStore.of(tmp_path, "ab" * 32, other_release).key(CHUNK, "data"),
        *(
            ChunkStore.of(tmp_path, "ab" * 32, settings, {"data_A": {"xsec_pb": x}}).key(
                CHUNK, "data"
            )
            for x in (1.0, 2.0)
        ),
    }
    assert len(found) == 10


def test_a_key_does_not_depend_on_where_things_are(
    store: ChunkStore, tmp_path: Path, settings: Settings
) -> None:
    elsewhere = ChunkStore.of(tmp_path / "elsewhere", "ab" * 32, replace(settings, unblind=True))
    moved = replace(CHUNK, path="/elsewhere/a.root")
    assert elsewhere.key(moved, "data") == store.key(CHUNK, "data")


def test_another_version_of_what_reads_takes_nothing_that_was_made_before(
    store: ChunkStore, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.stages.convert.store.version", lambda name: f"{name} of 2030")
    upgraded = ChunkStore.of(tmp_path, "ab" * 32, settings)
    assert upgraded.key(CHUNK, "data") != store.key(CHUNK, "data")


def test_a_key_names_all_of_our_code_that_rows_pass_through() -> None:
    """What channels and the door import decides rows too: rules of variables, the blinded mass.

    And how branches become arrays, here and on both sides of the wall.
    """
    covered = {path.relative_to(ROOT).as_posix() for path in sources()}
    no_rows = {"pipeline.settings", "pipeline.files", "pipeline.data.errors"}
    for name in sorted(covered):
        rooms = tuple(f"pipeline/{room}/" for room in ("channels", "data", "physics"))
        if not name.startswith(rooms) or not name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            module = str(node.module) if isinstance(node, ast.ImportFrom) else ""
            if module.startswith("pipeline.") and module not in no_rows:
                path = module.replace(".", "/") + ".py"
                assert path in covered, f"{name} imports {module}"
    assert {"pipeline/data/rules.py", "pipeline/physics/kinematics.py"} <= covered
    assert {"executors/reading.py", "executors/remote.py"} <= covered
    inside = "executors/sandbox/inside"
    assert {f"{inside}/encoding.py", f"{inside}/decoding.py"} <= covered
