"""How the steps of a run are started at its site: the words before `-m pipeline.steps...`."""

from __future__ import annotations

import shlex

from pipeline.profile import task_memory_mb, tasks
from pipeline.settings import Settings


def launch(settings: Settings) -> dict[str, str]:
    """What the layout of a run keeps of it: `python`, and `allocation` for convert; see Layout."""
    return {"python": "python", "allocation": shlex.join(allocation_command(settings))}


def allocation_command(settings: Settings) -> list[str]:
    """What starts every task of convert's allocation; nothing where it has none.

    The job's own numbers are said again: Snakemake's plugin takes them out of the environment.
    """
    if settings.site.executor != "allocation":
        return []
    return [
        "srun",
        f"--ntasks={tasks(settings.site)}",
        "--cpus-per-task=1",
        f"--mem-per-cpu={task_memory_mb(settings)}",
        "--kill-on-bad-exit=1",
        "--export=ALL",
    ]
