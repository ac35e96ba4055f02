"""Sums of weights from cut bookkeepers.

The real example file has none, so the files here are synthetic: the same names and types, written
by uproot as an RNTuple (it cannot write the lists of texts of a TTree), where `:` stands for `.`.
"""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from pipeline.data.errors import BookkeeperError
from pipeline.data.physlite.cut_bookkeepers import Bookkeeper, Weights, all_events, read_weights
from pipeline.data.physlite.normalisation import checked_sum

Row = tuple[str, str, int, float, float, int]
ROWS: list[Row] = [
    ("AllExecutedEvents", "StreamAOD", 0, 90.0, 900.0, 11),
    ("AllExecutedEvents", "StreamAOD", 2, -12.5, 300.25, 20),
    ("AllExecutedEvents", "StreamRDO", 7, 5.0, 5.0, 5),
    ("AllExecutedEvents", "StreamAOD", 1, 80.0, 800.0, 10),
    ("PHYSLITEKernel", "StreamAOD", 9, 1.0, 1.0, 1),
]
NAMES = ("name", "inputStream", "cycle", "sumOfEventWeights", "sumOfEventWeightsSquared",
         "nAcceptedEvents")  # fmt: skip


def bookkeepers(rows: list[Row], incomplete: int = 0, entries: int = 1) -> ak.Array:
    """The metadata of a synthetic file."""
    columns: dict[str, Any] = {
        f"CutBookkeepersAux:{name}": ak.Array([[row[i] for row in rows]] * entries)
        for i, name in enumerate(NAMES)
    }
    columns["IncompleteCutBookkeepersAux:nAcceptedEvents"] = ak.unflatten(
        np.full(incomplete * entries, 3), [incomplete] * entries
    )
    return ak.Array(columns)


def synthetic(path: Path, rows: list[Row], incomplete: int = 0, entries: int = 1) -> Path:
    """A synthetic file with bookkeepers."""
    with uproot.recreate(path) as file:
        file.mkrntuple("MetaData", bookkeepers(rows, incomplete, entries))
    return path


def test_the_last_cycle_of_all_events_is_taken(tmp_path: Path) -> None:
    assert read_weights(synthetic(tmp_path / "a.root", ROWS)) == Weights(-12.5, 300.25, 20)


def test_incomplete_bookkeepers_are_an_error(tmp_path: Path) -> None:
    path = synthetic(tmp_path / "a.root", ROWS, incomplete=2)
    with pytest.raises(
        BookkeeperError, match=r"complete cut bookkeepers in a.root, found 2 incompl"
    ):
        read_weights(path)


def test_bookkeepers_of_another_derivation_are_an_error() -> None:
    other = Bookkeeper("HIGG1D1Kernel", "StreamAOD", 1, Weights(1.0, 1.0, 1))
    with pytest.raises(BookkeeperError, match="found HIGG1D1Kernel of StreamAOD"):
        all_events([other], "b.root")


def test_metadata_that_was_not_merged_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        BookkeeperError, match=r"expected one entry in tree 'MetaData' of a.root, f"
    ):
        read_weights(synthetic(tmp_path / "a.root", ROWS, entries=2))


def test_a_file_that_is_none_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    path.write_bytes(b"no ROOT file")
    with pytest.raises(BookkeeperError, match=r"expected readable cut bookkeepers in a.root"):
        read_weights(path)


def test_a_tree_without_them_is_an_error(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mktree("MetaData", {"n": np.int32}).extend({"n": np.array([1], np.int32)})
    with pytest.raises(BookkeeperError, match=r"expected branch 'CutBookkeepersAux.name'"):
        read_weights(tmp_path / "a.root")


@pytest.mark.realdata
def test_the_real_example_was_cut_out_without_them(samples: Path) -> None:
    with pytest.raises(
        BookkeeperError, match=r"tree 'MetaData' .* found CollectionTree; the file w"
    ):
        read_weights(samples / "2024r-pp/PHYSLITE_example.root")


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    second = [("AllExecutedEvents", "StreamAOD", 1, 112.5, 700.0, 30)]
    return [synthetic(tmp_path / "a.root", ROWS), synthetic(tmp_path / "b.root", second)]


def test_the_sum_over_all_files_stands_in_for_the_table(two: list[Path]) -> None:
    reasons: list[str] = []
    assert checked_sum(None, two, True, reasons) == 100.0
    assert reasons == []


def test_the_table_counts_where_both_agree(two: list[Path]) -> None:
    reasons: list[str] = []
    assert checked_sum(100.05, two, True, reasons) == 100.05
    assert reasons == []


def test_a_sum_that_the_table_contradicts_is_refused(two: list[Path]) -> None:
    reasons: list[str] = []
    assert checked_sum(120.0, two, True, reasons) == 120.0
    assert reasons == [
        "expected a sum of weights of 120 as in the release's table, found 100 over the 2 file(s)"
    ]


def test_the_sum_over_some_of_the_files_is_never_taken(two: list[Path]) -> None:
    reasons: list[str] = []
    assert checked_sum(None, two[:1], False, reasons) is None
    assert reasons == []  # that files are missing is the reason already


def test_a_file_without_bookkeepers_keeps_its_sample_from_being_normalised(
    two: list[Path], tmp_path: Path
) -> None:
    broken = synthetic(tmp_path / "c.root", ROWS, incomplete=1)
    reasons: list[str] = []
    assert checked_sum(100.0, [*two, broken], True, reasons) == 100.0
    assert len(reasons) == 1
    assert "incomplete" in reasons[0]
