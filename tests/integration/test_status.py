"""`ladon status` beside a real run: what it tells while the run runs, and when it has ended."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.status import Snapshot, Watch
from tests.command import SMALL, Ladon


def under_way(seen: Snapshot) -> set[str]:
    """The steps that run, as "points judge convert"."""
    return {
        f"{owner.name.partition('/')[0]} {name} {stage.stage}"
        for owner in seen.owners
        for stage in owner.stages
        for name, step in zip(("solve", "execute", "judge"), stage.steps, strict=False)
        if step.state == "running"
    }


def live_until(ladon: Ladon, word: str, within_s: float) -> str:
    """What the live view shows on a terminal up to a word; it is interrupted then."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "status", "looked"],
        cwd=ladon.folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"},
    )  # fmt: skip
    os.close(theirs)
    text, deadline = b"", time.monotonic() + within_s
    try:
        while word.encode() not in text and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.5)[0]:
                text += os.read(ours, 65536)
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=20) == 0
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    return text.decode()


def test_a_run_is_seen_while_it_runs_and_after(tmp_path: Path) -> None:
    ladon = Ladon(tmp_path)
    few = "stages=[inspect,convert,preprocess]"
    run = ladon.start("run", "run.name=looked", few, *SMALL)
    try:
        deadline = time.monotonic() + 120
        while not (tmp_path / "outputs" / "looked" / ".lock").exists():
            assert time.monotonic() < deadline
            time.sleep(0.2)
        live = live_until(ladon, "running here as process", 60)
        assert "running here as process" in live
        assert "Traceback" not in live
        assert run.poll() is None  # the view was interrupted, the run was not
        told = json.loads(ladon("status", "looked", "--json"))
        assert (told["state"], told["holder"]["pid"]) == ("running", run.pid)
        seen: set[str] = set()
        watch = Watch(tmp_path / "outputs" / "looked")
        while run.poll() is None:
            seen |= under_way(watch.look())
            time.sleep(0.2)
        text, _ = run.communicate()
        assert run.returncode == 0, text
    finally:
        if run.stdout is not None and not run.stdout.closed:
            run.kill()
            run.communicate()
    # Short steps may begin and end between two looks; these take seconds.
    assert {"reference execute convert", "points judge convert"} <= seen, seen
    told = json.loads(ladon("status", "looked", "--json"))
    assert (told["state"], told["sentence"]) == ("finished", "finished")
    assert told["done"] == told["total"] == 16
    (point,) = (o for o in told["owners"] if o["name"] == "points/main")
    assert {stage["outcome"] for stage in point["stages"]} == {"reference"}
    assert {(c["done"], c["total"]) for c in told["conversions"]} == {(37, 37)}


@pytest.mark.parametrize("options", [["--once"], []])
def test_a_finished_run_of_a_scripted_model(scripted_run: Ladon, options: list[str]) -> None:
    text = scripted_run("status", "small", *options)
    assert "small  finished" in text
    assert "22 calls" in text
    (convert,) = (line.split() for line in text.splitlines() if line.startswith("convert"))
    assert convert[:7] == ["convert", "done", "done", "done", "exact", "2", "5"]
