"""The fileset of a simulated PHYSLITE sample: its sum of weights from files and table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from pipeline.configure import configure
from pipeline.data import fileset as filesets
from pipeline.data.fetch import wanted as wanted_of_remote
from pipeline.data.manifest import ManifestFile, load_manifest
from tests.mirror.upstream import Upstream, upstream
from tests.pipeline.data.physlite.test_cut_bookkeepers import ROWS, bookkeepers

GGH = "343981"


def fileset(
    folder: Path,
    patch: pytest.MonkeyPatch,
    table: float | None,
    server: str | None = None,
    count: bool = True,
    **wanted: Any,
) -> Any:
    """The entry of ggH, with one synthetic file of three events and bookkeepers as `wanted`.

    With a `server` before the folder the file is streamed from there.
    """
    path = folder / "DAOD_PHYSLITE.synthetic._000001.pool.root.1"
    with uproot.recreate(path) as file:
        numbers = {"EventInfoAuxDyn.runNumber": np.arange(3, dtype=np.uint32)}
        file.mktree("CollectionTree", {n: v.dtype for n, v in numbers.items()}).extend(numbers)
        file.mkrntuple("MetaData", bookkeepers(ROWS, **wanted))
    known = load_manifest("2024r-pp")
    skim = known.skims["physlite"]
    listed = ManifestFile(f"root://portal//{path.name}", path.stat().st_size, "00000000", 3)
    sample = replace(skim.samples[GGH], files=(listed,), sum_of_weights=table)
    skim = replace(skim, samples={**skim.samples, GGH: sample})
    manifest = replace(known, skims={"physlite": skim})
    for module in (filesets, wanted_of_remote):
        patch.setattr(module, "chosen_manifest", lambda data: manifest)
    settings = configure(
        ["channel=hyy", "data=opendata_2024", f"data.location={server or folder}",
         "data.partial=true", "data.verify=size", f"data.access={'stream' if server else 'copy'}"]
    )  # fmt: skip
    return filesets.build_fileset(settings, count=count)["samples"][GGH]


@pytest.mark.parametrize("table", [None, -12.5])
def test_bookkeepers_normalise_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: float | None
) -> None:
    sample = fileset(tmp_path, monkeypatch, table)
    assert sample["sum_of_weights"] == -12.5
    assert sample["normalisable"]
    assert sample["complete"]


def test_another_sum_than_the_tables_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = fileset(tmp_path, monkeypatch, 5660114.77)
    assert not sample["normalisable"]
    assert "expected a sum of weights of 5.66011e+06 as in the release's table" in sample["reason"]


def test_incomplete_bookkeepers_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = fileset(tmp_path, monkeypatch, -12.5, incomplete=1)
    assert not sample["normalisable"]
    assert "expected complete cut bookkeepers" in sample["reason"]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Upstream]:
    with upstream(tmp_path) as server:
        yield server


@pytest.mark.parametrize("count", [True, False])
@pytest.mark.parametrize("way", ["ok", "fails-1"])
def test_a_streamed_sample_is_normalised_as_a_local_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: Upstream, way: str, count: bool
) -> None:
    sample = fileset(tmp_path, monkeypatch, None, f"{web.url}/{way}", count)
    assert sample["files"][0]["path"].startswith(web.url)
    assert (sample["sum_of_weights"], sample["normalisable"]) == (-12.5, True)


def test_a_streamed_sample_is_checked_against_its_bookkeepers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: Upstream
) -> None:
    other = fileset(tmp_path, monkeypatch, 5660114.77, f"{web.url}/ok")
    assert "expected a sum of weights of 5.66011e+06 as in the release's table" in other["reason"]
    left = fileset(tmp_path, monkeypatch, -12.5, f"{web.url}/ok", incomplete=1)
    assert "expected complete cut bookkeepers in DAOD_PHYSLITE.synthetic" in left["reason"]
