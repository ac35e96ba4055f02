"""The endpoint record: only allowed changes, nothing after an end, readable at any moment."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.serving.errors import RecordError
from executors.serving.record import ENDED, TRANSITIONS, Endpoint, Status
from tests.executors.serving.sites import LAUNCHES

STATUSES: list[Status] = ["PENDING", "LOADING", "READY", "DRAINING", "FAILED", "STOPPED"]


def pending() -> Endpoint:
    return Endpoint.of(LAUNCHES["one_gpu"], "one-001", Path("/servers/one-001/api_key"))


@given(st.lists(st.sampled_from(STATUSES), max_size=12))
def test_a_record_moves_as_the_table_says_and_never_after_its_end(wanted: list[Status]) -> None:
    endpoint = pending()
    for status in wanted:
        before = endpoint
        if status in TRANSITIONS[before.status]:
            endpoint = before.to(status, reason="a test")
            assert (endpoint.status, endpoint.reason) == (status, "a test")
            assert (endpoint.ended is not None) == (status in ENDED)
        else:
            with pytest.raises(RecordError, match=f"to follow {before.status}"):
                before.to(status)
    if endpoint.status in ENDED:
        with pytest.raises(RecordError, match="stay as it is"):
            endpoint.with_(restarts=1)
        assert not TRANSITIONS[endpoint.status]


def test_nothing_is_ready_that_did_not_load() -> None:
    assert all("READY" not in after for before, after in TRANSITIONS.items() if before != "LOADING")
    assert "LOADING" in TRANSITIONS["READY"]  # a restart
    assert "READY" not in TRANSITIONS["DRAINING"]


def test_it_is_the_user_s_alone_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    endpoint = pending().to("LOADING", node="gpu1", job="7").with_(heartbeat=5.0)
    endpoint.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Endpoint.load(path) == endpoint
    assert [p.name for p in tmp_path.iterdir()] == ["record.json"]


@pytest.mark.parametrize("text", ["", "{", '{"schema": 1}', "[]"])
def test_what_is_no_record_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "record.json"
    path.write_text(text)
    with pytest.raises(RecordError, match="expected an endpoint record"):
        Endpoint.load(path)


def test_another_schema_is_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    pending().with_(schema=2).save(path)
    with pytest.raises(RecordError, match="found schema 2"):
        Endpoint.load(path)
