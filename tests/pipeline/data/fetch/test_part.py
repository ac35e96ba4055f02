"""Partial files on disks that cannot lock."""

from __future__ import annotations

import errno
import fcntl
from pathlib import Path

import pytest

from pipeline.data.fetch.cache import Cache
from tests.mirror.nginx import Nginx
from tests.pipeline.data.fetch.conftest import Fetch, Mirror, left_over

pytestmark = pytest.mark.nginx


def test_what_comes_on_a_disk_without_locks_is_not_evicted(
    web: Nginx, mirror: Mirror, fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)  # as on a Lustre that is mounted without `flock`
    cache = Cache(tmp_path / "cache", limit=sum(f.size for f in mirror.files))
    # The third begins when the second is whole; the first one is half here then.
    outcome = fetch(f"{web.url}/slow", cache=cache, jobs=2)
    assert outcome.failures == ()
    assert outcome.evicted == ()
    assert set(outcome.paths) == {f.uri for f in mirror.files}
    assert left_over(tmp_path / "cache") == []
