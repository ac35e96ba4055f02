"""Pairing rows by event, and the distance of two columns."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.judge.matching import differing, distance, match_rows, same_bits
from tests.pipeline.judge.tables import converted


def test_rows_are_paired_whatever_their_order() -> None:
    table = converted(500)
    mixed = table.sample(frac=1, random_state=3).iloc[:450].reset_index(drop=True)
    matching = match_rows(mixed, table)
    assert len(matching.found) == 450
    assert len(matching.only_expected) == 50
    assert matching.unpaired == 50
    numbers = mixed["event_number"].to_numpy()[matching.found]
    assert np.array_equal(numbers, table["event_number"].to_numpy()[matching.expected])


def test_an_identity_that_occurs_twice_is_paired_occurrence_by_occurrence() -> None:
    table = converted(100)
    twice = pd.concat([table, table.iloc[:3].assign(m_yy=lambda t: t.m_yy + 1)], ignore_index=True)
    mixed = twice.sample(frac=1, random_state=5).reset_index(drop=True)
    matching = match_rows(mixed, twice)
    assert matching.unpaired == 0
    masses = mixed["m_yy"].to_numpy()[matching.found], twice["m_yy"].to_numpy()[matching.expected]
    assert np.array_equal(*masses)
    assert match_rows(twice, table).unpaired == 3  # a duplicated event has no partner


def test_bits_are_compared_with_their_type() -> None:
    a = np.array([1.0, np.nan, -0.0])
    assert same_bits(a, a.copy())
    assert not same_bits(a, a.astype(np.float32))
    assert not same_bits(a, np.array([1.0, np.nan, 0.0]))
    assert not same_bits(a, np.nextafter(a, 2))
    assert same_bits(np.array(["a", "b"], object), np.array(["a", "b"], object))


def test_differing_holds_an_angle_near_zero_to_a_meetable_tolerance() -> None:
    expected = np.array([1e-9, 1.0, -2.0, np.nan, 3.0, np.inf])
    found = np.array([2e-9, 1.0 + 1e-5, -2.0, np.nan, np.nan, np.inf])
    assert list(differing(found, expected, 1e-6)) == [False, True, False, False, True, False]
    assert list(differing(np.array([1.0, 2.0]), np.array([1, 3]), 1e-6)) == [False, True]
    assert list(differing(np.array(["a"]), np.array(["b"]), 1e-6)) == [True]


@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=40),
    st.lists(st.integers(0, 20), min_size=1, max_size=40),
)
def test_the_distance_is_that_of_kolmogorov_and_smirnov(a, b) -> None:
    first, second = np.array(a), np.array(b)
    shares = [(np.mean(first <= x), np.mean(second <= x)) for x in range(21)]
    expected = max(abs(p - q) for p, q in shares)
    assert distance(first, second) == pytest.approx(expected, abs=1e-12)


def test_the_distance_counts_missing_values_and_weights() -> None:
    a = np.array([1.0, 2.0, np.nan, np.nan])
    assert distance(a, np.array([1.0, 2.0, 3.0, np.nan])) == pytest.approx(0.25)
    one = np.ones(4)
    assert distance(a, a, one, np.array([1.0, 1.0, 1.0, 5.0])) == pytest.approx(0.25)
    assert distance(a, a, one, -one) == pytest.approx(2.0)  # a flipped sign is no small thing
    assert distance(a[:0], a) == 1.0
    assert distance(a[:0], a[:0]) == 0.0
    assert distance(np.array(["x", "y"]), np.array(["y", "y"])) == pytest.approx(0.5)
