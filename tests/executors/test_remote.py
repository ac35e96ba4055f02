"""Chunks read over the network: from servers that do as they should, and that do not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import uproot
from aiohttp import ClientResponseError, RequestInfo
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from executors import diagnosis, reading
from executors.base import Chunk
from executors.diagnosis import diagnose
from executors.local import InlineCoffea
from executors.remote import RangeError, remote_size
from executors.runner import run
from tests.mirror.nginx import Nginx, before, nginx
from tests.mirror.process import free_port
from tests.mirror.upstream import Upstream, upstream
from tests.mirror.xrootd import xrootd

ENTRIES = 20_000


class Sum:
    """Adds up a branch."""

    branches = ("pt",)

    def __call__(self, events: object, chunk: Chunk) -> dict[str, float]:
        return {"sum": float(np.sum(events["pt"].to_numpy()))}  # type: ignore[index]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("remote")
    draw = np.random.default_rng(1)
    with uproot.recreate(folder / "a.root") as file:
        tree = file.mktree("analysis", {"pt": "float64", "eta": "float64"})
        for _ in range(4):
            tree.extend({name: draw.random(ENTRIES // 4) for name in ("pt", "eta")})
    return folder


@pytest.fixture
def behind(root: Path) -> Iterator[Upstream]:
    with upstream(root) as server:
        yield server


@pytest.fixture
def web(root: Path, behind: Upstream, tmp_path: Path) -> Iterator[Nginx]:
    with nginx(root, tmp_path / "nginx", before(behind.url)) as server:
        yield server
    reading.close()


def chunk(path: str) -> Chunk:
    return Chunk("c", "s", path, "analysis", 5_000, 15_000)


def read(path: str) -> np.ndarray:
    events = reading.read(chunk(path), ["pt"])
    values: np.ndarray = events["pt"].to_numpy()
    reading.close()
    return values


@pytest.mark.nginx
@pytest.mark.parametrize("way", ["", "/moved", "/upstream/ok"])
def test_over_http_it_is_the_same(web: Nginx, root: Path, way: str) -> None:
    assert read(f"{web.url}{way}/a.root").tolist() == read(str(root / "a.root")).tolist()


@pytest.mark.nginx
def test_only_what_is_asked_for_comes(web: Nginx, behind: Upstream, root: Path) -> None:
    read(f"{web.url}/upstream/ok/a.root")
    edges = [r.removeprefix("bytes=").split("-") for r in behind.ranges if r]
    asked = sum(int(stop) - int(start) + 1 for start, stop in edges)
    assert asked < 0.6 * (root / "a.root").stat().st_size


@pytest.mark.xrootd
def test_over_xrootd_it_is_the_same(root: Path, tmp_path: Path) -> None:
    with xrootd(root, tmp_path) as address:
        assert read(f"{address}//a.root").tolist() == read(str(root / "a.root")).tolist()
        assert remote_size(f"{address}//a.root") == (root / "a.root").stat().st_size
        with pytest.raises(OSError, match="no such file") as caught:
            read(f"{address}//b.root")
        kind, said = diagnose(chunk(f"{address}//b.root"), ["pt"], caught.value)
        assert kind == "file"
        assert "expected the file b.root at root://" in said


@pytest.mark.nginx
@pytest.mark.parametrize(
    ("way", "kind", "said"),
    [
        ("broken", "system", "502"),
        ("nothing-here", "file", "expected the file a.root at http://"),
        ("refused", "file", "403"),
        ("whole", "file", "the server does not know ranges; take data.access=copy"),
        ("upstream/short", "file", "expected"),
    ],
)
def test_what_went_wrong_is_told_apart(web: Nginx, way: str, kind: str, said: str) -> None:
    one = chunk(f"{web.url}/{way}/a.root")
    with pytest.raises(Exception) as caught:
        reading.read(one, ["pt"])
    reading.close()
    found, sentence = diagnose(one, ["pt"], caught.value)
    assert (found, said in sentence) == (kind, True), sentence


@pytest.mark.nginx
def test_a_server_without_ranges_is_not_believed(web: Nginx) -> None:
    with pytest.raises(RangeError, match="does not know ranges"):
        read(f"{web.url}/whole/a.root")


@pytest.mark.nginx
def test_errors_for_a_while_are_overcome(web: Nginx, root: Path) -> None:
    one = chunk(f"{web.url}/upstream/fails-2/a.root")
    (result,) = run(InlineCoffea(), [one], Sum(), retries=3)
    (local,) = run(InlineCoffea(), [chunk(str(root / "a.root"))], Sum(), retries=0)
    assert result.attempts == 3  # type: ignore[union-attr]
    assert result.value == local.value  # type: ignore[union-attr]
    reading.close()


@pytest.mark.parametrize("scheme", ["http", pytest.param("root", marks=pytest.mark.xrootd)])
def test_a_server_that_is_not_there_is_a_fault_of_the_system(scheme: str) -> None:
    one = chunk(f"{scheme}://127.0.0.1:{free_port()}//a.root")
    with pytest.raises(Exception) as caught:
        reading.read(one, ["pt"])
    assert diagnose(one, ["pt"], caught.value)[0] == "system"


@pytest.mark.nginx
def test_an_error_while_looking_for_the_reason_is_one_of_the_system(
    web: Nginx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the web client raises is no OSError and cannot be pickled: it may not leave a worker."""

    def refuse(path: str) -> None:
        headers = CIMultiDictProxy[str](CIMultiDict())
        asked = RequestInfo(URL(path), "GET", headers)
        raise ClientResponseError(asked, (), status=502, headers=headers)

    monkeypatch.setattr(diagnosis, "open_remote", refuse)
    kind, said = diagnose(chunk(f"{web.url}/a.root"), ["pt"], ValueError("damaged"))
    assert kind == "system"
    assert "while a.root was looked at" in said
