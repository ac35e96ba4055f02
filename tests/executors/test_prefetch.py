"""Reading ahead: what is given out together, and that no chunk is lost, doubled or another's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import uproot
from hypothesis import given
from hypothesis import strategies as st

from executors import reading
from executors.base import Chunk, ChunkExecutor, Ok
from executors.local import InlineExecutor
from executors.prefetch import MOST, Ahead, most_together, runs_of
from tests.executors.tasks import Failing, Sums
from tests.mirror.upstream import Upstream, upstream

FILES, ENTRIES, STEP = 3, 1_000, 100


def chunks_of(base: str) -> list[Chunk]:
    """Ten chunks of each file at an address, or in a folder."""
    return [
        Chunk(f"{f}.{start}", "s", f"{base}/{f}.root", "analysis", start, start + STEP)
        for f in range(FILES)
        for start in range(0, ENTRIES, STEP)
    ]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ahead")
    for f in range(FILES):
        numbers = np.arange(ENTRIES) + f * ENTRIES
        with uproot.recreate(folder / f"{f}.root") as file:
            file.mktree("analysis", {"number": "int64", "pt": "float64"})
            for start in range(0, ENTRIES, 300):
                part = numbers[start : start + 300]
                file["analysis"].extend({"number": part, "pt": part / 2})
    return folder


@pytest.fixture
def web(root: Path) -> Iterator[Upstream]:
    with upstream(root) as server:
        yield server
    reading.close()


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 20)), max_size=8), st.integers(1, 9))
def test_runs_keep_the_order_and_their_size(files: list[tuple[bool, int]], most: int) -> None:
    chunks = [
        Chunk(f"{f}.{n}", "s", f"{'http://x/' if away else '/x/'}{f}", "t", n, n + 1)
        for f, (away, number) in enumerate(files)
        for n in range(number)
    ]
    runs = runs_of(chunks, most)
    assert [c for run in runs for c in run] == chunks
    assert all(len(run) <= most for run in runs)
    assert all(len(run) == 1 for run in runs if not run[0].path.startswith("http"))
    for f, (away, number) in enumerate(files):
        pieces = sum(any(c.path.endswith(f"/{f}") for c in run) for run in runs)
        assert pieces == (-(-number // most) if away else number)


def test_no_worker_waits_for_one_that_has_much_left() -> None:
    assert [most_together(n, 2) for n in (1, 6, 12, 47, 10_000)] == [1, 1, 2, 7, MOST]


@pytest.mark.parametrize("ill", [False, True])
def test_every_chunk_is_done_once_and_as_from_the_disk(
    executor: ChunkExecutor, root: Path, web: Upstream, ill: bool
) -> None:
    """Also where the first answer to every request is an error, so that nothing is read ahead."""
    told: list[str] = []
    chunks = chunks_of(f"{web.url}/{'fails-1' if ill else 'ok'}")
    results = executor.map(chunks, Sums(), lambda result: told.append(result.chunk.id))
    assert [r.chunk for r in results] == chunks
    assert sorted(told) == sorted(c.id for c in chunks)
    local = InlineExecutor().map(chunks_of(str(root)), Sums())
    values = [[r.value for r in those if isinstance(r, Ok)] for those in (results, local)]
    assert len(values[0]) == len(chunks)
    assert values[0] == values[1]


@pytest.mark.parametrize("kind", ["processes", "dask"])
@pytest.mark.parametrize(("how", "expected"), [("die", "worker"), ("die_once", "ok")])
def test_the_one_that_kills_its_worker_is_found_among_those_together_with_it(
    started: dict[str, ChunkExecutor],
    web: Upstream,
    tmp_path: Path,
    kind: str,
    how: str,
    expected: str,
) -> None:
    chunks = chunks_of(f"{web.url}/ok")
    task = Failing(how, chunks[13].id, tmp_path)
    results = started[kind].map(chunks, task)
    found = ["ok" if isinstance(r, Ok) else r.kind for r in results]
    assert found == ["ok"] * 13 + [expected] + ["ok"] * 16


def test_the_next_chunk_comes_while_one_is_worked_on(web: Upstream) -> None:
    first, second = chunks_of(f"{web.url}/ok")[9:11]  # of two files
    events = reading.read(first, ["number"])
    reading.read_ahead(second, ["number"])
    assert reading._AHEAD._future is not None
    reading._AHEAD._future.result(timeout=30)
    before = web.asked.total()
    assert reading.read(second, ["number"])["number"].tolist()[:2] == [1000, 1001]
    assert web.asked.total() == before
    assert events["number"].tolist()[0] == 900


def test_another_chunk_than_was_expected_is_read_by_itself(web: Upstream) -> None:
    first, second, third = chunks_of(f"{web.url}/ok")[:3]
    reading.read(first, ["number"])
    reading.read_ahead(second, ["number"])
    assert reading.read(third, ["number"])["number"].tolist()[0] == 200
    assert reading.read(second, ["pt"])["pt"].tolist()[0] == 50.0
    assert reading.read(second, ["number"])["number"].tolist()[0] == 100


def test_an_error_is_met_by_the_chunk_that_has_it(root: Path, web: Upstream) -> None:
    gone = Chunk("gone", "s", f"{web.url}/ok/none.root", "analysis", 0, 10)
    chunks = [*chunks_of(f"{web.url}/ok")[:2], gone, *chunks_of(f"{web.url}/ok")[2:4]]
    results = InlineExecutor().map(chunks, Sums())
    assert ["ok" if isinstance(r, Ok) else r.kind for r in results] == ["ok"] * 2 + ["file"] + [
        "ok"
    ] * 2


def test_what_nobody_comes_for_is_dropped_and_what_failed_is_not_there() -> None:
    dropped: list[int] = []
    slot: Ahead[int] = Ahead(dropped.append)
    go = threading.Event()

    def late() -> int:
        assert go.wait(30)
        return 1

    slot.start("a", late)
    future = slot._future
    assert slot.take("b") is None
    slot.start("b", lambda: 1 // 0)
    go.set()
    assert future is not None
    future.result(30)
    assert slot.take("b") is None
    slot.start("c", lambda: 3)
    assert slot.take("c") == 3
    assert slot.take("c") is None
    assert dropped == [1]
