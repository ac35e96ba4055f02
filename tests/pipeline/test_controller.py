"""What a run does for its site beside the graph."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from executors.slurm.client import SlurmError
from executors.slurm.jobs import tag_of
from pipeline.configure import configure
from pipeline.controller import LAST_S, Controller, began, work_done
from pipeline.freeze import freeze
from pipeline.graph import child_environment, limits_of, snakemake_command
from pipeline.sweep.point import MAIN, Point


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file by which the controller speaks to launch.sh."""
    file = tmp_path / "told"
    monkeypatch.setenv("LADON_CONTROLLER_FILE", str(file))
    return file


def controller(folder: Path, said: list[str], *overrides: str) -> Controller:
    settings = configure(["run.name=x", *overrides])
    layout = freeze(settings, folder)
    return Controller([Point(MAIN, settings)], layout, folder, said.append)


@pytest.fixture
def empty_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """STAND-INS for SLURM's commands: a queue without jobs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sbatch", "squeue", "scancel"):
        (folder / name).write_text("#!/bin/sh\nexit 0\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_a_site_with_slurm_needs_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = controller(tmp_path, [], "site=testbed")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        SlurmError, match="site=testbed runs its steps on SLURM, and there is no sb"
    ):
        there.begin()


def test_a_laptop_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    here = controller(tmp_path, said)
    monkeypatch.setenv("PATH", str(tmp_path))
    here.begin()
    here.look()
    here.end()
    assert said == []
    assert time.time() - 60 < began(tmp_path) <= time.time()


@pytest.mark.usefixtures("empty_queue")
def test_launch_sh_learns_the_tag(tmp_path: Path, told: Path) -> None:
    controller(tmp_path, [], "site=testbed").begin()
    assert told.read_text() == f"{tag_of(tmp_path)}\n\n"


@pytest.mark.usefixtures("empty_queue")
def test_a_start_that_came_to_something_is_continued(tmp_path: Path, told: Path) -> None:
    said: list[str] = []
    there = controller(tmp_path, said, "site=testbed", "site.requeue=true")
    there.begin()
    there.out_of_time()
    assert "not continued by itself" in said[0]
    assert told.read_text().splitlines()[1] == ""
    (tmp_path / "points" / "main" / "inspect").mkdir(parents=True)
    (tmp_path / "points" / "main" / "inspect" / "record.json").write_text("{}")
    there.out_of_time()
    assert told.read_text().splitlines() == [tag_of(tmp_path), "requeue"]


@pytest.mark.usefixtures("empty_queue")
def test_nobody_goes_back_into_the_queue_unasked(tmp_path: Path, told: Path) -> None:
    there = controller(tmp_path, [], "site=testbed")
    there.begin()
    (tmp_path / "points" / "main" / "x.json").write_text("{}")
    there.out_of_time()
    assert told.read_text().splitlines()[1] == ""


def test_finished_chunks_are_work_that_was_done(tmp_path: Path) -> None:
    (tmp_path / "chunks" / "ab").mkdir(parents=True)
    before = work_done(tmp_path)
    (tmp_path / "chunks" / "ab" / "key.json").write_text("{}")
    assert work_done(tmp_path) == before + 2


def test_the_time_that_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = controller(tmp_path, [])
    assert there.seconds_left() is None
    monkeypatch.setenv("LADON_END_TIME", str(int(time.time()) + 300))
    left = there.seconds_left()
    assert left is not None
    assert 235 < left + 60 - LAST_S < 241


def test_a_job_inherits_no_job_and_finds_our_sbatch_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SBATCH_PARTITION", "gpu")
    there = child_environment(configure(["site=testbed"]), tmp_path)
    assert not {"SLURM_JOB_ID", "SBATCH_PARTITION"} & set(there)
    first, second = there["PATH"].split(os.pathsep)[:2]
    assert first == there["LADON_SLURM_BIN"]
    assert (Path(first) / "sbatch").is_file()
    assert second == str(Path(sys.executable).parent)
    here = child_environment(configure([]), tmp_path)
    assert here["PATH"].split(os.pathsep)[0] == second
    assert (here["PYTHONHASHSEED"], here["OMP_NUM_THREADS"]) == ("0", "1")


def test_what_differs_by_site_is_in_the_profile(tmp_path: Path) -> None:
    command = snakemake_command(tmp_path, tmp_path / "profile", {})
    assert command[command.index("--profile") + 1] == str(tmp_path / "profile")
    assert not {"--cores", "--jobs", "--executor", "--latency-wait", "--resources"} & set(command)


def test_dialogues_of_an_endpoint_are_limited_and_take_no_core(tmp_path: Path) -> None:
    endpoint = ("model=endpoint", "model.repository=a/b", "model.base_url=http://127.0.0.1:1/v1")
    settings = configure(["run.name=x", "site.cores=2", "model.concurrency=7", *endpoint])
    layout = freeze(settings, tmp_path)
    limits = limits_of(settings, layout)
    ((name, most),) = layout.endpoints().items()
    assert limits == {name: 14, "cpu": 2}  # one waits for each that asks
    assert most == 7
    assert layout.solve_cores("points/main") == 0
    assert layout.endpoint_slots("points/main", name) == 1
    assert layout.endpoint_slots("points/main", "endpoint_other") == 0
    command = snakemake_command(tmp_path, tmp_path / "profile", limits)
    assert command[command.index("--cores") + 1] == "16"
    assert command[command.index("--resources") + 1 :] == [f"{name}=14", "cpu=2"]


def test_scripts_share_nothing(tmp_path: Path) -> None:
    settings = configure(["run.name=x"])
    layout = freeze(settings, tmp_path)
    assert limits_of(settings, layout) == {}
    assert layout.solve_cores("points/main") == 1
