"""The memory of a command and of all that it starts, sampled while it runs."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

EVERY_S = 0.05


@dataclass(frozen=True)
class Peak:
    """Megabytes (10^6 bytes), proportional set size: what processes share counts once."""

    together_mb: float
    """Highest sum over all processes at one moment."""
    largest_mb: tuple[float, ...]
    """Highest of each process for itself, largest first; their sum is more than `together_mb`
    where the peaks are at different moments."""


def peak_of(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Peak:
    """Run `command` to its end; AssertionError, with the end of what it said, if it fails."""
    with tempfile.TemporaryFile() as said:
        child = psutil.Popen(
            list(command), cwd=folder, env=dict(environment), stdout=said, stderr=subprocess.STDOUT
        )
        highest, each = 0.0, dict[int, float]()
        while child.poll() is None:
            now = _sizes(child)
            highest = max(highest, sum(now.values()))
            each |= {pid: max(size, each.get(pid, 0.0)) for pid, size in now.items()}
            time.sleep(EVERY_S)
        said.seek(0)
        text = said.read().decode(errors="replace")
    assert child.returncode == 0, text[-2000:]
    return Peak(highest, tuple(sorted(each.values(), reverse=True)))


def _sizes(child: psutil.Popen) -> dict[int, float]:
    """Process id -> megabytes, of a process and its descendants that are there now."""
    found = {}
    try:
        family = [child, *child.children(recursive=True)]
    except psutil.Error:
        return {}
    for process in family:
        try:
            found[process.pid] = process.memory_full_info().pss / 1e6
        except psutil.Error:  # it has ended meanwhile
            continue
    return found
