"""Why a run failed: the words of steps, and those of SLURM where no step could speak.

The texts of the plugin are those that it printed on the testbed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.files import write_json
from pipeline.problems import of_slurm, problems

REFUSED = """\
SLURM sbatch failed. The error message was 'sbatch: error: invalid partition specified: nope
sbatch: error: Batch job submission failed: Invalid partition name specified'.
    sbatch call:
        sbatch --parsable --job-name ladon-x_1
"""
ACCOUNT = """\
WorkflowError:
The given account wrong appears to be invalid. Available accounts:
ladon
"""
LOST = """\
SLURM-job '{job}' failed, SLURM status is: '{state}'. Detailed failure reason unavailable
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "logs" / "errors").mkdir(parents=True)
    (tmp_path / "logs" / "snakemake.log").write_text("an earlier start\n")
    return tmp_path


def job_log(run: Path, rule: str, job: str, text: str) -> None:
    path = run / "logs" / "slurm" / rule / "points_main" / f"{job}.log"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_what_a_step_said_comes_first(run: Path) -> None:
    write_json(
        run / "logs" / "errors" / "solve-main.json",
        {"step": "solve", "sentence": "no server", "attribution": "infrastructure", "log": "l"},
    )
    assert problems(run, 0) == (
        "solve: no server (counts against the infrastructure, not the model; log: l)",
    )


def test_only_this_start_counts(run: Path) -> None:
    log = run / "logs" / "snakemake.log"
    since = log.stat().st_size
    log.write_text(log.read_text() + REFUSED)
    assert "invalid partition specified: nope" in problems(run, since)[0]
    assert "look into" in problems(run, log.stat().st_size)[0]


def test_a_partition_that_does_not_exist(run: Path) -> None:
    (said,) = of_slurm(run, REFUSED)
    assert said == (
        "SLURM did not take a job: sbatch: error: invalid partition specified: nope; name one that "
        "`sinfo` lists with site.partition=NAME"
    )


def test_a_wrong_account(run: Path) -> None:
    (said,) = of_slurm(run, ACCOUNT)
    assert "found 'wrong'; name yours with site.account=NAME" in said


@pytest.mark.parametrize(
    ("state", "text", "says"),
    [
        ("FAILED", "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=7.0.",
         "needed more memory than SLURM gave it"),
        ("TIMEOUT", "", "ran into its walltime"),
        ("FAILED", "JOB 7 ON cpu1 CANCELLED AT 2026-11-28T10:00:00 DUE TO TIME LIMIT ***",
         "ran into its walltime"),
        ("NODE_FAIL", "", "lost its node"),
        ("CANCELLED", "", "was cancelled"),
        ("FAILED", "something\nends here\n", "its log ends: 'something | ends here'"),
    ],
)  # fmt: skip
def test_why_a_job_was_lost(run: Path, state: str, text: str, says: str) -> None:
    job_log(run, "rule_convert", "7", text)
    (said,) = of_slurm(run, LOST.format(job=7, state=state))
    assert said.startswith("job 7 (rule_convert/points_main) ")
    assert says in said
    assert "logs/slurm/rule_convert/points_main/7.log" in said


def test_a_job_without_a_log(run: Path) -> None:
    (said,) = of_slurm(run, LOST.format(job=8, state="CANCELLED"))
    assert said == ("job 8 (a step) was cancelled; give the same command again; it has left no log")


def test_of_many_jobs_of_a_step_the_first_few_speak(run: Path) -> None:
    for number in range(40):
        write_json(
            run / "logs" / "errors" / f"convert_part-points-main-{number}.json",
            {"step": "convert_part", "sentence": f"no room for part {number}", "log": f"{number}"},
        )
    said = problems(run, 0)
    assert len(said) == 6
    assert said[0] == "convert_part: no room for part 0 (log: 0)"
    assert said[-1] == "convert_part: 35 more of its jobs failed; look into logs/errors/"
