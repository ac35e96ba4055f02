"""Job scripts against golden files: one GPU, four, two nodes with and without Ray, no GPU."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from executors.serving.errors import ServeSpecError
from executors.serving.script import drain_s, job_name, job_script
from executors.serving.spec import Launch
from tests.executors.serving.sites import LAUNCHES, SITE

GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize("name", LAUNCHES)
def test_it_is_the_golden_one(name: str) -> None:
    assert job_script(LAUNCHES[name]) == (GOLDEN / f"{name}.sbatch").read_text(encoding="utf-8")


def test_every_golden_file_is_of_a_launch() -> None:
    assert sorted(p.stem for p in GOLDEN.glob("*.sbatch")) == sorted(LAUNCHES)


@pytest.mark.parametrize("name", LAUNCHES)
def test_a_shell_can_read_it(name: str) -> None:
    text = job_script(LAUNCHES[name])
    assert subprocess.run(["bash", "-n"], input=text, text=True).returncode == 0
    if shutil.which("shellcheck"):
        checked = subprocess.run(["shellcheck", "-"], input=text, text=True, capture_output=True)
        assert checked.returncode == 0, checked.stdout


def test_it_finds_its_folder_from_slurm_and_not_from_its_own_place(tmp_path: Path) -> None:
    """$0 is a copy in SLURM's spool: the script is run from elsewhere, with the folder named."""
    folder, spool = tmp_path / "a server's folder", tmp_path / "spool"
    folder.mkdir()
    spool.mkdir()
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$PWD" "$PYTHONPATH" "$@"\n')
    python.chmod(0o755)
    launch = replace(LAUNCHES["cpu"], python=str(python))
    (spool / "slurm_script").write_text(job_script(launch))
    done = subprocess.run(
        ["bash", str(spool / "slurm_script")],
        cwd=spool,
        env={"PATH": "/usr/bin:/bin", "SLURM_SUBMIT_DIR": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == [
        str(folder), launch.repository, "-m", "executors.serving.keeper", "--folder", str(folder),
    ]  # fmt: skip


def test_the_job_bears_the_name_of_its_run() -> None:
    assert job_name(LAUNCHES["one_gpu"]) == "ladon-hyy-opendata-serve-gpt_oss_20b"
    assert job_name(LAUNCHES["four_gpus"]) == "ladon-serve-minimax_m2_5"


@pytest.mark.parametrize(
    ("time", "minutes", "seconds"),
    [("04:00:00", 10.0, 600), ("00:10:00", 10.0, 300), ("2-00:00:00", 3000.0, 65_535)],
)
def test_the_signal_comes_before_half_of_the_time_is_left(
    time: str, minutes: float, seconds: int
) -> None:
    site = replace(SITE, time=time, drain_minutes=minutes)
    assert drain_s(replace(LAUNCHES["one_gpu"], site=site)) == seconds


@pytest.mark.parametrize("option", ["-p gpu", "--comment=a\nrm -rf /", '--comment="a"'])
def test_an_option_that_cannot_be_written_is_refused(option: str) -> None:
    launch = Launch(LAUNCHES["one_gpu"].spec, replace(SITE, sbatch_options=(option,)), "p", "r")
    with pytest.raises(ServeSpecError, match="on one line, found"):
        job_script(launch)
