"""The record of a measurement: it comes back, and its sentence says what was identical."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.determinism.counting import Count
from pipeline.determinism.record import (
    ALONE,
    CROWDED,
    FILE,
    Compared,
    DeterminismRecordError,
    Record,
    newest,
    sentence,
)

RECORD = Record(
    model="owner/model",
    revision="abc",
    deterministic=True,
    spec_sha256="1" * 64,
    server_version="0.32.0",
    device="gpu",
    hardware={"gpus": 2, "gres": "gpu:a100"},
    running=14,
    max_tokens=128,
    compared=(
        Compared(ALONE, 0.0, Count(10, 10, 10)),
        Compared(ALONE, 0.7, Count(10, 10, 10)),
        Compared(CROWDED, 0.0, Count(10, 10, 9)),
        Compared(CROWDED, 0.7, Count(10, 8, 7)),
    ),
    measured=1.0,
)


def test_it_comes_back_and_is_the_user_s_alone(tmp_path: Path) -> None:
    path = tmp_path / FILE
    RECORD.save(path)
    assert Record.load(path) == RECORD
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1, "compared": 1}'])
def test_what_is_no_record_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE
    path.write_text(text)
    with pytest.raises(DeterminismRecordError, match="expected a record of schema 1"):
        Record.load(path)


def test_the_sentence_gives_the_counts_and_no_more() -> None:
    assert sentence(RECORD) == (
        "Measured with deterministic=true, vLLM 0.32.0, on 2 GPUs (gpu:a100): of 20 requests, "
        "asked alone twice, 20 texts and the log-probabilities of 20 were identical; asked alone "
        "and in a crowd of 16 (the server worked on 14 at a time), 18 texts and the "
        "log-probabilities of 16."
    )
    assert sentence(replace(RECORD, disturbed=True)).endswith("Others asked the server meanwhile.")
    compared = tuple(replace(c, count=replace(c.count, logprobs=None)) for c in RECORD.compared)
    silent = replace(
        RECORD, compared=compared, running=None, device="cpu", hardware={}, server_version=None
    )
    assert sentence(silent) == (
        "Measured with deterministic=true, vLLM of unknown version, on processors: of 20 requests, "
        "asked alone twice, 20 texts were identical; asked alone and in a crowd of 16, 18 texts."
    )


def test_the_newest_of_the_same_spec_is_found(tmp_path: Path) -> None:
    for number, record in enumerate(
        (RECORD, replace(RECORD, measured=3.0), replace(RECORD, spec_sha256="2" * 64, measured=9.0))
    ):
        (tmp_path / f"m-{number}").mkdir()
        record.save(tmp_path / f"m-{number}" / FILE)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / FILE).write_text("{")
    assert newest(tmp_path, "1" * 64) == ("m-1", replace(RECORD, measured=3.0))
    assert newest(tmp_path, "3" * 64) is None
    assert newest(tmp_path / "none", "1" * 64) is None
