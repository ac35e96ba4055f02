"""A Dask cluster with keys of its own: who has them is let in, who has not is not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from distributed import Client, Scheduler, Worker

from executors.base import ExecutorError
from executors.security import make_keys, remove_keys, security


def test_keys_are_the_user_s_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    make_keys(folder)
    assert {p.name: p.stat().st_mode & 0o777 for p in folder.iterdir()} == {
        "key.pem": 0o600,
        "certificate.pem": 0o600,
    }
    first = (folder / "key.pem").read_text()
    make_keys(folder)  # a second start
    assert (folder / "key.pem").read_text() != first
    remove_keys(folder)
    assert not folder.exists()


def test_keys_that_do_not_come(tmp_path: Path) -> None:
    with pytest.raises(ExecutorError, match="expected the first task of the allocation to make"):
        security(tmp_path / "none", within_s=0.0)


def test_only_who_holds_the_key_is_let_in(tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        make_keys(tmp_path / name)
    ours, theirs = (security(tmp_path / name) for name in ("ours", "theirs"))

    async def ask() -> tuple[int, str]:
        options = {"protocol": "tls://", "host": "127.0.0.1", "security": ours}
        async with (
            Scheduler(dashboard_address=":0", **options) as scheduler,
            Worker(scheduler.address, **options),
            Client(scheduler.address, security=ours, asynchronous=True) as client,
        ):
            answer = await client.submit(pow, 2, 5)
            refused = "let in"
            try:
                async with Client(
                    scheduler.address, security=theirs, asynchronous=True, timeout="2s"
                ):
                    pass
            except OSError as error:
                refused = type(error).__name__
            return answer, refused

    answer, refused = asyncio.run(ask())
    assert answer == 32
    assert refused != "let in"
