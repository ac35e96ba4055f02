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
    at_peak: dict[str, dict[str, float]]
    """Each process when `together_mb` was reached: its own pages (Anon), files, and its share of
    what it has in common with others (Shmem)."""


def peak_of(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Peak:
    """Run `command` to its end; AssertionError, with the end of what it said, if it fails."""
    with tempfile.TemporaryFile() as said:
        child = psutil.Popen(
            list(command), cwd=folder, env=dict(environment), stdout=said, stderr=subprocess.STDOUT
        )
        highest, each = 0.0, dict[int, float]()
        at_peak: dict[str, dict[str, float]] = {}
        while child.poll() is None:
            now = sizes(child)
            each_now = {pid: parts.pop("all") for pid, parts in now.items()}
            if sum(each_now.values()) > highest:
                highest = sum(each_now.values())
                at_peak = {f"{pid} {_name(pid)}": parts for pid, parts in now.items()}
            each |= {pid: max(size, each.get(pid, 0.0)) for pid, size in each_now.items()}
            time.sleep(EVERY_S)
        said.seek(0)
        text = said.read().decode(errors="replace")
    assert child.returncode == 0, text[-2000:]
    return Peak(highest, tuple(sorted(each.values(), reverse=True)), at_peak)


def sizes(child: psutil.Process) -> dict[int, dict[str, float]]:
    """Process id -> megabytes, of a process and its descendants that are there now."""
    found = {}
    try:
        family = [child, *child.children(recursive=True)]
    except psutil.Error:
        return {}
    for process in family:
        try:
            text = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="utf-8")
        except OSError:  # it has ended meanwhile
            continue
        kilobytes = {line.split()[0]: float(line.split()[1]) for line in text.splitlines()[1:]}
        names = {"Pss:": "all", "Pss_Anon:": "anon", "Pss_File:": "file", "Pss_Shmem:": "shared"}
        if "Pss:" in kilobytes:  # nothing of a process that is about to end
            found[process.pid] = {
                ours: round(kilobytes[theirs] * 1.024e-3, 1) for theirs, ours in names.items()
            }
    return found


def _name(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")
    except OSError:
        return ""
    return " ".join(words)[-60:].strip()
