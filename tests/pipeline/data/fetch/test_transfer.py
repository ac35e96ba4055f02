"""Files from real servers, good ones and bad ones: what arrives is whole and right, or named."""

from pathlib import Path

import pytest

from pipeline.data.fetch.download import Patience
from tests.mirror.nginx import Nginx
from tests.mirror.upstream import Upstream, changed
from tests.pipeline.data.fetch.conftest import Fetch, Mirror, left_over

WEB = pytest.mark.nginx
GRID = pytest.mark.xrootd


def check(mirror: Mirror, paths: dict[str, Path], folder: Path) -> None:
    """Every file of the mirror is there, bit for bit, and nothing else."""
    assert {uri: path.read_bytes() for uri, path in paths.items()} == {
        f.uri: mirror.content(f) for f in mirror.files
    }
    assert left_over(folder) == []


@WEB
def test_from_nginx_in_the_portal_s_layout(
    web: Nginx, mirror: Mirror, fetch: Fetch, tmp_path: Path
) -> None:
    outcome = fetch(web.url)
    check(mirror, outcome.paths, tmp_path / "cache")
    first = mirror.files[0]
    assert outcome.paths[first.uri] == tmp_path / "cache/eos/opendata/atlas/test/data_A.root"
    assert outcome.fetched == {f.uri for f in mirror.files}
    before = len(web.requests())
    again = fetch(web.url)
    assert (again.fetched, again.paths) == (frozenset(), outcome.paths)
    assert len(web.requests()) == before


@GRID
def test_from_xrootd(grid: str, mirror: Mirror, fetch: Fetch, tmp_path: Path) -> None:
    check(mirror, fetch(grid).paths, tmp_path / "cache")


@WEB
@pytest.mark.parametrize("way", ["slow", "moved", "whole", "upstream/ok", "upstream/fails-2",
                                 "upstream/breaks", "upstream/busy", "upstream/drips"])  # fmt: skip
def test_servers_that_bring_the_file_in_the_end(
    web: Nginx, mirror: Mirror, fetch: Fetch, tmp_path: Path, way: str
) -> None:
    check(mirror, fetch(f"{web.url}/{way}").paths, tmp_path / "cache")


@WEB
def test_what_came_before_a_break_is_not_asked_for_again(
    web: Nginx, misbehaving: Upstream, mirror: Mirror, fetch: Fetch
) -> None:
    fetch(f"{web.url}/upstream/breaks", files=mirror.files[:1])
    begin, again = misbehaving.ranges
    assert begin == ""
    offset = int(again.removeprefix("bytes=").removesuffix("-"))
    assert 0 < offset <= mirror.files[0].size // 2


@WEB
@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("nothing-here", "answered 404 Not Found"),
        ("refused", "answered 403 Forbidden"),
        ("broken", "answered 502 Bad Gateway, 3 times"),
        ("endless", "redirects without end"),
        ("upstream/fails-3", "answered 502 Bad Gateway, 3 times"),
        ("upstream/short", "expected 3000017 bytes"),
        ("upstream/long", "found a file of 3000021"),
        ("upstream/wrong", "expected adler32"),
    ],
)
def test_servers_that_never_bring_it_are_named_with_what_they_did(
    web: Nginx, mirror: Mirror, fetch: Fetch, tmp_path: Path, way: str, said: str
) -> None:
    outcome = fetch(f"{web.url}/{way}", files=mirror.files[:1])
    (failure,) = outcome.failures
    assert failure.uri == mirror.files[0].uri
    assert failure.reason.startswith("data_A.root: ")
    assert said in failure.reason
    assert f"{web.url}/{way}/eos/opendata/atlas/test/data_A.root" in failure.reason
    assert failure.absent == (way == "nothing-here")
    assert outcome.paths == {}
    assert left_over(tmp_path / "cache") == []


@WEB
def test_one_that_fails_does_not_keep_the_others(web: Nginx, mirror: Mirror, fetch: Fetch) -> None:
    absent = mirror.files[0].__class__(mirror.files[0].uri + ".gone", 5, "0" * 8, None)
    outcome = fetch(web.url, files=[absent, *mirror.files])
    assert [f.uri for f in outcome.failures] == [absent.uri]
    assert set(outcome.paths) == {f.uri for f in mirror.files}


@WEB
@GRID
@pytest.mark.parametrize("way", ["broken", "upstream/wrong", "nothing-here"])
def test_the_other_protocol_where_one_fails(
    web: Nginx, grid: str, mirror: Mirror, fetch: Fetch, tmp_path: Path, way: str
) -> None:
    check(mirror, fetch(f"{web.url}/{way}", grid).paths, tmp_path / "cache")


