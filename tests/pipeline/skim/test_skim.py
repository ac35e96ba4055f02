"""A skim stands for the ROOT files: the same bits without them, and nothing that was changed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.data.errors import DataError
from pipeline.files import read_json, read_table, sha256_file, write_json
from pipeline.settings import Settings
from pipeline.skim import (
    SkimError,
    fileset_of,
    keep_skim,
    key_of,
    open_skim,
    read_skim,
    take_parts,
)
from pipeline.skim.manifest import choices
from pipeline.stages.convert.contract import reference_path
from pipeline.stages.convert.product import ConvertProduct
from pipeline.stages.convert.store import BLINDED, ChunkStore
from tests.pipeline.skim.conftest import convert
from tests.pipeline.stages.convert.conftest import DATA, MC
from tests.pipeline.stages.convert.files import fileset

OPENED: list[str] = []
"""ROOT files that this process opened while `opened` was watching."""
_WATCHING: list[bool] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _WATCHING and event == "open" and str(arguments[0]).endswith(".root"):
        OPENED.append(str(arguments[0]))


sys.addaudithook(_note)


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Names of the ROOT files that are opened from now on (a hook cannot be taken away again)."""
    OPENED.clear()
    _WATCHING.append(True)
    yield OPENED
    _WATCHING.clear()


def from_skim(skim: Path, settings: Settings, folder: Path) -> Path:
    """What the steps fileset and convert do with `data.skim`; the run's folder."""
    chosen = replace(settings, data=replace(settings.data, skim=str(skim)))
    content = fileset_of(chosen)
    store = ChunkStore.of(folder / "chunks", sha256_file(reference_path(chosen)), chosen)
    take_parts(*open_skim(chosen), content, store)
    convert(content, chosen, folder)
    return folder


def outputs(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256_file(path)
        for part in ("output", "sealed")
        for path in sorted((folder / part).iterdir())
    }


def test_the_same_bits_without_the_root_files(
    converted: tuple[Path, ConvertProduct], skim: Path, settings: Settings, tmp_path: Path,
    files: dict[str, list[Path]], opened: list[str],
) -> None:  # fmt: skip
    away = {path: path.with_suffix(".away") for paths in files.values() for path in paths}
    for path, hidden in away.items():
        path.rename(hidden)
    try:
        again = from_skim(skim, settings, tmp_path / "run")
    finally:
        for path, hidden in away.items():
            hidden.rename(path)
    assert outputs(again) == outputs(converted[0])
    assert len(outputs(again)) == 5
    assert opened == []


def test_the_watch_sees_a_root_file(
    files: dict[str, list[Path]], settings: Settings, tmp_path: Path, opened: list[str]
) -> None:
    convert(fileset(files, 10**6), settings, tmp_path)
    assert sorted(set(opened)) == sorted(str(p) for paths in files.values() for p in paths)


def test_blinded_rows_stay_hidden_until_a_run_is_unblinded(
    skim: Path, settings: Settings, tmp_path: Path
) -> None:
    hidden = from_skim(skim, settings, tmp_path / "blind")
    shown = from_skim(skim, replace(settings, unblind=True), tmp_path / "open")
    every = len(read_table(hidden / "sealed" / f"{DATA}.parquet"))
    some = len(read_table(hidden / "output" / f"{DATA}.parquet"))
    assert 0 < every - some == read_json(skim / "skim.json")["totals"]["blinded"]
    assert len(read_table(shown / "output" / f"{DATA}.parquet")) == every
    assert BLINDED not in pq.read_schema(hidden / "output" / f"{DATA}.parquet").names


def test_its_manifest(converted: tuple[Path, ConvertProduct], skim: Path) -> None:
    manifest = read_json(skim / "skim.json")
    product = converted[1]
    rows = sum(len(pq.read_table(path)) for path in skim.glob("*.parquet"))
    assert manifest["totals"]["rows"] == rows > 100
    assert manifest["totals"]["events"] == sum(len(o.chunk) for o in product.outcomes)
    assert manifest["columns"][-1] == [BLINDED, "bool"]
    assert dict(manifest["columns"])["m_yy"] == "double"
    files = [f["path"] for s in manifest["fileset"]["samples"].values() for f in s["files"]]
    assert sorted(files) == ["first.root", "second.root", "short.root"]
    assert read_skim(skim).key == skim.name
    for part in read_skim(skim).parts:
        assert sha256_file(skim / f"{part.key}.parquet") == part.sha256


