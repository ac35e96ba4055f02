"""The processes of a sandbox as the host sees them: who they are and what they use."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Usage:
    """What a group of processes uses together."""

    processes: int
    threads: int
    """Of all processes, the first of each included."""
    rss_mb: float
    cpu_s: float
    """Of those that live, and of their children that ended and were waited for."""


def descendants(pid: int, most: int) -> list[int]:
    """Process ids below `pid`, without it, parents first; no more than `most` + 1 of them.

    To stop there matters: processes that fork without end multiply faster than they are listed.
    From the kernel's own lists, so that the cost does not grow with the machine's other
    processes; by a walk over all of them where it does not keep such lists.
    """
    if not Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists():
        try:
            family = psutil.Process(pid).children(recursive=True)
            return [child.pid for child in family[: most + 1]]
        except psutil.NoSuchProcess:
            return []
    found: list[int] = []
    seen, waiting = {pid}, [pid]
    while waiting and len(found) <= most:
        for child in _children(waiting.pop(0)):
            if child not in seen:
                seen.add(child)
                found.append(child)
                waiting.append(child)
    return found[: most + 1]


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return children
    for thread in threads:
        text = _read(f"/proc/{pid}/task/{thread}/children")
        children += [int(word) for word in text.split()]
    return children


def usage(pids: Iterable[int]) -> Usage:
    """What `pids` use now; those that are gone count nothing.

    Resident memory is summed; processes that share pages (after a fork) are counted in full each.
    """
    count, threads, pages, ticks = 0, 0, 0, 0
    for pid in pids:
        memory, stat = _read(f"/proc/{pid}/statm"), _read(f"/proc/{pid}/stat")
        if not memory or not stat:
            continue
        count += 1
        pages += int(memory.split()[1])
        # The name, in brackets, may hold anything; the numbers start after the last bracket.
        numbers = stat.rpartition(")")[2].split()
        ticks += sum(int(number) for number in numbers[11:15])
        threads += int(numbers[17])
    return Usage(count, threads, pages * PAGE / MEGABYTE, ticks / TICK)


def shared_once_mb(pids: Iterable[int]) -> float:
    """Resident memory of `pids` in MB with shared pages divided among those that share them."""
    total = 0
    for pid in pids:
        text = _read(f"/proc/{pid}/smaps_rollup")
        sizes = [line.split()[1] for line in text.splitlines() if line.startswith("Pss:")]
        if sizes:
            total += int(sizes[0]) * 1024
        else:
            total += int((_read(f"/proc/{pid}/statm") or "0 0").split()[1]) * PAGE
    return total / MEGABYTE


def with_mark(mark: str) -> list[int]:
    """Processes whose environment, as they were started, holds the text `mark`."""
    wanted = mark.encode()
    found = []
    for pid in psutil.pids():
        try:
            if wanted in Path(f"/proc/{pid}/environ").read_bytes():
                found.append(pid)
        except OSError:
            continue
    return found


def give_up_first(pids: Iterable[int]) -> None:
    """Where the machine runs out of memory, let the kernel end `pids` before anything else."""
    for pid in pids:
        with suppress(OSError):
            Path(f"/proc/{pid}/oom_score_adj").write_text("1000")


def tasks_of_user(uid: int) -> int:
    """Number of threads that user `uid` runs on this machine now."""
    count = 0
    for process in psutil.process_iter():
        try:
            if process.uids().real == uid:
                count += process.num_threads()
        except psutil.Error:
            continue
    return count


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
