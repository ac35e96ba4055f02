"""The Snakemake process of a run: its command line, its environment, its beginning and its end."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from executors.parent import die_with_parent
from pipeline.paths import resource
from pipeline.settings import Settings
from pipeline.workflow.layout import Layout

SNAKEFILE = Path(__file__).resolve().parent / "workflow" / "Snakefile"
LOG = Path("logs") / "snakemake.log"
CPU = "cpu"
"""Resource of the rules that compute, where Snakemake's own count of cores is no measure."""


def snakemake_command(folder: Path, profile: Path, limits: Mapping[str, int]) -> list[str]:
    """The command line that runs the graph of `folder`; what differs by site is in `profile`.

    `limits` are resources that all jobs together may take, by name.
    """
    command = [
        sys.executable, "-P", "-m", "snakemake",  # -P: a user's own copy.py is no module of ours
        "--snakefile", str(SNAKEFILE),
        "--directory", str(folder),
        "--profile", str(profile),
        "--rerun-triggers", "mtime",
        "--rerun-incomplete",
        "--keep-going",
        "--nolock",  # our own lock is held: it dies with its holder, Snakemake's does not
        "--quiet", "progress",
    ]  # fmt: skip
    if CPU in limits:
        command += ["--cores", str(sum(limits.values()))]
    if limits:
        command += ["--resources", *(f"{name}={most}" for name, most in limits.items())]
    return command


def limits_of(settings: Settings, layout: Layout) -> dict[str, int]:
    """What jobs of a run share: the dialogues that each endpoint holds, and this machine's cores.

    A dialogue that waits for an endpoint takes no core of this machine, but Snakemake counts one
    for each job: where there are endpoints it gets as many more, and what computes is counted here.
    More dialogues are under way than an endpoint answers at a time (never more calls than that are
    made, see `agents.slots`), so that one is ready when another ends: here, where one that waits
    costs next to nothing, twice as many; where each is a job of its own, a quarter more.
    """
    here = settings.site.scheduler == "none"
    limits = {
        name: 2 * most if here else most + math.ceil(most / 4)
        for name, most in layout.endpoints().items()
    }
    if limits and here:
        limits[CPU] = settings.site.cores
    return limits


def child_environment(settings: Settings, folder: Path) -> dict[str, str]:
    """Environment of the graph: our interpreter first, one numeric thread, no stray bytes.

    At a site with SLURM, as it would be outside of any job: sbatch takes a job's variables for
    options. What a job inherits is this environment.
    """
    from executors.slurm.client import outside_of_jobs

    environment = dict(os.environ)
    path = [str(Path(sys.executable).parent), environment.get("PATH", "")]
    if settings.site.scheduler == "slurm":
        environment = outside_of_jobs(environment)
        ours = str(resource("slurm/bin"))
        environment |= {
            "LADON_SLURM_BIN": ours,
            "LADON_PYTHON": sys.executable,
            "LADON_SBATCH_LOG": str(folder / "logs" / "sbatch.log"),
        }
        path.insert(0, ours)
    environment["PATH"] = os.pathsep.join(path)
    repository = str(SNAKEFILE.parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(
        p for p in (repository, environment.get("PYTHONPATH", "")) if p
    )
    environment["PYTHONHASHSEED"] = "0"
    environment["MPLBACKEND"] = "Agg"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment[name] = "1"  # a sum over threads may differ in its last bit
    return environment


class Graph:
    """A running Snakemake; leaving its `with` block ends it, however the block is left."""

    def __init__(
        self,
        folder: Path,
        profile: Path,
        limits: Mapping[str, int],
        environment: Mapping[str, str],
    ) -> None:
        """See `snakemake_command`, `limits_of` and `child_environment`."""
        parent = os.getpid()
        self._log = (folder / LOG).open("a", encoding="utf-8")
        self.began_at = self._log.tell()
        """Where in the log this start begins."""
        self._child = subprocess.Popen(
            snakemake_command(folder, profile, limits),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(parent),
        )

    def code(self, within_s: float) -> int | None:
        """Its exit code, waited for so long; None while it runs."""
        try:
            return self._child.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            return None

    def ask(self) -> None:
        """Ask it to start nothing more and to end when what runs has ended."""
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it and what it runs on this machine, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._child.poll() is None:
            self.kill()
        self._log.close()
