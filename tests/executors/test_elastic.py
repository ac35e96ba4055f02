"""Workers as jobs: what SLURM is asked for, read from the job script that dask-jobqueue writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from dask_jobqueue.slurm import SLURMJob

from executors.elastic import WorkerJobs, cluster_options, keys_folder
from executors.security import make_keys, remove_keys, security


@pytest.fixture
def jobs(tmp_path: Path) -> WorkerJobs:
    return WorkerJobs(
        name="ladon-1234abcd-run_dask",
        logs=tmp_path,
        minimum=1,
        maximum=8,
        walltime="01:00:00",
        lifetime="50m",
        stagger="4m",
        memory_mb=3500,
        partition="cpu",
        account="physics",
        qos="short",
        setup=("module load python",),
        options=("--reservation=open",),
    )


@pytest.fixture
def script(tmp_path: Path, jobs: WorkerJobs) -> str:
    make_keys(tmp_path / "keys")
    sealed = security(tmp_path / "keys", by_name=True)
    options = cluster_options(jobs, 2.0, "hsn0", "/local", sealed)
    del options["scheduler_options"]
    text: str = SLURMJob("tcp://10.0.0.1:8786", name="worker-1", **options).job_script()
    return text


def test_a_job_of_one_worker_with_one_thread(script: str) -> None:
    lines = script.splitlines()
    for option in (
        "-J ladon-1234abcd-run_dask", "-p cpu", "-A physics", "-n 1", "--cpus-per-task=1",
        "--mem=3500M", "-t 01:00:00", "--no-requeue", "--qos=short", "--reservation=open",
    ):  # fmt: skip
        assert f"#SBATCH {option}" in lines
    assert "module load python" in lines


def test_a_worker_ends_before_its_walltime(script: str) -> None:
    (worker,) = [line for line in script.splitlines() if "distributed.cli.dask_worker" in line]
    for option in (
        "--lifetime 50m", "--lifetime-stagger 4m", "--nthreads 1", "--memory-limit 1.86GiB",
        "--protocol tls://", "--tls-key", "keys/key.pem", "--local-directory /local",
        "--interface hsn0", "--death-timeout 60",
    ):  # fmt: skip
        assert option in worker


def test_each_cluster_of_a_run_has_keys_of_its_own(jobs: WorkerJobs) -> None:
    """Also two on two nodes whose processes have one number; another user reads neither."""
    first, second = keys_folder(jobs), keys_folder(jobs)
    assert first != second
    assert {path.stat().st_mode & 0o777 for path in (first, second)} == {0o700}
    make_keys(first)
    remove_keys(first)
    assert [*jobs.logs.glob("*.keys")] == [second]