def test_kept_twice_is_one_skim(
    converted: tuple[Path, ConvertProduct], skim: Path, settings: Settings
) -> None:
    before = (skim / "skim.json").stat().st_mtime_ns
    assert keep_skim(converted[1], settings, skim.parent) == skim
    assert (skim / "skim.json").stat().st_mtime_ns == before
    assert [p.name for p in skim.parent.iterdir()] == [skim.name]


def test_what_is_left_of_a_removed_skim_is_no_obstacle(
    converted: tuple[Path, ConvertProduct], skim: Path, settings: Settings
) -> None:
    """Whoever removes a skim's folder may be stopped half-way, its manifest gone and parts left."""
    parts = read_skim(skim).parts
    (skim / "skim.json").unlink()
    (skim / f"{parts[0].key}.parquet").unlink()
    assert keep_skim(converted[1], settings, skim.parent) == skim
    assert read_skim(skim).parts == parts
    assert all(sha256_file(skim / f"{part.key}.parquet") == part.sha256 for part in parts)
    assert [p.name for p in skim.parent.iterdir()] == [skim.name]


@pytest.mark.parametrize("harm", ["one bit", "cut", "gone", "unmarked"])
def test_a_damaged_part_is_refused(
    harm: str, skim: Path, settings: Settings, tmp_path: Path
) -> None:
    blinded = [p for p in read_skim(skim).parts if p.record.blinded]
    victim = skim / f"{blinded[0].key}.parquet"
    content = bytearray(victim.read_bytes())
    table = pq.read_table(victim)
    victim.unlink()  # it is one more name of a file that others use
    if harm == "one bit":
        content[len(content) // 2] ^= 1
    if harm == "unmarked":
        index = table.schema.get_field_index(BLINDED)
        shown = np.zeros(len(table), dtype=bool)
        pq.write_table(table.set_column(index, table.schema.field(index), [shown]), victim)
    elif harm != "gone":
        victim.write_bytes(content[: len(content) // 2] if harm == "cut" else content)
    with pytest.raises(SkimError, match=f"{victim.name}.*damaged and was not used") as caught:
        from_skim(skim, settings, tmp_path / "run")
    assert isinstance(caught.value, DataError)
    assert list((tmp_path / "run").rglob("*.parquet")) == []


def test_a_changed_manifest_is_refused(skim: Path, settings: Settings, tmp_path: Path) -> None:
    manifest = read_json(skim / "skim.json")
    manifest["fileset"]["samples"][MC]["kind"] = "data"
    write_json(skim / "skim.json", manifest)
    with pytest.raises(SkimError, match="it was changed"):
        from_skim(skim, settings, tmp_path / "run")
    (skim / "skim.json").write_text("[1]")
    with pytest.raises(SkimError, match="expected the manifest of a skim"):
        read_skim(skim)


def test_no_skim(tmp_path: Path) -> None:
    with pytest.raises(SkimError, match=r"found no skim\.json there"):
        read_skim(tmp_path)


def test_other_events_are_refused(skim: Path, settings: Settings, tmp_path: Path) -> None:
    channel = replace(settings.channel, blind=(122.0, 128.0))
    with pytest.raises(SkimError, match=r"channel.blind \(122.0, 128.0\).*found one with \[120"):
        from_skim(skim, replace(settings, channel=channel), tmp_path)
    data = replace(settings.data, mu=2.0)
    with pytest.raises(SkimError, match=r"data.mu 2.0 in .*found one with 1.0"):
        from_skim(skim, replace(settings, data=data), tmp_path)


def test_the_skim_of_a_share_stays_blinded(
    converted: tuple[Path, ConvertProduct], settings: Settings, tmp_path: Path
) -> None:
    product = converted[1]
    part = replace(product, fileset={**product.fileset, "share": "10%"})
    folder = keep_skim(part, settings, tmp_path / "skims")
    of_share = replace(settings, data=replace(settings.data, skim=str(folder)))
    assert open_skim(of_share)[0] == folder
    with pytest.raises(SkimError, match=r"found one of data\.share=10% .* leave unblind away"):
        open_skim(replace(of_share, unblind=True))


def test_a_skim_without_some_files_is_refused_unless_data_are_partial(
    converted: tuple[Path, ConvertProduct], settings: Settings, tmp_path: Path
) -> None:
    """As a folder is in which they are missing."""
    product = converted[1]
    samples = dict(product.fileset["samples"])
    samples[MC] = {**samples[MC], "role": "signal", "missing": ["root://there/b.root"]}
    samples[DATA] = {**samples[DATA], "role": "other", "missing": ["root://there/c.root"]}
    some = replace(product, fileset={**product.fileset, "samples": samples})
    folder = keep_skim(some, settings, tmp_path / "skims")
    plain = replace(settings, data=replace(settings.data, skim=str(folder)))
    with pytest.raises(SkimError, match=rf"1 of 1 are incomplete: sample {MC} misses 1 files; .*"):
        open_skim(plain)
    partial = replace(settings, data=replace(plain.data, partial=True))
    assert open_skim(partial)[0] == folder


def test_synthetic_events_are_not_taken_for_real_ones(skim: Path, settings: Settings) -> None:
    """Real and fetched: a manifest that says that its files are synthetic labels their skim too."""
    data = replace(settings.data, skim=str(skim), synthetic=False)
    fetched = replace(settings, data=replace(data, synthetic_manifest=True))
    assert choices(fetched)["data"]["synthetic"] is True
    with pytest.raises(SkimError, match=r"expected a skim with data\.synthetic False .* with True"):
        open_skim(replace(settings, data=data))


def test_another_solution_or_other_code_is_refused(
    skim: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = replace(settings, data=replace(settings.data, skim=str(skim)))
    content = fileset_of(chosen)
    with pytest.raises(SkimError, match="converted by the solution ffffffffffffffff, found one by"):
        take_parts(*open_skim(chosen), content, ChunkStore.of(tmp_path, "f" * 64, chosen))
    monkeypatch.setattr("pipeline.stages.convert.store.code_sha256", lambda: "0" * 64)
    store = ChunkStore.of(tmp_path, sha256_file(reference_path(chosen)), chosen)
    with pytest.raises(SkimError, match="reading code, found one by another"):
        take_parts(*open_skim(chosen), content, store)


def test_a_file_that_nobody_verified_is_known_by_its_time(
    files: dict[str, list[Path]], tmp_path: Path
) -> None:
    shutil.copy(files[MC][0], tmp_path / "mc.root")
    content = fileset({MC: [tmp_path / "mc.root"]})
    before = key_of(content, ["a"])
    (tmp_path / "mc.root").touch()
    assert key_of(content, ["a"]) != before
    content["samples"][MC]["files"][0]["verified"] = "checksum"
    verified = key_of(content, ["a"])
    (tmp_path / "mc.root").unlink()
    assert key_of(content, ["a"]) == verified


def test_what_a_process_of_the_same_number_has_begun_is_left_alone(
    converted: tuple[Path, ConvertProduct], settings: Settings, tmp_path: Path
) -> None:
    """It may be at work on another node: its parts are further names of its own chunk store."""
    product = converted[1]
    chunk = product.outcomes[0]
    there = keep_skim(product, settings, tmp_path / "skims")
    assert there is not None
    begun = there.with_name(f".{there.name}.{os.getpid()}")
    shutil.rmtree(there)
    begun.mkdir()
    os.link(product.store.rows_path(chunk.key), begun / f"{chunk.key}.parquet")
    assert keep_skim(product, settings, tmp_path / "skims") == there
    assert read_skim(there).parts
    assert [p.name for p in begun.iterdir()] == [f"{chunk.key}.parquet"]
    assert sorted(p.name for p in there.parent.iterdir()) == sorted((begun.name, there.name))
