"""Dask in one allocation: who meets where, on which interface, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from executors.allocation import meeting_file, scheduler_options, worker_options
from executors.base import ExecutorError

TASK = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_NTASKS": "4", "SLURM_PROCID": "2"}


def test_tasks_of_one_step_meet_in_a_file_of_their_own(tmp_path: Path) -> None:
    file = meeting_file(tmp_path / "dask", TASK)
    assert file == tmp_path / "dask" / "dask-7.0.0.json"
    assert file.parent.is_dir()
    again = meeting_file(tmp_path / "dask", {**TASK, "SLURM_RESTART_COUNT": "1"})
    assert again != file  # a requeued job has the number of the one before


def test_outside_of_a_step_there_is_no_allocation(tmp_path: Path) -> None:
    with pytest.raises(ExecutorError, match="expected to be a task of a SLURM job step"):
        meeting_file(tmp_path, {})
    with pytest.raises(ExecutorError, match=r"expected at least 3 tasks .* found 2"):
        meeting_file(tmp_path, {**TASK, "SLURM_NTASKS": "2"})


def test_workers_are_on_the_site_s_interface_and_the_node_s_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    options = worker_options(2.0, "hsn0", "/local/$SLURM_JOB_ID")
    assert options["interface"] == scheduler_options("hsn0")["interface"] == "hsn0"
    assert options["local_directory"] == "/local/7"
    assert options["memory_limit"] == 2_000_000_000
    assert options["nthreads"] == 1
    assert "interface" not in worker_options(2.0, None, None)


def test_no_dashboard_on_a_fixed_port() -> None:
    assert scheduler_options(None)["dashboard_address"] == ":0"
    assert scheduler_options(None)["dashboard"] is False
