"""Asking again: as long as a fault may pass, and no longer."""

from __future__ import annotations

import pytest

from executors import patience
from executors.patience import patiently


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_S", 0.0)


def failing(times: int, error: Exception) -> tuple[list[int], object]:
    calls: list[int] = []

    def ask() -> int:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return len(calls)

    return calls, ask


def test_a_fault_that_passes_is_waited_out() -> None:
    _, ask = failing(2, ConnectionError("refused"))
    assert patiently(ask) == 3  # type: ignore[arg-type]


def test_one_that_stays_is_raised_in_the_end() -> None:
    calls, ask = failing(9, ConnectionError("refused"))
    with pytest.raises(ConnectionError, match="refused"):
        patiently(ask, attempts=4)  # type: ignore[arg-type]
    assert len(calls) == 4


def test_what_says_nothing_of_passing_is_raised_at_once() -> None:
    calls, ask = failing(1, ValueError("damaged"))
    with pytest.raises(ValueError, match="damaged"):
        patiently(ask)  # type: ignore[arg-type]
    assert len(calls) == 1
