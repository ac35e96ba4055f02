"""The index of a skim: what one of many jobs reads of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.files import read_json
from pipeline.settings import Settings
from pipeline.skim import INDEX, SkimError, names_of, put_parts, read_index, read_skim
from pipeline.stages.convert.product import ConvertProduct
from pipeline.stages.convert.store import ChunkStore


def test_the_index_lists_the_parts_of_the_manifest(skim: Path) -> None:
    assert tuple(read_index(skim / INDEX)) == read_skim(skim).parts


def test_only_what_is_wanted_is_read(
    skim: Path, converted: tuple[Path, ConvertProduct]
) -> None:  # fmt: skip
    known = read_skim(skim)
    names = names_of(converted[1].fileset, [part.key for part in known.parts])
    wanted = {names[1]: known.parts[1].key, "another": known.parts[0].key}
    assert read_index(skim / INDEX, wanted) == [known.parts[1]]
    assert read_index(skim / INDEX, {names[0]: known.parts[1].key}) == []


def test_a_file_that_nobody_verified_is_known_by_its_state(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    path.write_bytes(b"one")
    file = {"path": str(path), "size": 3, "verified": "size"}
    fileset = {
        "samples": {"a": {"files": [file]}}, "chunks": [{"sample": "a", "path": str(path)}],
    }  # fmt: skip
    before = names_of(fileset, ["key"])
    path.write_bytes(b"another")
    assert before != names_of(fileset, ["key"]) != ["key"]
    file["verified"] = "checksum"
    assert names_of(fileset, ["key"]) == ["key"]


def test_a_damaged_index_is_said_to_be_one(skim: Path, tmp_path: Path) -> None:
    content = bytearray((skim / INDEX).read_bytes())
    content[len(content) // 3] ^= 1
    (tmp_path / INDEX).write_bytes(content)
    with pytest.raises(SkimError, match="expected the index of a skim in"):
        read_index(tmp_path / INDEX)


def test_a_damaged_part_reaches_no_store(
    skim: Path, settings: Settings, tmp_path: Path
) -> None:  # fmt: skip
    parts = read_index(skim / INDEX)
    away = tmp_path / "skim"
    away.mkdir()
    for path in skim.iterdir():
        (away / path.name).write_bytes(path.read_bytes())
    (away / f"{parts[-1].key}.parquet").write_bytes(b"no rows")
    store = ChunkStore.of(tmp_path / "chunks", read_json(skim / "skim.json")["solution_sha256"],
                          settings)  # fmt: skip
    with pytest.raises(SkimError, match="this part of the skim is damaged and was not used"):
        put_parts(away, parts, store)
    assert not store.folder.exists()
    put_parts(skim, parts, store)
    assert [store.finished(part.key) for part in parts] == [part.record for part in parts]
