"""Faults on the testbed: nothing lost, nothing left, a clear sentence, the same numbers after.

Each test hurts one run while its convert is under way, looks at what is said and left, and ends
with the same command again (or the run going on by itself) and the bits of an undisturbed run. The
runs begin where the undisturbed one was before its convert: copies without what came after.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from pipeline.paths import resource
from pipeline.replay import compare_runs
from tests.slurm.conftest import Cluster, run
from tests.slurm.launching import Launched, Launcher

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.timeout(1800)]

SHORT = ("data.luminosity=1.5", "data.chunk_size=250", "solver=reference",
         "stages=[inspect,convert]")  # fmt: skip
"""Two stages of our own solutions, in some 470 chunks."""
ELSEWHERE = ("--partition=gpu",)
"""The controller is on none of the nodes that convert may be on."""
CONVERTED = Path("points/main/convert/output")


@dataclass(frozen=True)
class FromConvert(Launcher):
    """Launches runs that have come as far as convert."""

    calm: Path

    def __call__(self, name: str, *overrides: str, options: tuple[str, ...] = ()) -> Launched:
        folder = self.calm.parent / name
        if not folder.exists():
            shutil.copytree(self.calm, folder, ignore=later)
        return super().__call__(name, *overrides, options=options)


def later(folder: str, names: list[str]) -> set[str]:
    """What a run does not have before its convert."""
    place = Path(folder)
    if place.name == "convert":
        return set(names) - {"solution.py", "attempts.json", "trajectory.jsonl"}
    if place.parent.name == "points":
        return {"results.json"} & set(names)
    if place.parent.name == "outputs":
        return set(names) - {"fileset", "points", "provenance.json", "reference", "solutions",
                             "sweep.json"}  # fmt: skip
    return set()


@pytest.fixture(scope="module")
def calm(slurm: Cluster) -> Iterator[Path]:
    """The undisturbed run."""
    folder = Path(tempfile.mkdtemp(prefix="ladon-faults-"))
    launched = Launcher(folder)("calm", *SHORT)
    launched.succeeded()
    yield launched.folder
    shutil.rmtree(folder)


@pytest.fixture
def launcher(calm: Path) -> Launcher:
    return FromConvert(calm.parents[1], calm)


def same_numbers(calm: Path, launched: Launched) -> None:
    launched.left_nothing()
    compared = compare_runs(calm, launched.folder)
    assert compared.same, compared.differences
    assert "Traceback" not in launched.text


def again(launcher: Launcher, launched: Launched, *overrides: str) -> Launched:
    """The same command again, to its end; what was finished stays as it was."""
    kept = launched.chunks
    continued = launcher(launched.folder.name, *(overrides or SHORT))
    continued.succeeded()
    after = continued.chunks
    assert {name: after[name] for name in kept} == kept, "a finished chunk was computed again"
    return continued


@contextmanager
def mended(slurm: Cluster) -> Iterator[None]:
    """Whatever happens in the block, the testbed is whole afterwards."""
    try:
        yield
    finally:
        for node in ("cpu1", "cpu2"):
            slurm.script("heal", node)
        slurm.script("accounts", "open")
        run("scontrol", "update", "PartitionName=cpu", "State=UP")
        slurm.script("up")


def test_scancel_of_a_worker(launcher: Launcher, calm: Path) -> None:
    """The job of convert is cancelled: submitted again, and it goes on where it was."""
    launched = launcher("worker", *SHORT)
    job = launched.converting()
    kept = launched.chunks
    run("scancel", job.id)
    launched.succeeded()
    assert "CANCELLED" in launched.log
    after = launched.chunks
    assert {name: after[name] for name in kept} == kept
    same_numbers(calm, launched)


def test_scancel_of_the_controller(launcher: Launcher, calm: Path) -> None:
    launched = launcher("controller", *SHORT)
    launched.converting()
    run("scancel", launched.job)
    launched.ended(60)
    launched.left_nothing()
    assert "stopped; the same command continues" in launched.text
    assert launched.chunks
    same_numbers(calm, again(launcher, launched))


def test_a_controller_that_is_killed(launcher: Launcher, calm: Path) -> None:
    """SIGKILL to all of its job: nobody cancels the others, but the next start does."""
    launched = launcher("killed", *SHORT)
    launched.converting()
    # scancel would send SIGTERM first, which it minds. The host sees the processes of the nodes.
    run("pkill", "-KILL", "--full", "run.name=killed")
    launched.ended(60)
    assert launched.jobs, "expected the job of convert to be left"
    continued = launcher("killed", *SHORT)
    text = continued.succeeded()
    assert "that an earlier start of this run had left" in text
    same_numbers(calm, continued)


def test_a_node_that_is_cut_off_and_healed(launcher: Launcher, calm: Path, slurm: Cluster) -> None:
    launched = launcher("healed", *SHORT, options=ELSEWHERE)
    job = launched.converting()
    with mended(slurm):
        node = slurm_node(job.node, run("squeue", "-h", f"--jobs={launched.job}", "-o", "%N"))
        slurm.script("cut", node)
        time.sleep(8)
        slurm.script("heal", node)
        launched.succeeded()
    same_numbers(calm, launched)


def test_a_node_that_is_cut_off_for_good(launcher: Launcher, calm: Path, slurm: Cluster) -> None:
    """One worker, so that the other node can take convert over."""
    given = (*SHORT, "site.workers=1")
    launched = launcher("lost", *given, options=ELSEWHERE)
    job = launched.converting()
    with mended(slurm):
        controller = run("squeue", "-h", f"--jobs={launched.job}", "-o", "%N")
        node = slurm_node(job.node, controller)
        slurm.script("cut", node)
        launched.succeeded()
        assert "NODE_FAIL" in launched.log or "node failure" in launched.log
    same_numbers(calm, launched)


def slurm_node(nodes: str, controller: str) -> str:
    """A node of the job that is not the controller's; the test needs one."""
    names = run("scontrol", "show", "hostnames", nodes).split()
    others = [name for name in names if name != controller]
    if not others:
        pytest.fail(f"convert ran on {nodes} alone, where the controller is")
    return others[0]


