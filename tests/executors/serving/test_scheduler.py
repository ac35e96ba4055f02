"""SLURM's answers, and submitting to it: a stand-in for sbatch that refuses for a while."""

from __future__ import annotations

from pathlib import Path

import pytest

from executors.serving.errors import SchedulerError
from executors.serving.folder import ServerFolder
from executors.serving.scheduler import Here, JobState, Slurm, meaning_of
from executors.serving.script import job_script
from tests.executors.serving.sites import LAUNCHES


@pytest.mark.parametrize(
    ("code", "out", "err", "state"),
    [
        (0, "PENDING\n", "", "waiting"),
        (0, "CONFIGURING\n", "", "waiting"),
        (0, "RUNNING\n", "", "running"),
        (0, "COMPLETING\n", "", "running"),
        (0, "CANCELLED\n", "", "gone"),
        (0, "NODE_FAIL\n", "", "gone"),
        (0, "OUT_OF_MEMORY\n", "", "gone"),
        (0, "", "", "gone"),
        (1, "", "slurm_load_jobs error: Invalid job id specified", "gone"),
        (1, "", "slurm_load_jobs error: Unable to contact slurm controller", "unknown"),
    ],
)
def test_what_squeue_says(code: int, out: str, err: str, state: JobState) -> None:
    assert meaning_of(code, out, err) == state


@pytest.fixture
def folder(tmp_path: Path) -> ServerFolder:
    made = ServerFolder(tmp_path / "a server's folder")
    made.path.mkdir()
    return made


def stand_in_for_sbatch(room: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A STAND-IN for sbatch: the shell commands `text`; what it was given is in the file `told`."""
    bin_folder = room / "bin"
    bin_folder.mkdir()
    program = bin_folder / "sbatch"
    told = room / "told"
    program.write_text(f'#!/bin/sh\n{{ pwd; echo "$@"; env; }} >>"{told}"\n{text}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
    return told


def test_a_refusal_that_passes_is_waited_for(
    folder: ServerFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = 'echo "sbatch: error: Slurm temporarily unable to accept job" >&2; exit 1'
    text = f'[ "$(grep -c serve.sbatch "{tmp_path}/told")" -ge 3 ] || {{ {busy}; }}; echo "42;here"'
    told = stand_in_for_sbatch(tmp_path, text, monkeypatch)
    monkeypatch.setenv("SBATCH_PARTITION", "wrong")
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    monkeypatch.setenv("SOME_API_KEY", "s3cret")
    waits: list[float] = []
    launch = LAUNCHES["one_gpu"]
    assert Slurm(sleep=waits.append).submit(folder, launch) == "42"
    assert waits == [2.0, 3.0]
    assert folder.script.read_text() == job_script(launch)
    seen = told.read_text()
    assert f"{folder.path}\n--parsable serve.sbatch\n" in seen
    for word in ("SBATCH_PARTITION", "SLURM_JOB_ID", "s3cret"):
        assert word not in seen


def test_a_refusal_that_stays_is_one_sentence(
    folder: ServerFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_for_sbatch(
        tmp_path, 'echo "sbatch: error: invalid partition specified: gpuu" >&2; exit 1', monkeypatch
    )
    with pytest.raises(SchedulerError, match="invalid partition specified: gpuu; correct"):
        Slurm().submit(folder, LAUNCHES["one_gpu"])


def test_patience_ends(
    folder: ServerFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_for_sbatch(tmp_path, 'echo "Socket timed out" >&2; exit 1', monkeypatch)
    with pytest.raises(SchedulerError, match="Socket timed out"):
        Slurm(patience_s=-1.0).submit(folder, LAUNCHES["one_gpu"])


def test_no_slurm_is_said(folder: ServerFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder.path))
    with pytest.raises(SchedulerError, match="expected SLURM's sbatch on this machine"):
        Slurm().submit(folder, LAUNCHES["one_gpu"])


def test_a_number_that_is_not_a_keeper_s_is_gone() -> None:
    assert Here().state("local-1") == "gone"
    assert Here().state("local-no") == "gone"
    Here().cancel("local-1")
