"""File systems: the shared one that runs are written to, and the node's own disk."""

from __future__ import annotations

import fcntl
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from pipeline.doctor.finding import Finding
from pipeline.doctor.needs import Needs
from pipeline.settings import Settings

TIMES = 21
SLOW_MS = 100.0
LITTLE_GB = 5.0
GIGABYTE = 1e9
NETWORK = frozenset(
    {
        "lustre", "nfs", "nfs4", "gpfs", "beegfs", "ceph", "fuse.ceph", "panfs", "afs", "cifs",
        "smb3", "glusterfs", "fuse.glusterfs", "fuse.sshfs", "orangefs", "pvfs2", "dvs", "9p",
        "virtiofs", "wekafs",
    }
)  # fmt: skip
"""Types of file systems that several machines can see."""
TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm", "/run")


def look(settings: Settings, needs: Needs) -> list[Finding]:
    """The folder of the runs, and the local disk where steps run here."""
    found = _shared(Path(settings.run.outputs).absolute(), needs)
    return [*found, local_disk(settings.site.local_disk, needs.steps)]


def _shared(outputs: Path, needs: Needs) -> list[Finding]:
    place = existing(outputs)
    try:
        with tempfile.TemporaryDirectory(prefix=".ladon-doctor-", dir=place) as folder:
            latency, locks = latency_ms(Path(folder)), locks_there(Path(folder))
    except OSError as error:
        return [
            Finding(
                "run.outputs",
                "files",
                "missing",
                f"expected to write in {place}, found {error.strerror or error}",
                "run.outputs=PATH of a folder that is yours",
                required=True,
            )
        ]
    return [_kind(outputs, place, needs), _latency(latency), _flock(locks)]


def _kind(outputs: Path, place: Path, needs: Needs) -> Finding:
    kind = file_system(place, Path("/proc/mounts").read_text(encoding="utf-8"))
    free_gb = shutil.disk_usage(place).free / GIGABYTE
    said = f"{outputs} on {kind}, {free_gb:.0f} GB free"
    if free_gb < LITTLE_GB:
        return Finding(
            "run.outputs",
            "files",
            "warning",
            f"expected some {LITTLE_GB:.0f} GB, found {said}",
            "make room, or run.outputs=PATH",
        )
    temporary = any(outputs.is_relative_to(folder) for folder in TEMPORARY)
    if needs.slurm and not needs.nodes and (temporary or kind not in NETWORK):
        like = "a folder for temporary files" if temporary else "a local file system"
        return Finding(
            "run.outputs",
            "files",
            "warning",
            f"{said}: it looks like {like}, which nodes may not see",
            "ladon doctor --nodes tries it; if they do not: run.outputs=PATH on a shared one",
        )
    return Finding("run.outputs", "files", "ok", said, required=True)


def _latency(milliseconds: float) -> Finding:
    said = f"create, rename and stat take {milliseconds:.2f} ms (median of {TIMES})"
    if milliseconds > SLOW_MS:
        return Finding(
            "latency",
            "files",
            "warning",
            f"expected at most {SLOW_MS:.0f} ms, found that {said}",
            "run.outputs=PATH on a faster file system; steps write many small files",
        )
    return Finding("latency", "files", "ok", said)


def _flock(works: bool) -> Finding:
    if works:
        return Finding("flock", "files", "ok", "locks exclude each other", required=True)
    return Finding(
        "flock",
        "files",
        "missing",
        "expected locks (flock) that exclude each other in run.outputs, found none: two runs could "
        "write one folder",
        "run.outputs=PATH on a file system with flock, or have this one mounted with it",
        required=True,
    )


def local_disk(named: str | None, required: bool) -> Finding:
    """The folder on the node's own disk: there (or to be made), writable, and no network's."""
    place = os.path.expandvars(named) if named else tempfile.gettempdir()
    elsewhere = "nothing: steps run on nodes, where ladon doctor --nodes looks"
    path = Path(place)
    there = existing(path) if path.is_absolute() else path
    try:
        if not path.is_absolute():  # also a $VARIABLE that is not set
            raise FileNotFoundError(0, "no absolute path")
        with tempfile.TemporaryDirectory(prefix=".ladon-doctor-", dir=there):
            free_gb = shutil.disk_usage(there).free / GIGABYTE
    except OSError as error:
        return Finding(
            "local disk",
            "files",
            "missing",
            f"expected to write in {named or place!r}, found {place}: {error.strerror or error}",
            "site.local_disk=PATH of a folder on each node's own disk ($VARIABLES are expanded)"
            if required
            else elsewhere,
            required=required,
        )
    kind = file_system(there, Path("/proc/mounts").read_text(encoding="utf-8"))
    said = f"{place} on {kind}, {free_gb:.1f} GB free"
    if kind in NETWORK:
        return Finding(
            "local disk",
            "files",
            "warning",
            f"expected a node's own disk, found {said}: what Dask spills goes over the network",
            "site.local_disk=PATH",
        )
    if there != path:
        return Finding(
            "local disk",
            "files",
            "warning",
            f"{said}; the folder is not there yet and would be made below {there}",
            "nothing, if the name is right",
        )
    return Finding("local disk", "files", "ok", said, required=required)


def existing(path: Path) -> Path:
    """The path itself, or the nearest folder above it that is there."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def file_system(path: Path, mounts: str) -> str:
    """Type of the file system that holds `path`, by the text of /proc/mounts."""
    best, kind = Path("/"), "unknown"
    real = path.resolve()
    for line in mounts.splitlines():
        words = line.split()
        if len(words) < 3:
            continue
        point = Path(words[1].encode().decode("unicode_escape"))  # a space is written \040
        if real.is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, kind = point, words[2]  # of two on one point the later one is seen
    return kind


def latency_ms(folder: Path, times: int = TIMES) -> float:
    """Median of what creating, renaming and looking at a small file takes in `folder`."""
    taken = []
    for number in range(times):
        began = time.perf_counter()
        (folder / "new").write_bytes(b"ladon")
        os.replace(folder / "new", folder / f"file-{number}")
        (folder / f"file-{number}").stat()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def locks_there(folder: Path) -> bool:
    """Whether an exclusive lock in `folder` can be had, and keeps a second one out."""
    with (folder / "lock").open("w") as first, (folder / "lock").open("r+") as second:
        try:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return is_locked(second.fileno())


def is_locked(handle: int) -> bool:
    """Whether somebody else holds the lock of an open file; it is not held afterwards."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    fcntl.flock(handle, fcntl.LOCK_UN)
    return False
