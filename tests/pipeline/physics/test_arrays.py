"""Pairs of values and weights, without what is not finite."""

import numpy as np
import pytest

from pipeline.physics.arrays import finite_pair


def test_rows_without_a_mass_are_left_out() -> None:
    mass, weight = finite_pair([1.0, np.nan, 3.0], [0.5, 1.0, -2.0])
    assert mass.tolist() == [1.0, 3.0]
    assert weight.tolist() == [0.5, -2.0]


def test_weights_default_to_one() -> None:
    assert finite_pair([1.0, 2.0])[1].tolist() == [1.0, 1.0]


def test_a_weight_that_is_not_finite_is_an_error() -> None:
    with pytest.raises(ValueError, match="finite weights, found 1 of 2"):
        finite_pair([1.0, 2.0], [np.inf, 1.0])


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match=r"\(2,\) and \(1,\)"):
        finite_pair([1.0, 2.0], [1.0])
