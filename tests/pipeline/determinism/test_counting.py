"""Counting identical answers: to the character, and to the last bit."""

from __future__ import annotations

import json

import pytest

from pipeline.determinism.counting import (
    Answer,
    Count,
    answers_sha256,
    by_temperature,
    count,
    read_logprobs,
)

ONE = Answer("a mass", logprobs=(("a", -0.5), (" mass", -1.25)))
BIT = Answer("a mass", logprobs=(("a", -0.5), (" mass", -1.2500000000000002)))
OTHER = Answer("a photon", logprobs=(("a", -0.5), (" photon", -2.0)))
CUT = Answer("a mass", finish_reason="length", logprobs=ONE.logprobs)
THOUGHT = Answer("a mass", reasoning="hm", logprobs=ONE.logprobs)
SILENT = Answer("a mass")


def test_texts_and_bits_are_counted_apart() -> None:
    first, second = [ONE] * 5, [ONE, BIT, OTHER, CUT, THOUGHT]
    found = count(first, second)
    assert found == Count(requests=5, texts=2, logprobs=3)
    assert str(found) == "2/5 texts, 3/5 log-probabilities"
    assert not found.all_texts
    assert count(first, first).all_same


def test_log_probabilities_that_are_not_told_are_not_counted() -> None:
    found = count([ONE, SILENT], [ONE, SILENT])
    assert found == Count(requests=2, texts=2, logprobs=None)
    assert found.all_same
    assert str(found) == "2/2 texts, not told log-probabilities"
    assert count([], []) == Count(0, 0, None)


def test_rounds_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        count([ONE], [])


def test_counts_by_temperature_are_coldest_first() -> None:
    found = by_temperature([1.0, 0.0, 1.0], [ONE, ONE, ONE], [OTHER, ONE, ONE])
    assert list(found.items()) == [(0.0, Count(1, 1, 1)), (1.0, Count(2, 1, 1))]


def test_the_hash_sees_one_bit() -> None:
    assert answers_sha256([ONE]) == answers_sha256([Answer(**vars(ONE))])
    assert answers_sha256([ONE]) != answers_sha256([BIT])


def test_log_probabilities_are_read_from_the_body() -> None:
    told = {"content": [{"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": []}]}
    assert read_logprobs(json.dumps({"choices": [{"logprobs": told}]})) == (("a", -0.1),)
    for body in ("", "[]", '{"choices": []}', '{"choices": [{"logprobs": null}]}'):
        assert read_logprobs(body) is None
