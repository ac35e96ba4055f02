"""launch.sh without SLURM: what it finds, what it scrubs, and what it does when things end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

LAUNCH = Path(__file__).resolve().parent.parent / "launch.sh"
TELLS = 'echo "asked: $*"\nenv | grep -E "^(SLURM|SBATCH)" | sort'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder that looks like Ladon's, with an awkward name; `ladon` in it is a STAND-IN."""
    folder = tmp_path / "it's a home"
    (folder / "pipeline").mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    (folder / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(LAUNCH, folder)
    return folder


def put(home: Path, text: str, name: str = "ladon") -> None:
    path = home / ".venv" / "bin" / name
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def start(
    home: Path, *arguments: str, script: Path | None = None, **variables: str
) -> subprocess.Popen[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "LADON"))}
    return subprocess.Popen(
        ["bash", str(script or home / "launch.sh"), *arguments],
        env={**kept, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
    )


def run(home: Path, *arguments: str, script: Path | None = None, **env: str) -> tuple[int, str]:
    child = start(home, *arguments, script=script, **env)
    text, _ = child.communicate(timeout=60)
    return child.returncode, text


@pytest.mark.parametrize("code", [0, 1, 2])
def test_its_exit_code_is_the_run_s(home: Path, code: int) -> None:
    put(home, f'{TELLS}\nexit "{code}"')
    assert run(home, "channel=hyy", "run.name=a b") == (
        code,
        "asked: run channel=hyy run.name=a b\n",
    )


def test_another_verb_may_be_named(home: Path) -> None:
    put(home, TELLS)
    assert run(home, "replay", "outputs/x")[1] == "asked: replay outputs/x\n"


def test_a_job_is_not_handed_down(home: Path) -> None:
    put(home, f'{TELLS}\necho "controller $LADON_CONTROLLER_JOB until $LADON_END_TIME"')
    _, text = run(
        home,
        LADON_HOME=str(home),
        SLURM_JOB_ID="7", SLURM_JOB_END_TIME="1700000000", SBATCH_PARTITION="gpu",
        SLURM_CONF="/etc/slurm/slurm.conf", SLURM_CPUS_PER_TASK="1",
    )  # fmt: skip
    lines = text.splitlines()
    assert lines[0].startswith("launch.sh: job 7 on ")
    assert lines[1:] == [
        "asked: run",
        "SLURM_CONF=/etc/slurm/slurm.conf",
        "controller 7 until 1700000000",
    ]


def test_the_copy_in_the_spool_finds_its_home(home: Path, tmp_path: Path) -> None:
    put(home, TELLS)
    spool = tmp_path / "spool" / "slurm_script"
    spool.parent.mkdir()
    shutil.copy(LAUNCH, spool)
    code, text = run(home, script=spool)
    assert code == 2
    assert "set LADON_HOME to it" in text
    assert run(home, script=spool, LADON_HOME=str(home)) == (0, "asked: run\n")
    assert run(home, script=spool, SLURM_SUBMIT_DIR=str(home))[0] == 0


def test_a_home_without_an_environment(home: Path) -> None:
    code, text = run(home)
    assert code == 2
    assert "run 'make setup' in" in text
    assert "Traceback" not in text


def test_an_image_stands_in_for_an_environment(home: Path, tmp_path: Path) -> None:
    assert "found none; containers/build.sh" in run(home, LADON_IMAGE="/no/such.sif")[1]
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "apptainer").write_text('#!/bin/sh\necho "apptainer $*"\n')
    (programs / "apptainer").chmod(0o755)
    image = tmp_path / "analysis.sif"
    image.touch()
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    _, text = run(home, "channel=hyy", LADON_IMAGE=str(image), PATH=path)
    namespace = "--userns " if os.geteuid() == 0 else ""
    assert text == f"apptainer exec {namespace}{image} ladon run channel=hyy\n"


@pytest.mark.parametrize(
    ("sent", "heard"),
    [(signal.SIGTERM, "TERM"), (signal.SIGINT, "TERM"), (signal.SIGUSR1, "USR1")],
)
def test_signals_are_forwarded_once(home: Path, tmp_path: Path, sent: int, heard: str) -> None:
    ready = tmp_path / "ready"
    put(
        home,
        'for s in TERM USR1; do trap "echo heard $s; kill %1; exit 130" $s; done\n'
        f"sleep 30 >/dev/null 2>&1 & touch '{ready}'; wait",
    )
    child = start(home)
    while not ready.exists():
        time.sleep(0.02)
    child.send_signal(sent)
    text, _ = child.communicate(timeout=20)
    assert (child.returncode, text) == (130, f"heard {heard}\n")


def test_the_jobs_of_a_killed_run_are_cancelled(home: Path) -> None:
    put(home, 'echo ladon-1234abcd >"$LADON_CONTROLLER_FILE"\necho >>"$LADON_CONTROLLER_FILE"\n'
              "kill -KILL $$")  # fmt: skip
    put(home, 'echo "cancels: $*"', name="python")
    code, text = run(home)
    assert code == 137
    assert (
        "ladon was killed (exit code 137); cancelling the jobs of the run (ladon-1234abcd)" in text
    )
    assert "cancels: -m executors.slurm.jobs ladon-1234abcd" in text


@pytest.mark.parametrize("word", ["requeue", ""])
def test_at_its_walltime_it_goes_back_if_it_is_to(home: Path, tmp_path: Path, word: str) -> None:
    put(home, f'printf "ladon-1234abcd\\n{word}\\n" >"$LADON_CONTROLLER_FILE"; exit 75')
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in (("scontrol", 'echo "scontrol $*"; [ "$1" != requeue ] || exit 1'),):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    code, text = run(
        home, SLURM_JOB_ID="7", SLURM_JOB_END_TIME="1", LADON_HOME=str(home), PATH=path
    )
    assert code == 75
    assert ("scontrol requeue 7" in text) is bool(word)
    assert "the same command" in text
