"""An sbatch with patience: passing refusals are waited out, final ones are passed on."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from executors.slurm.submit import reads_input, submit
from tests.executors.slurm.conftest import Program

WRAPPER = Path(__file__).resolve().parents[3] / "slurm" / "bin"


@pytest.fixture(autouse=True)
def _no_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())


def test_a_partition_that_opens_again(
    program: Program,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LADON_SBATCH_LOG", str(tmp_path / "log"))
    tries = tmp_path / "tries"
    program(
        "sbatch",
        f"echo \"$@\" >>'{tries}'\n[ $(wc -l <'{tries}') -ge 3 ] && echo 4711 && exit 0\n"
        "echo 'sbatch: error: Batch job submission failed: Required partition not available "
        "(inactive or drain)' >&2; exit 1",
    )
    pauses: list[float] = []
    assert submit(["--parsable", "job.sh"], 600.0, pauses.append) == 0
    said = capsys.readouterr()
    assert said.out == "4711\n"
    assert pauses == [2.0, 3.0]
    assert said.err.count("trying again") == (tmp_path / "log").read_text().count("again") == 2
    assert "submission failed" not in said.err  # by which the plugin knows a final refusal


def test_patience_ends(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    program("sbatch", "echo 'Socket timed out on send/recv operation' >&2; exit 1")
    now = iter(range(0, 1000, 100))
    assert submit([], 250.0, lambda _: None, lambda: float(next(now))) == 1
    assert "Socket timed out" in capsys.readouterr().err


def test_a_final_refusal_is_passed_on_at_once(
    program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    program("sbatch", "echo 'sbatch: error: invalid partition specified: nope' >&2; exit 1")
    assert submit([], 600.0, lambda _: pytest.fail("it waited")) == 1
    assert capsys.readouterr().err == "sbatch: error: invalid partition specified: nope\n"


def test_the_wrapper_finds_slurm_s_own(program: Program, tmp_path: Path) -> None:
    """First on PATH, it calls the next one, with its input and without the job's variables."""
    program("sbatch", 'echo "real $1 $SLURM_JOB_ID"; cat')
    done = subprocess.run(
        ["sbatch", "--parsable"],
        env={
            **os.environ,
            "PATH": f"{WRAPPER}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(WRAPPER.parents[1]),
            "LADON_SLURM_BIN": str(WRAPPER),
            "LADON_PYTHON": sys.executable,
            "SLURM_JOB_ID": "7",
        },
        input="script\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "real --parsable \nscript\n"


def test_an_input_that_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    script = tmp_path / "job.sh"
    script.touch()
    assert not reads_input(["--parsable", str(script)])
    assert not reads_input(["--wrap=hostname"])
    assert reads_input(["--parsable"])
    assert reads_input(["--parsable", "/dev/stdin"])
