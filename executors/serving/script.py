"""The job script of a server: a pure function of a launch, and the options that SLURM is given."""

from __future__ import annotations

import re
import shlex

from executors.serving.command import cpus_per_node, uses_ray
from executors.serving.errors import ServeSpecError
from executors.serving.spec import Launch, walltime_s

SIGNAL = "USR1"
"""What SLURM sends before the walltime; the keeper drains its server then."""


def job_name(launch: Launch) -> str:
    """Name of the job: the run that it belongs to, if it belongs to one, and the model."""
    words = ["ladon", launch.owner, "serve", launch.spec.name]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(word for word in words if word))


def sbatch_options(launch: Launch) -> list[str]:
    """The options of sbatch, one a line of the script; ServeSpecError if one cannot be written."""
    spec, site = launch.spec, launch.site
    options = [f"--job-name={job_name(launch)}"]
    for name in ("partition", "account", "qos", "constraint"):
        value = getattr(site, name)
        options += [f"--{name}={value}"] if value is not None else []
    options += [
        f"--nodes={spec.nodes}",
        f"--ntasks={spec.nodes}",
        "--ntasks-per-node=1",
        f"--cpus-per-task={cpus_per_node(spec, site)}",
    ]
    if spec.gpus and site.gres is not None:
        options.append(f"--gres={site.gres}:{spec.gpus_per_node}")
    if site.memory_gb_per_gpu is not None:
        megabytes = round(site.memory_gb_per_gpu * 1024) * max(1, spec.gpus_per_node)
        options.append(f"--mem={megabytes}M")
    if site.exclusive or uses_ray(spec, site):
        options.append("--exclusive")
    options += [
        f"--time={site.time}",
        f"--signal=B:{SIGNAL}@{drain_s(launch)}",
        "--no-requeue",
        "--open-mode=append",
        "--output=logs/job-%j.log",
        *site.sbatch_options,
    ]
    for option in options:
        if not option.startswith("--") or "\n" in option or '"' in option:
            raise ServeSpecError(
                f"expected options of sbatch like --name=value on one line, found {option!r}; "
                "correct site.serve"
            )
    return options


def drain_s(launch: Launch) -> int:
    """Seconds before the walltime at which the server drains; at most half of its time."""
    return min(round(launch.site.drain_minutes * 60), walltime_s(launch.site.time) // 2, 65_535)


def job_script(launch: Launch) -> str:
    """The text of serve.sbatch.

    It is submitted from the server's folder, which SLURM_SUBMIT_DIR names in the job ($0 is a copy
    in SLURM's spool). The shell becomes the keeper, so that SLURM's signals reach it directly.
    """
    lines = ["#!/bin/bash"]
    lines += [f"#SBATCH {option}" for option in sbatch_options(launch)]
    lines += [
        f"# Serves {launch.spec.repository} as {launch.spec.served_name}.",
        "# Written by Ladon (executors/serving/script.py); submitted from the server's folder.",
        "set -eo pipefail",
        'cd "${SLURM_SUBMIT_DIR:-$PWD}"',
        "umask 077",
        *launch.site.setup,
        f"export PYTHONPATH={shlex.quote(launch.repository)}",
        "export PYTHONUNBUFFERED=1",
        f'exec {shlex.quote(launch.python)} -m executors.serving.keeper --folder "$PWD"',
    ]
    return "\n".join(lines) + "\n"
