"""SLURM's commands, asked in a clean environment and with a limit on their time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

COMMAND_S = 60.0
PASSING = (
    "Socket timed out",
    "Unable to contact slurm controller",
    "temporarily unable to accept job",
    "Resource temporarily unavailable",
    "Zero Bytes were transmitted or received",
    "Connection refused",
    "Connection timed out",
    "Too many jobs pending or running",
    "Required partition not available (inactive or drain)",
    "Unable to open file",
    "Slurm temporarily",
    "slurm_persist_conn_open",
    "Transport endpoint is not connected",
)
"""What SLURM's commands say when trying again can help."""
KEPT = frozenset({"SLURM_CONF"})
"""Variables of SLURM that say where it is, not which job one is in."""


class SlurmError(RuntimeError):
    """SLURM is not here, or does not answer."""


@dataclass(frozen=True)
class Answer:
    """What one of SLURM's commands said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Its complaint (or else its output) on one line."""
        return " ".join((self.err or self.out).split())

    @property
    def passing(self) -> bool:
        """Whether the complaint is one that may go away by itself."""
        return self.code != 0 and is_passing(self.said)


def ask(
    command: Sequence[str],
    folder: Path | None = None,
    timeout_s: float = COMMAND_S,
    environment: Mapping[str, str] | None = None,
) -> Answer:
    """The answer of a command of SLURM, given in `folder` with `environment` (None: this one's).

    Without the variables of a job that this process may be in: sbatch and srun take them for
    options. One that does not answer in time has code 1. Raises SlurmError where it is not there.
    """
    try:
        done = subprocess.run(
            list(command),
            cwd=folder,
            env=outside_of_jobs(os.environ if environment is None else environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
        )
    except FileNotFoundError:
        raise SlurmError(
            f"expected SLURM's {command[0]} on this machine, found none; run on a machine of the "
            "cluster (a login node), or take a site without a scheduler, e.g. site=laptop"
        ) from None
    except subprocess.TimeoutExpired:
        return Answer(1, "", f"{command[0]}: Socket timed out (no answer in {timeout_s:.0f} s)")
    return Answer(done.returncode, done.stdout, done.stderr)


def outside_of_jobs(variables: Mapping[str, str]) -> dict[str, str]:
    """`variables` as they would be outside of any job."""
    ours = ("SLURM_", "SBATCH_", "SQUEUE_", "SRUN_", "SALLOC_", "SLURMD_")
    return {k: v for k, v in variables.items() if k in KEPT or not k.startswith(ours)}


def is_passing(said: str) -> bool:
    """Whether SLURM's complaint is one that may go away by itself."""
    return any(text.lower() in said.lower() for text in PASSING)
