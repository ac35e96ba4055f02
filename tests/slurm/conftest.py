"""The SLURM testbed as a fixture: commands on the host, on a node, and as an ordinary user."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.slurm.launching import Launcher

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "slurm" / "testbed" / "testbed.sh"
USER = "ladon"
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}


def run(*command: str, user: str | None = None, seconds: float = 60) -> str:
    """Standard output of a command, which must succeed."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds, user=user, cwd="/", check=False
    )
    assert done.returncode == 0, f"{' '.join(command)} ended with {done}"
    return done.stdout.strip()


@dataclass(frozen=True)
class Cluster:
    """The running testbed; `folder` is on the shared file system, and the user's own."""

    folder: Path
    memory: str  # cgroup, or poll

    def script(self, *arguments: str) -> str:
        return run(str(SCRIPT), *arguments, seconds=120)

    def on_node(self, node: str, *command: str) -> str:
        """Output of a command on a node, past SLURM."""
        return self.script("exec", node, *command)

    def submit(self, *arguments: str, user: str | None = USER) -> str:
        """Job id of `sbatch`; its output goes to <folder>/<job id>.out."""
        output = f"--output={self.folder}/%j.out"
        return run("sbatch", "--parsable", output, *arguments, user=user)

    def output(self, job: str) -> str:
        return (self.folder / f"{job}.out").read_text(encoding="utf-8")

    def state(self, job: str) -> str:
        """State of a job in the controller's memory."""
        return run("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T")

    def ended(self, job: str, seconds: float = 30) -> str:
        """State that the job ended with, as soon as it has."""
        self.until(lambda: self.state(job) in ENDED, f"job {job} to end", seconds)
        return self.state(job)

    def until(self, true: Callable[[], bool], what: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"expected {what} within {seconds} s"
            time.sleep(0.2)


@pytest.fixture(scope="session")
def slurm() -> Iterator[Cluster]:
    """The testbed, up and whole; its own jobs are cancelled at the end."""
    if os.geteuid() != 0 or shutil.which("sbatch") is None:
        pytest.skip("no SLURM testbed here; as root: slurm/testbed/testbed.sh install, then up")
    end = time.monotonic() + 60  # jobs of the tests before may be ending
    while (status := _status()).returncode != 0 and time.monotonic() < end:
        time.sleep(2)
    if status.returncode != 0:
        broken = re.findall(
            r"^(\S+) +(?:stopped|.*(?:down|drain|unknown|cut))", status.stdout, re.M
        )
        pytest.skip(f"of the SLURM testbed {broken} do not run; as root: {SCRIPT} up")
    memory = "cgroup" if re.search("enforced by the kernel", status.stdout) else "poll"
    folder = Path(tempfile.mkdtemp(prefix="ladon-slurm-"))
    shutil.chown(folder, USER)
    yield Cluster(folder, memory)
    run("scancel", f"--user={USER}")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def launcher(slurm: Cluster) -> Iterator[Launcher]:
    """`sbatch launch.sh` in a folder of root's: the controller runs as whoever runs the tests."""
    from tests.slurm.launching import Launcher  # which is made of what is here

    folder = Path(tempfile.mkdtemp(prefix="ladon-launch-"))
    yield Launcher(folder)
    shutil.rmtree(folder)


def _status() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPT), "status"], capture_output=True, text=True, timeout=60, check=False
    )
