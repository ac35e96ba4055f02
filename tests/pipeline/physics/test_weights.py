"""The weight formula and the sums of signed weights."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.physics.weights import (
    NormalisationError,
    normalisation,
    weighted_histogram,
    weighted_yield,
)


def test_sum_over_all_generated_events_is_the_number_produced() -> None:
    weights = np.array([2.0, -1.0, 3.0, 2.0])
    factor = normalisation(28.3, 0.00227, 1.717, float(weights.sum()), 36.1)
    assert (weights * factor).sum() == pytest.approx(28.3 * 1.717 * 0.00227 * 36100)
    assert (weights * factor).sum() == pytest.approx(3981.9, abs=0.1)


def test_produced_numbers_of_physics_md(open_data: Path) -> None:
    inputs = json.loads((open_data / "hyy_2025_inputs.json").read_text())
    expected = {"343981": 3981, "346214": 310, "345319": 62, "345061": 10, "346525": 42}
    found = {
        sample["dsid"]: normalisation(sample["xsec"], sample["eff"], sample["k"], 1.0, 36.1)
        for sample in inputs["mc"]
        if sample["dsid"] in expected
    }
    assert found == pytest.approx(expected, abs=1.0)


@pytest.mark.parametrize("total", [0.0, float("nan"), float("inf")])
def test_impossible_sums_are_an_error(total: float) -> None:
    with pytest.raises(NormalisationError, match="sum_of_weights="):
        normalisation(1.0, 1.0, 1.0, total, 36.1)


def test_yield_keeps_signs() -> None:
    found = weighted_yield([1.0, 1.0, -1.0])
    assert (found.events, found.error, found.entries) == (1.0, pytest.approx(3**0.5), 3)
    assert found.effective_entries == pytest.approx(1 / 3)
    assert weighted_yield([]).effective_entries == 0.0


def test_histogram_has_sums_of_weights_and_of_their_squares() -> None:
    contents, squares = weighted_histogram([0.5, 0.6, 1.5, 2.0], [1, -2, 3, 4], [0, 1, 2])
    assert contents.tolist() == [-1.0, 7.0]
    assert squares.tolist() == [5.0, 25.0]
