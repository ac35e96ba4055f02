"""Which samples may be normalised, and why there is no measurement where there is none."""

from pathlib import Path

import pytest

from pipeline.stages.samples import cannot_measure, describe_samples
from tests.pipeline.stages.tables import (
    DATA,
    Chain,
    Content,
    diphoton,
    four_lepton,
    samples,
    settings,
    without,
)

FEW = diphoton(Content(tight=60, loose=60, simulated=30))
FACTS = samples(FEW)


def test_complete_samples_can_be_measured() -> None:
    assert cannot_measure(FACTS, needs_background=False) is None


def test_no_signal_sample() -> None:
    facts = without(FACTS, [name for name in FACTS if name != DATA], "2 of 2 files are missing")
    assert cannot_measure(facts, needs_background=False) == (
        "no simulated signal sample is complete: ggH (343981): 2 of 2 files are missing; and 3 more"
    )


def test_data_alone() -> None:
    assert cannot_measure({DATA: FACTS[DATA]}, needs_background=False) == (
        "no simulated signal sample is complete: there is none"
    )


def test_one_signal_sample_lacking_is_enough() -> None:
    reason = cannot_measure(without(FACTS, ["346525"], "1 of 3 files is missing"), False)
    assert reason == (
        "not every simulated signal sample is complete: ttH (346525): 1 of 3 files is missing"
    )


def test_background_is_needed_where_it_comes_from_simulation() -> None:
    facts = without(samples(four_lepton()), ["700600"], "no file was found")
    assert cannot_measure(facts, needs_background=False) is None
    assert cannot_measure(facts, needs_background=True) == (
        "no simulated background sample is complete: ZZ (700600): no file was found"
    )


def test_incomplete_data_have_another_luminosity() -> None:
    reason = cannot_measure(without(FACTS, [DATA], "3 of 4 files are missing"), False)
    assert reason is not None
    assert reason.startswith("the data are not complete, so that their luminosity is not")
    assert reason.endswith("data (data15_periodD): 3 of 4 files are missing")


@pytest.mark.parametrize("name", ["343981", DATA])
def test_a_quarantined_chunk_makes_a_sample_incomplete(tmp_path: Path, name: str) -> None:
    lost = {
        "entries_expected": 30,
        "entries_done": 20,
        "chunks": 3,
        "quarantined": 1,
        "complete": False,
    }
    chain = Chain.start(tmp_path, FEW, settings(), ledger={name: lost})
    found = describe_samples(chain.context("preprocess"))
    assert not found[name]["complete"]
    assert not found[name]["normalisable"]
    assert found[name]["reason"] == (
        "1 of 3 chunks were quarantined, so that 20 of 30 entries were read"
    )
    assert found["346214"]["normalisable"]
    assert cannot_measure(found, needs_background=False) is not None
