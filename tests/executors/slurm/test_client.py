"""SLURM's commands are asked outside of jobs, and their complaints are told apart."""

from __future__ import annotations

import pytest

from executors.slurm.client import SlurmError, ask, is_passing, outside_of_jobs
from tests.executors.slurm.conftest import Program


def test_the_variables_of_a_job_stay_behind() -> None:
    inside = {
        "SLURM_JOB_ID": "7", "SLURM_CONF": "/etc/slurm/slurm.conf", "SBATCH_PARTITION": "x",
        "SRUN_CPUS_PER_TASK": "2", "PATH": "/bin", "SLURMD_NODENAME": "cpu1",
    }  # fmt: skip
    assert outside_of_jobs(inside) == {"SLURM_CONF": "/etc/slurm/slurm.conf", "PATH": "/bin"}


def test_a_command_does_not_see_the_job_it_is_asked_from(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    program("squeue", 'echo "job=$SLURM_JOB_ID $1"')
    answer = ask(["squeue", "--me"])
    assert (answer.code, answer.out, answer.passing) == (0, "job= --me\n", False)


def test_a_command_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(SlurmError, match="expected SLURM's no-such-sbatch on this machine"):
        ask(["no-such-sbatch"])


def test_a_command_that_does_not_answer_is_a_passing_complaint(program: Program) -> None:
    program("squeue", "exec sleep 20")
    answer = ask(["squeue"], timeout_s=0.2)
    assert answer.code == 1
    assert answer.passing


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ("error: Required partition not available (inactive or drain)", True),
        ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)", True),
        ("sbatch: error: Batch job submission failed: Socket timed out on send/recv", True),
        ("sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying", True),
        ("sbatch: error: invalid partition specified: nope", False),
        ("error: Invalid account or account/partition combination specified", False),
    ],
)  # fmt: skip
def test_which_refusals_are_waited_out(said: str, passes: bool) -> None:
    assert is_passing(said) is passes
