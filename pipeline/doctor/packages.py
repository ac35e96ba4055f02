"""Python and the packages that the chosen site runs with."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable
from importlib import metadata

from pipeline.doctor.finding import Finding
from pipeline.doctor.needs import Needs
from pipeline.provenance import versions
from pipeline.settings import Settings

OLDEST_PLUGIN = (2, 7)
"""Snakemake inside an sbatch job works from there on."""
PLUGIN = "snakemake-executor-plugin-slurm"
JOBQUEUE = "dask-jobqueue"

Version = Callable[[str], str | None]


def installed(package: str) -> str | None:
    """Version of a package in this environment; None if it is not there."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def look(settings: Settings, needs: Needs, version: Version = installed) -> list[Finding]:
    """Python, our packages, Snakemake, its SLURM plugin and Dask's way into SLURM."""
    return [
        Finding("python", "python", "ok", f"{platform.python_version()} at {sys.executable}"),
        _packages(),
        _snakemake(settings, version),
        _plugin(settings, needs, version),
        _jobqueue(settings, needs, version),
    ]


def _packages() -> Finding:
    found = versions()
    lacking = sorted(name for name, version in found.items() if version == "not installed")
    if lacking:
        return Finding(
            "packages",
            "python",
            "missing",
            f"expected every package of a run, found no {', '.join(lacking)}",
            f"{sys.executable} -m pip install {' '.join(lacking)} (versions: constraints.txt)",
            required=True,
        )
    named = ("numpy", "awkward", "coffea", "dask", "uproot", "pyarrow", "scikit-learn")
    said = ", ".join(f"{name} {found[name]}" for name in named)
    return Finding("packages", "python", "ok", said, required=True)


def _snakemake(settings: Settings, version: Version) -> Finding:
    found = version("snakemake")
    if found is None:
        return _uninstalled(
            "snakemake", "Snakemake, which runs the graph", True, settings.site.name
        )
    return Finding("snakemake", "python", "ok", found, required=True)


def _plugin(settings: Settings, needs: Needs, version: Version) -> Finding:
    found = version(PLUGIN)
    if found is None:
        return _uninstalled(PLUGIN, "Snakemake's way to SLURM", needs.slurm, settings.site.name)
    if numbers(found) < OLDEST_PLUGIN:
        return Finding(
            "SLURM plugin",
            "python",
            "missing",
            f"expected 2.7 or newer (older ones do not run inside a job), found {found}",
            f"{sys.executable} -m pip install --upgrade {PLUGIN}",
            required=needs.slurm,
        )
    return Finding("SLURM plugin", "python", "ok", f"{PLUGIN} {found}", required=needs.slurm)


def _jobqueue(settings: Settings, needs: Needs, version: Version) -> Finding:
    executor = settings.site.executor
    required = needs.slurm and executor in ("allocation", "elastic")
    found = version(JOBQUEUE)
    if found is None:
        return _uninstalled(
            JOBQUEUE, f"Dask on SLURM (site.executor={executor})", required, settings.site.name
        )
    return Finding(JOBQUEUE, "python", "ok", found, required=required)


def _uninstalled(package: str, purpose: str, required: bool, site: str) -> Finding:
    """A package that is not there: nothing to do where the site does not need it."""
    install = f"{sys.executable} -m pip install {package} (version: constraints.txt)"
    return Finding(
        "SLURM plugin" if package == PLUGIN else package,
        "python",
        "missing",
        f"expected {purpose}, found no package {package}",
        install if required else f"nothing: site={site} does not need it",
        required=required,
    )


def numbers(version: str) -> tuple[int, ...]:
    """The first two numbers of a version."""
    return tuple(int(n) for n in re.findall(r"\d+", version)[:2])
