"""Mirrors for the tests of fetching: files of random bytes behind real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.data.fetch.cache import Cache
from pipeline.data.fetch.download import Patience
from pipeline.data.fetch.transfer import Outcome, Transfer
from pipeline.data.manifest import ManifestFile
from tests.mirror.files import lay
from tests.mirror.nginx import Nginx, before, nginx
from tests.mirror.upstream import Upstream, upstream
from tests.mirror.xrootd import xrootd

SIZES = {"data_A.root": 3_000_017, "data_B.root": 1_500_000, "empty.root": 0}
HASTY = Patience(attempts=3, first_s=0.01, longest_s=0.05, timeout_s=5)


@dataclass(frozen=True)
class Mirror:
    """A folder in the portal's layout and its files."""

    root: Path
    files: list[ManifestFile]

    def content(self, file: ManifestFile) -> bytes:
        """What the file should hold."""
        return (self.root / Cache(Path()).place(file.uri)).read_bytes()


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    """Three files: two of some megabytes, and an empty one."""
    root = tmp_path_factory.mktemp("mirror")
    return Mirror(root, lay(root, SIZES))


@pytest.fixture
def misbehaving(mirror: Mirror) -> Iterator[Upstream]:
    """The server that misbehaves as its paths say; nginx stands before it."""
    with upstream(mirror.root) as server:
        yield server


@pytest.fixture
def web(mirror: Mirror, misbehaving: Upstream, tmp_path: Path) -> Iterator[Nginx]:
    """nginx before the mirror, and before the misbehaving server."""
    with nginx(mirror.root, tmp_path / "nginx", before(misbehaving.url)) as server:
        yield server


@pytest.fixture(scope="session")
def grid(mirror: Mirror, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An XRootD server before the mirror."""
    with xrootd(mirror.root, tmp_path_factory.mktemp("xrootd")) as address:
        yield address


Fetch = Callable[..., Outcome]


@pytest.fixture
def fetch(mirror: Mirror, tmp_path: Path) -> Fetch:
    """Bring the mirror's files into an empty cache from the sources that are given."""

    def run(*sources: str, patience: Patience = HASTY, **options: object) -> Outcome:
        files = options.pop("files", mirror.files)
        cache = options.pop("cache", Cache(tmp_path / "cache"))
        transfer = Transfer(cache, sources, patience=patience, **options)  # type: ignore[arg-type]
        return transfer.run(files, lambda *told: None)  # type: ignore[arg-type]

    return run


def left_over(folder: Path) -> list[Path]:
    """Partial files and pins below a folder: what a transfer should not leave behind."""
    return [p for p in folder.rglob(".*") if p.is_file() or p.suffix == ".part"]
