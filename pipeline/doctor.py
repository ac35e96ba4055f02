"""What this machine has and lacks of what Ladon can use; nothing is changed."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass

from rich.console import Console

from executors.sandbox import STRONGEST_FIRST, Limits, Sandbox, unprotected
from pipeline.provenance import versions


@dataclass(frozen=True)
class Found:
    """One thing that was looked for: whether it is there, and what that means."""

    name: str
    there: bool
    said: str


def look() -> list[Found]:
    """Everything that the verbs of Ladon can make use of, in the order in which it matters."""
    return [_python(), _processors(), *(_sandbox(name) for name in STRONGEST_FIRST), *_programs()]


def print_findings(console: Console, found: list[Found]) -> None:
    """One line per thing; for a sandbox, what it does not protect from."""
    for each in found:
        mark = "[green]yes[/]" if each.there else "[yellow]no [/]"
        console.print(f"{mark} {each.name}: ", end="", highlight=False)
        console.print(each.said, markup=False, highlight=False, soft_wrap=True)


def _python() -> Found:
    named = ", ".join(f"{name} {version}" for name, version in sorted(versions().items()))
    return Found("python", True, f"{platform.python_version()}; {named}")


def _processors() -> Found:
    usable = len(os.sched_getaffinity(0))
    return Found("processors", True, f"{usable} that this process may use")


def _sandbox(name: str) -> Found:
    sandbox: Sandbox = STRONGEST_FIRST[name](Limits())
    available, reason = sandbox.available()
    if not available:
        return Found(f"sandbox {name}", False, reason)
    said = "; ".join(unprotected(sandbox))
    return Found(f"sandbox {name}", True, said or "all layers of protection")


def _programs() -> list[Found]:
    wanted = {
        "sbatch": "SLURM, to run on a cluster",
        "apptainer": "containers",
        "nvidia-smi": "GPUs, to serve a model here",
        "chromium": "only for the tests, which look at the report in it",
    }
    return [Found(name, shutil.which(name) is not None, why) for name, why in wanted.items()]
