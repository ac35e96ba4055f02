"""Partial files on disks that cannot lock, and on disks that are full at the last moment."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from pipeline.data.fetch.cache import Cache
from pipeline.data.fetch.faults import DiskFullError
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


def test_a_disk_that_is_full_when_the_file_is_whole(
    web: Nginx, mirror: Mirror, fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(os, "fsync", refuse)  # network file systems say it only here
    with pytest.raises(DiskFullError, match=r"found the disk full \(Disk quota exceeded\); free"):
        fetch(web.url, files=mirror.files[:1])
    assert left_over(tmp_path / "cache") == []
