"""The store of synthetic files: shared where settings allow, healed where damaged."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.configure import configure
from pipeline.data.errors import GenerationError, IncompleteSampleError
from pipeline.data.fileset import build_fileset
from pipeline.data.synthetic import generate, sample_names, synthesize
from pipeline.data.synthetic.synthesis import generator_version, storage_key

SMALL = ["channel=hyy", "data=synthetic", "data.luminosity=0.2"]


def test_a_file_is_made_once_and_healed_when_damaged(tmp_path: Path) -> None:
    settings = configure(SMALL)
    first = synthesize(settings, "345061", tmp_path)
    path = Path(first["path"])
    stamp = path.stat().st_mtime_ns
    assert synthesize(settings, "345061", tmp_path) == first
    assert path.stat().st_mtime_ns == stamp
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert synthesize(settings, "345061", tmp_path) == first
    path.unlink()
    assert synthesize(settings, "345061", tmp_path) == first


def test_the_store_can_be_moved(tmp_path: Path) -> None:
    settings = configure(SMALL)
    first = synthesize(settings, "345061", tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    again = synthesize(settings, "345061", tmp_path / "there")
    assert again["path"] == first["path"].replace("/here/", "/there/")
    assert {**again, "path": ""} == {**first, "path": ""}


@pytest.mark.parametrize(
    ("change", "data", "simulation"),
    [
        ("data.mu=2", True, False),
        ("data.luminosity=0.3", True, False),
        ("data.thinning=0.2", True, False),
        ("data.seed=7", True, True),
        ("data.chunk_size=5", False, False),
        ("data.verify=none", False, False),
    ],
)
def test_what_a_file_depends_on(change: str, data: bool, simulation: bool) -> None:
    before, after = configure(SMALL), configure([*SMALL, change])
    assert (storage_key(before, "data16_periodL") != storage_key(after, "data16_periodL")) is data
    assert (storage_key(before, "343981") != storage_key(after, "343981")) is simulation


def test_the_generator_is_named_by_its_code() -> None:
    assert len(generator_version()) == 64


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    told: list[tuple[int, int, int]] = []
    made = generate(
        "hyy", configure(SMALL).data, tmp_path_factory.mktemp("store"),
        lambda *three: told.append(three),
    )  # fmt: skip
    assert told[-1] == (23, 23, sum(r["entries"] for r in made))
    return made


def test_the_fileset_of_synthetic_samples(records: list[dict[str, Any]]) -> None:
    fileset = build_fileset(configure([*SMALL, "data.chunk_size=1000"]), records)
    assert fileset["synthetic"] is True
    assert list(fileset["samples"]) == sample_names("hyy")
    assert all(s["complete"] and s["normalisable"] for s in fileset["samples"].values())
    assert {f["verified"] for s in fileset["samples"].values() for f in s["files"]} == {"checksum"}
    ggh = fileset["samples"]["343981"]
    made = next(r for r in records if r["sample"] == "343981")
    assert (ggh["process"], ggh["role"], ggh["xsec_pb"]) == ("ggH", "signal", 0.110277)
    assert ggh["sum_of_weights"] == made["sum_of_weights"]
    total = sum(c["stop"] - c["start"] for c in fileset["chunks"])
    assert total == sum(r["entries"] for r in records)
    assert max(c["stop"] - c["start"] for c in fileset["chunks"]) <= 1000
    assert fileset["notes"] == []


def test_a_missing_record_or_none_at_all(records: list[dict[str, Any]]) -> None:
    with pytest.raises(
        IncompleteSampleError, match="record of the synthetic sample data15_periodD"
    ):
        build_fileset(configure(SMALL), records[1:])
    with pytest.raises(GenerationError, match="found none; start the run again"):
        build_fileset(configure(SMALL), [])
