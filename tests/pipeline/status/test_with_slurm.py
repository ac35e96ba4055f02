"""The jobs of a run in a real SLURM (slurm/testbed)."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from executors.slurm.jobs import prefix_of
from pipeline.status import Snapshot, Watch
from pipeline.status.snapshot import QueuedJob
from tests.pipeline.status.run_folder import POINT, run_folder

pytestmark = pytest.mark.slurm


def submitted(name: str, comment: str, folder: Path, *options: str) -> str:
    done = subprocess.run(
        [
            "sbatch", "--parsable", f"--job-name={name}", f"--comment={comment}", "--mem=100M",
            "--time=5", "--partition=cpu", f"--output={folder}/%j.out", *options,
            "--wrap=sleep 120",
        ],
        capture_output=True, text=True, timeout=60, cwd=folder, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Jobs of a run that runs, of one that waits, and of another run; by name."""
    if shutil.which("sinfo") is None or subprocess.run(["sinfo"], capture_output=True).returncode:
        pytest.skip("no SLURM here; run: make testbed")
    run, other = prefix_of(tmp_path / "shown"), prefix_of(tmp_path / "other")
    comment = "rule_solve_wildcards_points_main_inspect"
    found: dict[str, str] = {}
    try:
        found["runs"] = submitted(f"{run}_aa", comment, tmp_path)
        found["waits"] = submitted(f"{run}_aa", "rule_report", tmp_path, "--begin=now+1hour")
        found["other"] = submitted(f"{other}_aa", comment, tmp_path)
        yield found
    finally:
        subprocess.run(["scancel", *found.values()], check=True)


def seen_until_it_runs(watch: Watch, job: str) -> tuple[Snapshot, QueuedJob]:
    deadline = time.monotonic() + 90
    while True:
        seen = watch.look()
        (found,) = (j for j in seen.queue.jobs if j.id == job)
        if found.state == "RUNNING" and found.elapsed not in ("0:00", "INVALID"):
            return seen, found
        assert time.monotonic() < deadline, f"expected job {job} to run, found {found}"
        time.sleep(1)


def test_the_jobs_of_the_run_are_listed_and_no_others(tmp_path: Path, jobs: dict[str, str]) -> None:
    folder = run_folder(tmp_path)
    folder.held_by(1, "elsewhere", job=jobs["runs"])
    folder.mark(f"{POINT}/inspect/solution.py")  # a job that has begun marks it without number
    folder.mark(f"{POINT}/convert/solution.py", job=jobs["waits"])
    watch = Watch(folder.path)
    seen, runs = seen_until_it_runs(watch, jobs["runs"])
    assert {job.id for job in seen.queue.jobs} == {jobs["runs"], jobs["waits"]}
    assert seen.queue.problem is None
    assert runs.node in ("cpu1", "cpu2")
    assert (runs.partition, runs.limit, runs.memory) == ("cpu", "5:00", "100M")
    assert runs.elapsed.startswith("0:")
    waits = next(job for job in seen.queue.jobs if job.id == jobs["waits"])
    assert (waits.state, waits.node, waits.what) == ("PENDING", "", "main: solve convert")
    assert waits.reason == "BeginTime"
    # The run is held by a job, and lives as long as that.
    assert seen.state == "running"
    assert seen.sentence == f"running as job {jobs['runs']} on elsewhere"
    (point,) = (owner for owner in seen.owners if owner.name == POINT)
    assert [(s.solve.state, s.solve.job) for s in point.stages[:3]] == [
        ("running", jobs["runs"]),
        ("queued", jobs["waits"]),
        ("waiting", None),
    ]
    subprocess.run(["scancel", jobs["runs"]], check=True)
    deadline = time.monotonic() + 60
    while (seen := watch.look()).state == "running":
        assert time.monotonic() < deadline, seen.sentence
        time.sleep(1)
    assert seen.state == "stopped"
    assert seen.sentence == (
        "stopped; 1 job of it is still in SLURM's queue; the same command continues it"
    )
