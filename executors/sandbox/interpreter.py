"""The Python that runs in a sandbox: this one, its packages, and a small fixed environment."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from executors.sandbox.base import Limits

PROGRAM = Path(__file__).parent / "inside"
"""The folder that is run inside, as `python -m inside`."""

OURS = ("pipeline", "agents", "executors")
"""Packages of ours, which hold the reference: hidden where they are installed beside the others."""

FLAGS = ("-s", "-S", "-P", "-B")
"""No user folder, no site (so no .pth file of an editable install), no current folder on the path,
no bytecode written."""

THREADS = 32
"""Threads that a sandbox may have beyond one for each process."""


@dataclass(frozen=True)
class Interpreter:
    """Where the parts of a Python installation lie on the host."""

    executable: Path
    libraries: tuple[Path, ...]
    """Folders of the standard library and of shared libraries: lib, and lib64 where it is used."""
    standard: Path
    """The standard library, as a path below one of `libraries`."""
    packages: tuple[Path, ...]
    """Folders with installed packages, in the order of the search path."""


def current() -> Interpreter:
    """The Python that runs now; out of a virtual environment, the one that it was made from."""
    base = Path(sys.base_prefix)
    # The last is real: the executable of a virtual environment is a link.
    executable = Path(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))
    names = dict.fromkeys(["lib", sys.platlibdir])
    return Interpreter(
        executable=executable,
        libraries=tuple(base / name for name in names if (base / name).is_dir()),
        standard=Path(sysconfig.get_path("stdlib", vars={"installed_base": str(base)})),
        packages=packages(sys.path),
    )


def packages(search_path: list[str]) -> tuple[Path, ...]:
    """The folders of `search_path` that hold installed packages; never a folder of a project."""
    folders = [Path(entry) for entry in search_path]
    kept = [f for f in folders if f.name in ("site-packages", "dist-packages") and f.is_dir()]
    return tuple(dict.fromkeys(kept))


def environment(home: str, temporary: str) -> dict[str, str]:
    """All environment variables that a solution sees.

    One thread each, so that results have the same bits on every machine.
    """
    one = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
    return {
        "HOME": home,
        "TMPDIR": temporary,
        "PATH": "",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "JOBLIB_MULTIPROCESSING": "0",
        "LOKY_MAX_CPU_COUNT": "1",
        # A warm worker keeps what it freed for the next call: new pages from the kernel, one
        # fault each, cost as much time as the analysis of a chunk.
        "MALLOC_ARENA_MAX": "2",
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    } | {f"{name}_NUM_THREADS": "1" for name in one}


def tasks(limits: Limits, others: int) -> int:
    """RLIMIT_NPROC of a sandbox: it counts threads as well, and `others` that the user runs."""
    return others + limits.processes + THREADS


@dataclass(frozen=True)
class Setup:
    """What the program inside is told; nothing of it is secret."""

    limits: Limits
    tasks: int
    """Processes and threads that its user may have."""
    uid: int | None
    """User to become first, None to stay."""
    parent: int | None
    """Process to die with, where no PID namespace takes care of that."""
    own_pid_namespace: bool
    new_processes: bool
    """Whether it may fork; not where the kernel does not count: a watchdog that shares the
    processors with a thousand forks comes too late (measured)."""
    solution: str
    packages: tuple[str, ...]
    readable: tuple[str, ...]
    writable: tuple[str, ...]

    def argument(self, channels: Mapping[str, int]) -> str:
        """The program's only argument; `channels` are the numbers of its open files."""
        content: dict[str, Any] = asdict(self)
        return json.dumps(content | dict(channels), sort_keys=True)
