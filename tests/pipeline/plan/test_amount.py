"""Amounts: their intervals when multiplied and added."""

from __future__ import annotations

import math

import pytest

from pipeline.plan.amount import Amount, total


def test_relative_intervals_add_in_quadrature() -> None:
    product = Amount.within(10.0, 2.0, "a").times(Amount.within(3.0, 3.0, "b"))
    factor = math.exp(math.hypot(math.log(2), math.log(3)))
    assert product.value == 30
    assert product.low == pytest.approx(30 / factor)
    assert product.high == pytest.approx(30 * factor)
    assert product.how == "a; b"


def test_an_exact_amount_stays_exact_times_a_number() -> None:
    assert Amount.exact(7, "manifest").times(2).is_exact
    assert not Amount.within(7, 1.1, "estimate").times(2).is_exact


def test_what_is_not_known_stays_unknown_and_says_why() -> None:
    assert total([Amount.exact(1, "a"), Amount.unknown("no source")]) == Amount.unknown("no source")
    assert Amount.exact(2, "a").times(Amount.unknown("never measured")).how == "never measured"


def test_a_sum_adds_the_ends() -> None:
    found = total([Amount.exact(5, "a"), Amount.spread([1, 2, 9], "b")])
    assert (found.value, found.low, found.high, found.how) == (7, 6, 14, "a; b")
