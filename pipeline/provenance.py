"""What made a result: versions, code, git and hardware."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "ladon-hep", "awkward", "coffea", "dask", "hist", "hydra-core", "iminuit", "matplotlib",
    "mplhep", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "snakemake", "uproot",
)  # fmt: skip
SOURCES = ("pipeline", "agents", "executors")


def versions() -> dict[str, str]:
    """Version of Python and of every package that can change a bit of a result."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


@cache
def code_sha256() -> str:
    """Hash over our own source files: path and content, in sorted order."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for package in SOURCES:
        for path in sorted((root / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(root).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def git_state() -> str:
    """Commit of the checkout, `+dirty` if it has uncommitted changes; `unknown` outside of git."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return "unknown"
    try:
        head = _git(root, "rev-parse", "HEAD")
        dirty = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return head + ("+dirty" if dirty else "")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout.strip()


def hardware() -> dict[str, str | int]:
    """Processor, cores and system of this machine."""
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "kernel": platform.release(),
        "cores": os.cpu_count() or 1,
    }
