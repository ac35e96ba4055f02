"""The view: what a reader finds in it, and that it fits a terminal."""

import dataclasses
import os
import time
from pathlib import Path

from rich.console import Console

from executors.serving.record import Endpoint
from pipeline.lock import run_lock
from pipeline.status import Snapshot, Watch, render, snapshot
from pipeline.status.snapshot import Queue, QueuedJob
from pipeline.status.words import clock, count, megabytes, short
from tests.pipeline.status.run_folder import POINT, RunFolder, run_folder


def lines_of(seen: Snapshot, rows: int = 40, width: int = 100) -> list[str]:
    console = Console(width=width, height=rows, force_terminal=False)
    with console.capture() as capture:
        console.print(render(seen, rows), highlight=False)
    return [line.rstrip() for line in capture.get().splitlines()]


def job(number: int, **changes: object) -> QueuedJob:
    plain = QueuedJob(
        str(number), "RUNNING", "main: execute convert", None, "cpu", f"node{number:03d}",
        "1:05", "1:00:00", "2000M", 812.5, "",
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def busy(folder: RunFolder) -> Snapshot:
    """A run in which everything that the view knows happens at once."""
    folder.data(chunks=233)
    folder.solved(folder.reference, "convert", rounds=0, api_calls=0, tokens={})
    failure = {"category": "output schema wrong", "attribution": "model", "evidence": "no m_yy"}
    folder.solved(POINT, "inspect", failure=failure)
    folder.executed(POINT, "inspect", "failed", failure=failure)
    folder.error("fileset", "expected 30 files, found 29; " + "look into the mirror " * 30)
    server = Endpoint(
        server="qwen-01234567-001", status="READY", model="qwen", served_name="Q/qwen",
        repository="Q/qwen", revision=None, spec_sha256="0" * 64, gpus=4, nodes=1, owner="shown",
        api_key_file="key", submitted=time.time(), job="77", node="gpu1",
        metrics={"generation_tokens_per_s": 1234.5, "running": 3.0, "waiting": 2.0},
    )  # fmt: skip
    place = folder.path.parent / "servers" / server.server
    (place / "leases").mkdir(parents=True)
    server.save(place / "record.json")
    (place / "leases" / "x.json").write_text('{"user": "shown/main/convert"}')
    (place / "metrics.jsonl").write_text(
        '{"users": ["shown/main/convert"], "gpus": 4, "seconds": 30}\n'
        '{"users": ["other/main/convert"], "gpus": 4, "seconds": 30}\n{"users": ['
    )
    with run_lock(folder.path):
        folder.mark(f"{folder.reference}/convert/record.json")
        folder.mark(f"{POINT}/convert/solution.py", job="12")
        folder.progress(f"{folder.reference}-convert", 120, 233, 1_234_567)
        folder.dialogue(
            "convert",
            {"kind": "request", "round": 1, "role": "coder"},
            {"kind": "reply", "usage": {"prompt": 12_345, "completion": 678}},
            {"kind": "candidate", "round": 1},
        )
        seen = snapshot(folder.path)
    jobs = [job(n) for n in range(20)]
    jobs[3] = job(3, state="PENDING", node="", reason="Resources", memory_used_mb=None)
    return dataclasses.replace(seen, queue=Queue(tuple(jobs), seen.taken - 2, None))


def test_one_point_fits_a_terminal_and_tells_everything(tmp_path: Path) -> None:
    seen = busy(run_folder(tmp_path))
    assert seen.gpu_seconds == {"main/convert": 120.0}
    assert [(s.name, s.users) for s in seen.servers] == [("qwen-01234567-001", ("main/convert",))]
    lines = lines_of(seen)
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    text = "\n".join(lines)
    for told in (
        f"shown  running here as process {os.getpid()}",
        f"4 of {seen.total} files",
        "inspect failed: output schema wrong",
        "solve convert",
        "job 12",
        "round 1: its code is tried",
        "120/233",
        "1.23 M",
        "2500",
        "… and 12 more jobs",
        "812M of 2000M",
        "main: execute convert  cpu",
        "READY",
        "1234",
        "3 + 2 waiting",
        "4 calls, tokens 13.3 k prompt + 878 completion, 0:02:00 of GPU",
        "✗ fileset: expected 30 files, found 29;",
    ):
        assert told in text, text
    narrow = lines_of(seen, width=80)
    assert max(map(len, narrow)) <= 80
    assert "812M of 2000M" in "\n".join(narrow)  # a wide column yields, numbers stay
    convert = next(line.split() for line in lines if line.startswith("convert"))
    assert convert[:6] == ["convert", "running", "waiting", "waiting", "1", "1"]


def test_why_a_job_waits_and_that_slurm_is_silent(tmp_path: Path) -> None:
    seen = snapshot(run_folder(tmp_path).path)
    waiting = job(3, state="PENDING", node="", reason="Resources", memory_used_mb=None)
    queue = Queue((waiting,), seen.taken - 42, "expected squeue to list the jobs, found: nothing")
    text = "\n".join(lines_of(dataclasses.replace(seen, queue=queue)))
    assert "SLURM: expected squeue to list the jobs, found: nothing (jobs as of 42 s ago)" in text
    assert "pending" in text
    assert "Resources" in text


def test_seven_hundred_points_are_readable_and_quick(tmp_path: Path) -> None:
    names = [f"model_{n:03d},trial={n % 3}" for n in range(700)]
    folder = run_folder(tmp_path).sweep(names)
    for name in names[:500]:
        for stage in folder.layout.points[0].stages:
            folder.solved(f"points/{name}", stage)
            folder.executed(f"points/{name}", stage)
            folder.judged(f"points/{name}", stage)
        folder.write(f"points/{name}/results.json", {})
    failure = {"category": "wrong physics", "attribution": "model", "evidence": "mu is 7"}
    folder.judged(f"points/{names[7]}", "measure", outcome="failed", rung=None, failure=failure)
    folder.error(f"judge-{names[600]}-inspect", "no room on the disk")
    watch = Watch(folder.path)
    with run_lock(folder.path):
        for name in names[501:504]:
            folder.solved(f"points/{name}", "inspect")
            folder.mark(f"points/{name}/inspect/record.json")
        seen = watch.look()
        began = time.process_time()
        seen = watch.look()
        again_s = time.process_time() - began
    assert again_s < 1.0
    assert seen.spent.calls == 500 * 6 * 3 + 9
    for rows in (24, 40):
        lines = lines_of(seen, rows)
        assert len(lines) <= rows, "\n".join(lines)
        assert max(map(len, lines)) <= 100
        text = "\n".join(lines)
        counted = {tuple(line.split()[:3]) for line in lines}
        for told in ("499 done", "1 failed", "3 running", "1 error", "196 waiting"):
            number, state = told.split()
            assert (number, "point" if number == "1" else "points", state) in counted, text
        assert "preprocess  classify  categorize  measure" in text
        for name in (names[600], *names[501:504]):  # what matters now is named
            assert name in text, text
        assert "more: " in text
    plain = seen.to_dict()
    assert sum(owner["state"] == "done" for owner in plain["owners"]) == 499


def test_words() -> None:
    assert [clock(s) for s in (0, 65.9, 3600, 90_061, None)] == [
        "0:00:00", "0:01:05", "1:00:00", "1-1:01:01", "",
    ]  # fmt: skip
    assert [count(n) for n in (0, 999, 9999, 12_345, 123_456, 4_560_000, 7e9, None)] == [
        "0", "999", "9999", "12.3 k", "123 k", "4.56 M", "7 G", "",
    ]  # fmt: skip
    assert count(999_999) == "1 M"
    assert [megabytes(m) for m in (812.4, 2048.0, None)] == ["812M", "2.0G", ""]
    assert short("one\ntwo  three", 8) == "one two…"
