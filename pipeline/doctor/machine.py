"""The machine itself: processors, memory, GPUs, and the network interfaces that the site names."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping

import psutil

from executors.serving.address import interface_addresses
from pipeline.doctor.finding import Finding
from pipeline.doctor.needs import Needs
from pipeline.settings import Settings

ANSWER_S = 20.0
GIGABYTE = 1e9


def look(settings: Settings, needs: Needs) -> list[Finding]:
    """Processors, memory, GPUs and interfaces of this machine."""
    found = [_processors(settings, needs), _memory(settings, needs), gpus()]
    if settings.site.interface is not None:
        found.append(
            interface(settings.site.interface, "site.interface", interface_addresses(), needs.steps)
        )
    return found


def _processors(settings: Settings, needs: Needs) -> Finding:
    usable, site = len(os.sched_getaffinity(0)), settings.site
    said = f"{usable} that this process may use, {platform.machine()}"
    if not needs.slurm and max(site.cores, site.workers) > usable:
        return Finding(
            "processors",
            "machine",
            "warning",
            f"expected {max(site.cores, site.workers)} (site.cores={site.cores}, "
            f"site.workers={site.workers}), found {said}",
            f"site.cores={usable} site.workers={usable}",
        )
    return Finding("processors", "machine", "ok", said)


def _memory(settings: Settings, needs: Needs) -> Finding:
    memory, site = psutil.virtual_memory(), settings.site
    asked_gb = site.workers * site.memory_gb
    said = f"{memory.total / GIGABYTE:.1f} GB, of it {memory.available / GIGABYTE:.1f} GB free"
    if not needs.slurm and asked_gb * GIGABYTE > memory.total:
        return Finding(
            "memory",
            "machine",
            "warning",
            f"expected {asked_gb:.1f} GB for {site.workers} workers, found {said}",
            "lower site.workers or site.memory_gb",
        )
    return Finding("memory", "machine", "ok", said)


def gpus() -> Finding:
    """The GPUs of this machine, as their driver names them; none is no fault."""
    if shutil.which("nvidia-smi") is None:
        return Finding("GPUs", "machine", "ok", "none here (there is no nvidia-smi)")
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=ANSWER_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(
            "GPUs", "machine", "warning", f"nvidia-smi did not answer: {error}", "ask the site"
        )
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if done.returncode or not lines:
        said = " ".join((done.stderr or done.stdout).split()) or "no GPU listed"
        return Finding(
            "GPUs",
            "machine",
            "warning",
            f"nvidia-smi is here and names no GPU: {said}",
            "nothing, if this is a login node; else ask the site",
        )
    return Finding("GPUs", "machine", "ok", f"{len(lines)}: {'; '.join(sorted(set(lines)))}")


def interface(name: str, setting: str, addresses: Mapping[str, str], required: bool) -> Finding:
    """Whether there is a network interface of that name with an IPv4 address."""
    label = f"interface {name}"
    if name in addresses:
        return Finding(label, "machine", "ok", addresses[name], required=required)
    there = ", ".join(f"{n} ({a})" for n, a in sorted(addresses.items())) or "none"
    elsewhere = "nothing: steps run on nodes, where ladon doctor --nodes looks"
    return Finding(
        label,
        "machine",
        "missing",
        f"expected an interface {name!r} with an IPv4 address, found {there}",
        f"{setting}=<one of these>" if required else elsewhere,
        required=required,
    )
