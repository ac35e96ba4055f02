"""Every executor does every chunk once, and a fault stays with the chunk that has it."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from executors.base import Chunk, ChunkExecutor, Err, Ok, Result
from tests.executors.conftest import ENTRIES, chunks_of
from tests.executors.tasks import Failing, Sums, Unreadable, Waiting

EDGES = range(0, ENTRIES + 1, 100)


def kinds(results: list[Result]) -> list[str]:
    return ["ok" if isinstance(r, Ok) else r.kind for r in results]


def err(results: list[Result], chunk: str) -> Err:
    found = next(r for r in results if r.chunk.id == chunk)
    assert isinstance(found, Err)
    return found


def test_every_chunk_is_done_once_and_in_order(executor: ChunkExecutor, root_file: Path) -> None:
    told: list[Result] = []
    chunks = chunks_of(root_file, *EDGES)
    results = executor.map(chunks, Sums(), told.append)
    assert [r.chunk for r in results] == chunks
    assert sorted(r.chunk.id for r in told) == sorted(c.id for c in chunks)
    assert all(isinstance(r, Ok) and r.value["fields"] == ["number", "pt"] for r in results)
    values = [r.value for r in results if isinstance(r, Ok)]
    assert sum(v["numbers"] for v in values) == 499_500
    assert sum(v["objects"] for v in values) == 1500
    assert [v["last"] for v in values][-1] == 999.0 * 3


def test_a_chunk_costs_the_time_of_the_processor_and_not_of_the_clock(
    executor: ChunkExecutor, root_file: Path
) -> None:
    results = executor.map(chunks_of(root_file, *EDGES), Waiting(works=0.2, waits=0.5))
    costs = [r.cost for r in results if isinstance(r, Ok) and r.cost is not None]
    assert len(costs) == len(EDGES) - 1
    assert all(cost.cpu_s >= 0.2 for cost in costs)
    assert median(cost.cpu_s for cost in costs) < 0.5  # waiting alone takes that


def test_no_chunks_give_no_results(executor: ChunkExecutor) -> None:
    assert executor.map([], Sums()) == []


def test_an_empty_chunk_is_done(executor: ChunkExecutor, root_file: Path) -> None:
    (result,) = executor.map(chunks_of(root_file, 0, 0), Sums())
    assert isinstance(result, Ok)
    assert result.value["numbers"] == 0


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    edges=st.sets(st.integers(1, ENTRIES - 1), max_size=6),
    kind=st.sampled_from(["inline", "processes"]),
)
def test_any_chunking_gives_the_same_sums(
    edges: set[int], kind: str, started: dict[str, ChunkExecutor], root_file: Path
) -> None:
    results = started[kind].map(chunks_of(root_file, 0, *sorted(edges), ENTRIES), Sums())
    values = [r.value for r in results if isinstance(r, Ok)]
    assert len(values) == len(edges) + 1
    assert sum(v["numbers"] for v in values) == 499_500
    assert sum(v["objects"] for v in values) == 1500


def test_bad_files_are_named_and_the_rest_is_finished(
    executor: ChunkExecutor, root_file: Path, tmp_path: Path
) -> None:
    content = root_file.read_bytes()
    (tmp_path / "empty.root").write_bytes(b"")
    (tmp_path / "cut.root").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.root").write_text("404 not found")
    bad = [
        Chunk("missing", "s", str(tmp_path / "missing.root"), "analysis", 0, 10),
        Chunk("empty", "s", str(tmp_path / "empty.root"), "analysis", 0, 10),
        Chunk("cut", "s", str(tmp_path / "cut.root"), "analysis", 0, 10),
        Chunk("text", "s", str(tmp_path / "text.root"), "analysis", 0, 10),
        Chunk("tree", "s", str(root_file), "mini", 0, 10),
        Chunk("short", "s", str(root_file), "analysis", 990, 1010),
    ]
    results = executor.map([*bad, *chunks_of(root_file, 0, 500, 1000)], Sums())
    assert kinds(results) == ["file", "file", "file", "file", "tree", "file", "ok", "ok"]
    names = ("missing.root", "empty.root", "cut.root", "text.root")
    for result, name in zip(results[:4], names, strict=True):
        assert isinstance(result, Err)
        assert name in result.message
        assert result.attempts == 1
    assert "truncated" in err(results, "cut").message
    assert "found 'analysis'" in err(results, "tree").message
    assert "found 1000" in err(results, "short").message


def test_a_lacking_branch_is_named_with_the_nearest(
    executor: ChunkExecutor, root_file: Path
) -> None:
    (result,) = executor.map(chunks_of(root_file, 0, 10), Sums(("number", "pt", "unsed")))
    assert isinstance(result, Err)
    assert result.kind == "branch"
    assert "'unsed'" in result.message
    assert "nearest: unused" in result.message


@pytest.mark.parametrize(
    ("how", "kind", "exception"),
    [
        ("solution_error", "solution", "ZeroDivisionError"),
        ("own_fault", "internal", "LookupError"),
        ("exit", "internal", "SystemExit"),
    ],
)
def test_a_fault_of_code_is_told_and_not_tried_again(
    executor: ChunkExecutor, root_file: Path, tmp_path: Path, how: str, kind: str, exception: str
) -> None:
    task = Failing(how, "c3", tmp_path)
    results = executor.map(chunks_of(root_file, *EDGES), task)
    assert kinds(results) == ["ok"] * 3 + [kind] + ["ok"] * 6
    assert err(results, "c3").exception == exception
    assert how in err(results, "c3").traceback
    assert set(task.tries.values()) == {1}


def test_a_task_that_cannot_say_what_it_reads(executor: ChunkExecutor, root_file: Path) -> None:
    (result,) = executor.map(chunks_of(root_file, 0, 10), Unreadable())
    assert isinstance(result, Err)
    assert result.kind == "solution"
    assert "nearest: photon_pt" in result.message


def test_a_system_fault_is_tried_again(
    executor: ChunkExecutor, root_file: Path, tmp_path: Path
) -> None:
    task = Failing("disk_error_once", "c3", tmp_path)
    results = executor.map(chunks_of(root_file, *EDGES), task)
    assert kinds(results) == ["ok"] * 10
    assert [r.attempts for r in results] == [1, 1, 1, 2] + [1] * 6


def test_a_system_fault_that_stays_is_quarantined(
    executor: ChunkExecutor, root_file: Path, tmp_path: Path
) -> None:
    task = Failing("disk_error", "c3", tmp_path)
    results = executor.map(chunks_of(root_file, *EDGES), task)
    assert kinds(results) == ["ok"] * 3 + ["system"] + ["ok"] * 6
    assert err(results, "c3").attempts == 2 == task.tries["c3"]
    assert "Input/output error" in err(results, "c3").message


@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_a_chunk_that_kills_its_worker_is_found(
    started: dict[str, ChunkExecutor], kind: str, root_file: Path, tmp_path: Path
) -> None:
    told: list[Result] = []
    task = Failing("die", "c3", tmp_path)
    results = started[kind].map(chunks_of(root_file, *EDGES), task, told.append)
    assert kinds(results) == ["ok"] * 3 + ["worker"] + ["ok"] * 6
    assert err(results, "c3").attempts == 2 == task.tries["c3"]
    assert "entries 300 to 400" in err(results, "c3").message
    assert len(told) == 10


@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_a_worker_that_dies_once_costs_nothing_but_time(
    started: dict[str, ChunkExecutor], kind: str, root_file: Path, tmp_path: Path
) -> None:
    task = Failing("die_once", "c3", tmp_path)
    results = started[kind].map(chunks_of(root_file, *EDGES), task)
    assert kinds(results) == ["ok"] * 10
    assert task.tries["c3"] == 2


def test_memory_beyond_the_limit_is_refused(
    started: dict[str, ChunkExecutor], root_file: Path, tmp_path: Path
) -> None:
    task = Failing("eat_memory", "c1", tmp_path)
    results = started["processes"].map(chunks_of(root_file, 0, 500, 1000), task)
    assert kinds(results) == ["ok", "memory"]
    assert "site.memory_gb" in err(results, "c1").message
