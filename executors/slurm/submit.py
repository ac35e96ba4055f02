"""An sbatch with patience: what SLURM refuses for a passing reason is tried again for a while.

    python -m executors.slurm.submit OPTIONS...        as sbatch; see slurm/bin/sbatch

Snakemake's SLURM plugin gives a job up at the first refusal, and its retries are used up within
seconds while a controller restarts or a partition is closed for a minute.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from executors.slurm.client import is_passing, outside_of_jobs

PATIENCE = "LADON_SBATCH_PATIENCE_S"
PATIENCE_S = 600.0
LOG = "LADON_SBATCH_LOG"
"""Variable that names the file in which refusals are kept."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 30.0


def submit(
    arguments: Sequence[str],
    patience_s: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Give sbatch these arguments until it takes the job or says a final no; its exit code."""
    program = sbatch_program()
    if program is None:
        print("sbatch: expected SLURM's sbatch on PATH, found none", file=sys.stderr)
        return 127
    script = sys.stdin.read() if reads_input(arguments) else ""
    deadline, pause_s = clock() + patience_s, FIRST_PAUSE_S
    while True:
        done = subprocess.run(
            [program, *arguments],
            input=script,
            capture_output=True,
            text=True,
            env=outside_of_jobs(os.environ),
        )
        said = " ".join((done.stderr or done.stdout).split())
        if done.returncode == 0 or not is_passing(said) or clock() > deadline:
            sys.stdout.write(done.stdout)
            sys.stderr.write(done.stderr)
            return done.returncode
        # Not in SLURM's own words: the plugin reads "submission failed" as the end of it.
        why = said.rpartition("failed: ")[2]
        _tell(f"sbatch was refused ({why}); trying again in {pause_s:.0f} s")
        sleep(pause_s)
        pause_s = min(1.5 * pause_s, LONGEST_PAUSE_S)


def reads_input(arguments: Sequence[str]) -> bool:
    """Whether sbatch would take the script from its input: none is named, and none is wrapped.

    Dask names a file, and leaves an input open that nobody ever ends.
    """
    wrapped = any(word.startswith("--wrap") for word in arguments)
    return not wrapped and not (arguments and Path(arguments[-1]).is_file())


def _tell(said: str) -> None:
    """To whoever called, and into the run's log: the plugin keeps what it hears to itself."""
    print(said, file=sys.stderr)
    if log := os.environ.get(LOG):
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {said}\n")


def sbatch_program() -> str | None:
    """SLURM's own sbatch: the first on PATH that is not ours."""
    ours = Path(os.environ.get("LADON_SLURM_BIN", "/nowhere")).resolve()
    folders = [
        folder
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
        if folder and Path(folder).resolve() != ours
    ]
    return shutil.which("sbatch", path=os.pathsep.join(folders))


if __name__ == "__main__":
    sys.exit(submit(sys.argv[1:], float(os.environ.get(PATIENCE, PATIENCE_S))))