def test_slurmctld_restarted(launcher: Launcher, calm: Path, slurm: Cluster) -> None:
    launched = launcher("slurmctld", *SHORT)
    launched.converting()
    with mended(slurm):
        slurm.script("stop", "slurmctld")
        time.sleep(20)
        slurm.script("up")
        launched.succeeded()
    same_numbers(calm, launched)


def test_slurmdbd_down(launcher: Launcher, calm: Path, slurm: Cluster) -> None:
    with mended(slurm):
        slurm.script("stop", "slurmdbd")
        launched = launcher("slurmdbd", *SHORT)
        launched.succeeded()
    same_numbers(calm, launched)


def test_a_worker_over_its_memory(launcher: Launcher, calm: Path) -> None:
    """SLURM ends the job; more memory is asked for, and the same run continues."""
    launched = launcher("memory", *SHORT, "site.memory_gb=0.1")
    assert launched.ended() == 1
    launched.left_nothing()
    assert "needed more memory than SLURM gave it" in launched.text
    assert "site.memory_gb" in launched.text
    assert "Traceback" not in launched.text
    same_numbers(calm, again(launcher, launched))


def test_the_walltime_of_a_worker(launcher: Launcher, calm: Path, tmp_path: Path) -> None:
    """A minute for convert, which needs more: each job goes on where the one before was."""
    profile = yaml.safe_load((resource("slurm/profiles") / "testbed" / "config.yaml").read_text())
    profile["set-resources"]["convert"]["runtime"] = 1
    profile["retries"] = 8
    (launcher.folder / "minute").mkdir()
    (launcher.folder / "minute" / "config.yaml").write_text(yaml.safe_dump(profile))
    given = [s.replace("chunk_size=250", "chunk_size=20") for s in SHORT]
    launched = Launcher(launcher.folder)(
        "minute", *given, f"site.profile={launcher.folder / 'minute'}"
    )
    launched.succeeded(1700)
    assert "TIMEOUT" in launched.log
    launched.left_nothing()
    tables = sorted((calm / CONVERTED).glob("*.parquet"))
    assert tables
    for table in tables:  # the chunks are others, the rows are not
        assert (launched.folder / CONVERTED / table.name).read_bytes() == table.read_bytes()


