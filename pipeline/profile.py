"""The profile of a run: what Snakemake and SLURM are told, frozen from the site's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from executors.slurm.jobs import prefix_of
from pipeline.files import replacing
from pipeline.paths import resource
from pipeline.settings import Settings, SettingsError, nearest
from pipeline.site_settings import SiteSettings

FOLDER = "profile"
"""In the run directory: a folder that `snakemake --profile` takes."""
HEADROOM = 1.25
"""SLURM's limit of a worker's memory over Dask's own, which has to come first."""
JAILED = ("solve", "execute", "judge")
"""Rules whose steps run a model's code, in a sandbox with a limit of its own on memory: a code that
wants too much has to meet that one (a result) before it meets SLURM's (an infrastructure error)."""


def write_profile(settings: Settings, run: Path) -> Path:
    """Freeze the site's profile for this run; the folder that holds it.

    Raises SettingsError where the site names a profile that does not exist or cannot be read.
    """
    site = settings.site
    content = frozen_profile(load_profile(site.profile), settings, run)
    target = run / FOLDER / "config.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary:
        temporary.write_text(
            f"# Frozen by Ladon from the profile {site.profile!r}; see slurm/profiles.\n"
            + yaml.safe_dump(content, sort_keys=True),
            encoding="utf-8",
        )
    return target.parent


def load_profile(name: str) -> dict[str, Any]:
    """The content of a profile of slurm/profiles, or of the folder with that path."""
    shipped = resource("slurm/profiles")
    path = Path(name) if "/" in name else shipped / name
    file = path / "config.yaml"
    if not file.is_file():
        known = sorted(p.parent.name for p in shipped.glob("*/config.yaml"))
        raise SettingsError(
            f"expected a profile in site.profile={name!r}, found no {file}; {nearest(name, known)}"
        )
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SettingsError(f"expected YAML in {file}, found {error}") from error
    if not isinstance(content, dict):
        raise SettingsError(f"expected keys of Snakemake in {file}, found {content!r}")
    return content


def frozen_profile(profile: Mapping[str, Any], settings: Settings, run: Path) -> dict[str, Any]:
    """`profile` with what follows from the settings of the site and the place of the run."""
    found, site = dict(profile), settings.site
    if site.scheduler == "none":
        return {**found, "cores": site.cores}
    given = {"slurm_account": site.account, "slurm_partition": site.partition, "qos": site.qos}
    asked = {name: value for name, value in given.items() if value is not None}
    default = {**(found.get("default-resources") or {}), **asked}
    rules = {rule: dict(own) for rule, own in (found.get("set-resources") or {}).items()}
    for resources in rules.values():
        resources.update({name: v for name, v in asked.items() if name in resources})
    for rule in JAILED:
        own = rules.setdefault(rule, {})
        own["mem_mb"] = own.get("mem_mb", default.get("mem_mb", 2000)) + sandbox_mb(settings)
    rules["convert"] = {**rules.get("convert", {}), **convert_resources(settings)}
    rules["convert_part"] = {**rules["convert"], **rules.get("convert_part", {})}
    rules["gather"] = {**rules["execute"], **rules.get("gather", {})}
    return {
        **found,
        "jobs": site.jobs,
        "slurm-jobname-prefix": prefix_of(run),
        "slurm-logdir": str(run.resolve() / "logs" / "slurm"),
        "default-resources": default,
        "set-resources": rules,
    }


def convert_resources(settings: Settings) -> dict[str, Any]:
    """What convert asks SLURM for."""
    site, memory_mb = settings.site, task_memory_mb(settings)
    if site.executor == "allocation":
        return {
            "mpi": "srun",
            "tasks": tasks(site),
            "cpus_per_task": 1,
            "mem_mb_per_cpu": memory_mb,
        }
    if site.executor == "elastic":
        return {"mem_mb": 2000, "cpus_per_task": 1}  # scheduler and client; workers are other jobs
    # What starts the processes is besides the workers.
    return {"mem_mb": memory_mb * site.workers + 1000, "cpus_per_task": site.workers}


def tasks(site: SiteSettings) -> int:
    """Tasks of convert's allocation: the workers, Dask's scheduler and its client."""
    return site.workers + 2


def task_memory_mb(settings: Settings) -> int:
    """Memory that SLURM allows one worker of convert, in MB."""
    return math.ceil(settings.site.memory_gb * 1000 * HEADROOM) + sandbox_mb(settings)


def sandbox_mb(settings: Settings) -> int:
    """Memory that a model's code may take beside the step that runs it, in MB."""
    jailed = settings.solver.name != "reference" and settings.site.sandbox != "none"
    return settings.site.limits.memory_mb if jailed else 0
