"""Each limit names itself, what was used, and what was allowed."""

from __future__ import annotations

import pytest

from agents.chat import Usage
from agents.limits import LimitReached, Limits, Prices, Spent, check_limits

SPENT = Spent(rounds=2, calls=5, tokens=Usage(1_000_000, 500_000), model_s=1800.0, bench_s=200.0)
PRICES = Prices(per_million_prompt=2.0, per_million_completion=6.0, per_hour=4.0)


def test_the_cost_is_the_sum_of_its_prices() -> None:
    assert SPENT.cost(PRICES) == 2.0 + 3.0 + 2.0
    assert SPENT.wall_s == 2000.0


@pytest.mark.parametrize(
    ("limits", "which", "used", "allowed"),
    [
        (Limits(max_calls=5), "max_calls", 5, 5),
        (Limits(max_tokens=1_000_000), "max_tokens", 1_500_000, 1_000_000),
        (Limits(max_wall_s=1999.0), "max_wall_s", 2000.0, 1999.0),
        (Limits(max_cost=6.5, prices=PRICES), "max_cost", 7.0, 6.5),
    ],
)
def test_a_limit_that_is_reached(limits: Limits, which: str, used: float, allowed: float) -> None:
    with pytest.raises(LimitReached, match=f"within {which}=") as raised:
        check_limits(limits, SPENT)
    reached = raised.value
    assert (reached.which, reached.used, reached.allowed) == (which, used, allowed)
    assert (reached.category, reached.attribution) == ("limit", "model")


def test_limits_that_are_not_reached() -> None:
    check_limits(Limits(), SPENT)
    check_limits(
        Limits(max_calls=6, max_tokens=1_500_001, max_wall_s=2000.1, max_cost=7.1, prices=PRICES),
        SPENT,
    )


def test_no_rounds_make_no_sense() -> None:
    with pytest.raises(ValueError, match="max_rounds=0"):
        Limits(max_rounds=0)
