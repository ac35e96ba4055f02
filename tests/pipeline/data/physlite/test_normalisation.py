"""The fileset of a simulated PHYSLITE sample: its sum of weights from files and table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from pipeline.configure import configure
from pipeline.data import fileset as filesets
from pipeline.data.manifest import ManifestFile, load_manifest
from tests.pipeline.data.physlite.test_cut_bookkeepers import ROWS, bookkeepers

GGH = "343981"


def fileset(folder: Path, patch: pytest.MonkeyPatch, table: float | None, **wanted: Any) -> Any:
    """The entry of ggH, with one synthetic file of three events and bookkeepers as `wanted`."""
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
    patch.setattr(filesets, "chosen_manifest", lambda data: manifest)
    settings = configure(
        ["channel=hyy", "data=opendata_2024", f"data.location={folder}", "data.partial=true",
         "data.verify=size"]
    )  # fmt: skip
    return filesets.build_fileset(settings)["samples"][GGH]


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
