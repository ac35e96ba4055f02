"""Which process is the first of a PID namespace, as the host sees it."""

from __future__ import annotations

from pathlib import Path

from executors.sandbox import processes

NEAR = 16
"""What starts a container has no more processes than this before the container's first."""


def first_process(pid: int) -> int | None:
    """The first process of the nearest PID namespace made below process `pid`, if there is one."""
    depth = len(numbers(pid))
    for child in processes.descendants(pid, NEAR):
        inside = numbers(child)
        if len(inside) > depth and inside[-1] == 1:
            return child
    return None


def numbers(pid: int) -> list[int]:
    """The ids of process `pid` in its PID namespaces, ours first; none where it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return []
    # One field to a line since Linux 2.6; a name cannot hold a line break there (it is escaped).
    found = [line for line in text.splitlines() if line.startswith("NSpid:")]
    return [int(word) for word in found[0].split()[1:]] if found else []
