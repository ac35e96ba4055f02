"""Which samples a process names: one by one, or all data of the skim."""

from pipeline.data.chosen import ALL_DATA, expanded
from pipeline.data.manifest import load_manifest


def test_all_data_of_a_skim_at_once() -> None:
    listed = load_manifest("2024r-pp").skims["physlite"].samples
    found = expanded([ALL_DATA, "343981"], listed)
    assert len(found) == 318
    assert found[0] == "data15_run_00266904"
    assert found[-1] == "343981"
    assert found[:-1] == sorted(n for n, s in listed.items() if s.kind == "data")


def test_samples_are_named_once_and_in_their_order() -> None:
    listed = load_manifest("2020e-13tev").skims["4lep"].samples
    names = ["data_B", "345060", ALL_DATA, "unknown"]
    assert expanded(names, listed) == ["data_B", "345060", "data_A", "data_C", "data_D", "unknown"]
