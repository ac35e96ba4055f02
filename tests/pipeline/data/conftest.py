"""Fixtures of the data room: no run index of whoever runs the tests gets into them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.data.manifest import load_manifest


@pytest.fixture
def index_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty place for fetched indexes, and manifests that are read anew before and after."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    load_manifest.cache_clear()
    yield tmp_path / "cache" / "ladon" / "indexes"
    load_manifest.cache_clear()