def test_the_walltime_of_the_controller(launcher: Launcher, calm: Path) -> None:
    """It goes back into the queue by itself until the run is done."""
    launched = launcher(
        "requeued", *SHORT, "site.requeue=true", options=("--time=2", "--signal=B:USR1@60")
    )
    launched.succeeded(1700)
    assert "goes back into the queue (start 2)" in launched.text
    assert "start 2: ladon run" in launched.text
    same_numbers(calm, launched)


@pytest.fixture
def scratch(slurm: Cluster) -> Iterator[Path]:
    """A small file system that the nodes see too: it has to be there when they start."""
    folder = Path(tempfile.mkdtemp(prefix="ladon-scratch-"))
    slurm.script("down")
    run("mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(folder))
    try:
        slurm.script("up")
        yield folder
    finally:
        slurm.script("down")
        run("umount", "--lazy", str(folder))
        folder.rmdir()
        slurm.script("up")


def test_a_full_scratch(launcher: Launcher, calm: Path, scratch: Path) -> None:
    """The file system of the run is full while convert works; when there is room it goes on."""
    shutil.copytree(calm, scratch / "scratch", ignore=later)
    outputs = (*SHORT, f"run.outputs={scratch}")
    given = Launcher(launcher.folder)("scratch", *outputs)
    launched = replace(given, folder=scratch / "scratch")
    launched.converting()
    subprocess.run(["dd", "if=/dev/zero", f"of={scratch}/full", "bs=64k"], capture_output=True)
    assert launched.ended() == 1
    (scratch / "full").unlink()
    launched.left_nothing()
    assert "No space left on device" in launched.text
    assert "Traceback" not in launched.text
    kept = launched.chunks
    assert kept
    continued = replace(Launcher(launcher.folder)("scratch", *outputs), folder=launched.folder)
    continued.succeeded()
    assert {name: continued.chunks[name] for name in kept} == kept
    same_numbers(calm, continued)


def test_an_account_that_does_not_exist(launcher: Launcher, calm: Path) -> None:
    launched = launcher("account", *SHORT, "site.account=wrong")
    assert launched.ended(240) == 1
    launched.left_nothing()
    assert "expected an account of SLURM that may be used, found 'wrong'" in launched.text
    assert "site.account=NAME" in launched.text
    assert "Traceback" not in launched.text
    same_numbers(calm, again(launcher, launched))


def test_a_partition_that_does_not_exist(launcher: Launcher, calm: Path) -> None:
    launched = launcher("partition", *SHORT, "site.partition=nope")
    assert launched.ended(240) == 1
    launched.left_nothing()
    assert "invalid partition specified: nope" in launched.text
    assert "site.partition=NAME" in launched.text
    assert "Traceback" not in launched.text
    same_numbers(calm, again(launcher, launched))


def test_sbatch_that_refuses_for_a_minute(launcher: Launcher, calm: Path, slurm: Cluster) -> None:
    launched = launcher("refused", *SHORT)
    launched.until(lambda: launched.state == "RUNNING", "the controller to begin", 60)
    with mended(slurm):
        run("scontrol", "update", "PartitionName=cpu", "State=INACTIVE")
        time.sleep(60)
        run("scontrol", "update", "PartitionName=cpu", "State=UP")
        launched.succeeded()
    assert "sbatch was refused" in (launched.folder / "logs" / "sbatch.log").read_text()
    same_numbers(calm, launched)
