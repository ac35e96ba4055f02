"""Shares of the data: the same files every time, each share within the next."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.configure import configure
from pipeline.data import fileset
from pipeline.data.locate import Located
from pipeline.data.manifest import ManifestFile, Sample, load_manifest
from pipeline.data.share import STEPS, number_in, share_of

NAMES = st.lists(st.text("abcdef0123456789", min_size=1, max_size=8), unique=True, max_size=300)


@given(NAMES, st.randoms())
def test_each_share_is_within_the_next(names: list[str], chance) -> None:  # type: ignore[no-untyped-def]
    uris = [f"root://host//eos/{name}.root" for name in names]
    shares = [share_of(uris, step) for step in STEPS]
    assert all(small <= large for small, large in itertools.pairwise(shares))
    assert shares[-1] == set(uris)
    assert [len(s) for s in shares] == [number_in(len(uris), step) for step in STEPS]
    chance.shuffle(uris)
    assert [share_of(uris, step) for step in STEPS] == shares


def test_numbers_of_files() -> None:
    assert [number_in(55_620, step) for step in STEPS] == [1, 557, 5562, 55_620]
    assert [number_in(16, step) for step in STEPS] == [1, 1, 2, 16]
    assert [number_in(0, step) for step in STEPS] == [0, 0, 0, 0]


def test_a_mirror_has_the_same_share() -> None:
    names = [f"file_{i}.root" for i in range(100)]
    there = share_of([f"root://eos//a/{n}" for n in names], "10%")
    here = share_of([f"/mirror/{n}" for n in names], "10%")
    assert {u.rpartition("/")[2] for u in there} == {u.rpartition("/")[2] for u in here}


def test_a_run_of_which_a_share_has_no_file_is_known_all_the_same(
    index_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its index was fetched: the advice to fetch it would be of no use."""
    folder = "root://eospublic.cern.ch//eos/opendata/atlas/rucio/data15_13TeV"
    listed: dict[str, Sample] = {}
    manifest = load_manifest("2024r-pp")
    skim = manifest.skim("physlite")
    for name, sample in skim.samples.items():
        file = ManifestFile(f"{folder}/DAOD_PHYSLITE.{name}.pool.root.1", 1, "00000000", None)
        listed[name] = sample if sample.files else replace(sample, files=(file,))
    manifest = replace(manifest, skims={"physlite": replace(skim, samples=listed)})
    monkeypatch.setattr(fileset, "locate", lambda *_: Located({}, (), ()))
    monkeypatch.setattr(fileset, "check_something_there", lambda *_: None)
    monkeypatch.setattr(fileset, "chosen_manifest", lambda _: manifest)
    settings = configure(
        ["channel=hyy", "data=opendata_2024", f"data.location={tmp_path}", "data.share=one",
         "data.partial=true"]
    )  # fmt: skip
    found = fileset.build_fileset(settings)["samples"]
    reasons = {s["reason"] for s in found.values() if s["kind"] == "data"}
    assert reasons == {"data.share leaves out 1 of its files", "1 of its 1 file(s) missing"}
