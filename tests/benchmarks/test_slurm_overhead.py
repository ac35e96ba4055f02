"""What SLURM costs: a run on the testbed over the same run on this machine, polling apart.

Both run on the same processors, the second (laptop) with two of its steps at a time. What the
testbed adds is a job per step: sbatch, two starts of Snakemake, its step of srun, and the time
until the plugin looks whether a job has ended. The last is read from SLURM's accounting: the time
in which the run had no job in the queue.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from executors.slurm.jobs import tag_of
from tests.command import SMALL, Ladon
from tests.slurm.conftest import Cluster, slurm
from tests.slurm.launching import Launcher

pytestmark = [pytest.mark.benchmark, pytest.mark.slurm, pytest.mark.timeout(3600)]

MOST = 4.0
"""The run on the testbed, without polling, takes at most so many times that of the laptop."""

__all__ = ["slurm"]  # the fixture


@pytest.fixture
def launcher(slurm: Cluster) -> Iterator[Launcher]:
    folder = Path(tempfile.mkdtemp(prefix="ladon-overhead-"))
    yield Launcher(folder)
    shutil.rmtree(folder)


def intervals(tag: str) -> list[tuple[float, float]]:
    """From submission to end of every job of the run, as SLURM's accounting has them."""
    told = subprocess.run(
        ["sacct", "--allocations", "--noheader", "--parsable2", "--starttime=now-2hours",
         "--format=JobName%60,Submit,End"],
        env={"PATH": "/usr/bin:/bin", "SLURM_TIME_FORMAT": "%s"},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    rows = [line.split("|") for line in told.splitlines() if line.startswith(tag)]
    return sorted((float(submit), float(end)) for _, submit, end in rows)


def covered(spans: list[tuple[float, float]]) -> float:
    """Seconds in at least one of the spans."""
    total, until = 0.0, 0.0
    for begin, end in spans:
        total += max(0.0, end - max(begin, until))
        until = max(until, end)
    return total


def test_spans_that_overlap_count_once() -> None:
    assert covered([(0, 4), (2, 5), (7, 8), (7.5, 7.8)]) == 6


def test_a_run_on_the_testbed_over_one_on_this_machine(
    launcher: Launcher, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    laptop = Ladon(tmp_path)
    began = time.monotonic()
    laptop("run", "run.name=same", *SMALL)
    here = time.monotonic() - began
    began = time.monotonic()
    launched = launcher("same", *SMALL)
    launched.succeeded()
    there = time.monotonic() - began
    spans = intervals(tag_of(launched.folder))
    polling = there - covered(spans)
    with capsys.disabled():
        print(
            f"\nlaptop {here:.0f} s; testbed {there:.0f} s in {len(spans)} jobs, of which "
            f"{polling:.0f} s without a job in the queue (the plugin's polling, and steps of the "
            f"controller itself); without them {(there - polling) / here:.2f} of the laptop "
            f"(at most {MOST:g} is asked)"
        )
    assert len(spans) > 10
    assert (there - polling) / here <= MOST