@WEB
@GRID
def test_what_each_source_said(web: Nginx, grid: str, mirror: Mirror, fetch: Fetch) -> None:
    absent = mirror.files[0].__class__(mirror.files[0].uri + ".gone", 5, "0" * 8, None)
    (failure,) = fetch(web.url, grid, files=[absent]).failures
    assert "404 Not Found and root://" in failure.reason
    assert "no such file" in failure.reason
    assert failure.absent


@WEB
def test_bytes_of_an_earlier_time_are_hashed_too(
    web: Nginx, mirror: Mirror, fetch: Fetch, tmp_path: Path
) -> None:
    file = mirror.files[0]
    whole = mirror.content(file)
    part = tmp_path / f"cache/eos/opendata/atlas/test/.data_A.root.{file.size}-{file.adler32}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(whole[:2_000_000])
    check(mirror, fetch(web.url).paths, tmp_path / "cache")
    assert [status for line, status in web.requests() if "data_A" in line] == [206]


@WEB
def test_a_damaged_partial_file_is_begun_anew(
    web: Nginx, mirror: Mirror, fetch: Fetch, tmp_path: Path
) -> None:
    file = mirror.files[0]
    part = tmp_path / f"cache/eos/opendata/atlas/test/.data_A.root.{file.size}-{file.adler32}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"rubbish" * 1000)
    check(mirror, fetch(web.url).paths, tmp_path / "cache")
    assert [status for line, status in web.requests() if "data_A" in line] == [206, 200]


@WEB
def test_a_partial_file_that_is_whole_needs_no_request(
    web: Nginx, mirror: Mirror, fetch: Fetch, tmp_path: Path
) -> None:
    file = mirror.files[0]
    part = tmp_path / f"cache/eos/opendata/atlas/test/.data_A.root.{file.size}-{file.adler32}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(mirror.content(file))
    check(mirror, fetch(web.url).paths, tmp_path / "cache")
    assert [line for line, _ in web.requests() if "data_A" in line] == []


@WEB
def test_a_range_that_is_not_the_one_asked_for_is_not_believed(
    web: Nginx, mirror: Mirror, fetch: Fetch, tmp_path: Path
) -> None:
    file = mirror.files[0]
    part = tmp_path / f"cache/eos/opendata/atlas/test/.data_A.root.{file.size}-{file.adler32}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(mirror.content(file)[:1000])
    (failure,) = fetch(f"{web.url}/upstream/other-range", files=[file]).failures
    assert "was asked for the bytes from 1000 on and answered with 'bytes 1001-" in failure.reason


@WEB
def test_a_file_of_another_length_is_taken_only_unverified(
    web: Nginx, mirror: Mirror, fetch: Fetch
) -> None:
    file = mirror.files[0]
    outcome = fetch(f"{web.url}/upstream/short", files=[file], verify="none")
    assert outcome.paths[file.uri].stat().st_size == file.size // 2


@WEB
@pytest.mark.parametrize("earlier", [1000, 9_000_000])
def test_an_unverified_file_is_not_put_together_from_two(
    web: Nginx, mirror: Mirror, fetch: Fetch, tmp_path: Path, earlier: int
) -> None:
    file = mirror.files[0]
    part = tmp_path / f"cache/eos/opendata/atlas/test/.data_A.root.{file.size}-{file.adler32}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * earlier)  # of what the server had before
    outcome = fetch(web.url, files=[file], verify="none")
    assert outcome.failures == ()
    assert outcome.paths[file.uri].read_bytes() == mirror.content(file)


@WEB
def test_nor_from_one_that_changes_while_it_is_read(
    web: Nginx, mirror: Mirror, fetch: Fetch
) -> None:
    file = mirror.files[0]
    outcome = fetch(f"{web.url}/upstream/changes", files=[file], verify="none")
    assert outcome.paths[file.uri].read_bytes() == changed(mirror.content(file))


@WEB
def test_nor_from_two_sources(web: Nginx, mirror: Mirror, fetch: Fetch) -> None:
    file = mirror.files[0]
    hasty = Patience(attempts=1, first_s=0.01, longest_s=0.05, timeout_s=5)
    outcome = fetch(
        f"{web.url}/upstream/breaks", web.url, files=[file], verify="none", patience=hasty
    )
    assert outcome.paths[file.uri].read_bytes() == mirror.content(file)
    assert web.requests()[-1] == (
        "GET /eos/opendata/atlas/test/data_A.root HTTP/1.1",
        200,
    )  # all of it from the second
