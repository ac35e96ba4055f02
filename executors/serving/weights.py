"""The weights of a model: where they lie, and their copy on a node's own disk."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from executors.serving.errors import WeightsError
from executors.serving.spec import Launch, ServeSpec, SiteSpec

MARK = ".ladon-complete.json"
"""Written last into a copy; holds the names and sizes of what was copied."""
SPARE_BYTES = 1 << 30


@dataclass(frozen=True)
class Weights:
    """What vLLM is told to load."""

    model: str
    """Folder, or name of the repository."""
    lock: int | None = None
    """Descriptor of the shared lock on a copy; it is inherited, and held as long as one reads."""
    note: str = ""
    """What became of the copy, in words."""


def find_weights(spec: ServeSpec, site: SiteSpec) -> Path | None:
    """The folder on the shared file system that holds the weights; None where only vLLM knows.

    A repository is looked for in the site's hub, as huggingface_hub lays it out. WeightsError if a
    folder is asked for that is not there.
    """
    given = Path(spec.repository).expanduser()
    if given.is_absolute() or spec.repository.startswith((".", "~")):
        if not given.is_dir():
            raise WeightsError(
                f"expected a folder with weights at '{spec.repository}', found none; correct "
                "model.repository"
            )
        return given.resolve()
    if site.hub is None:
        return None
    cached = Path(site.hub).expanduser() / "hub" / f"models--{spec.repository.replace('/', '--')}"
    revision = spec.revision
    if revision is None:
        main = cached / "refs" / "main"
        revision = main.read_text().strip() if main.is_file() else None
    snapshot = cached / "snapshots" / str(revision)
    if snapshot.is_dir():
        return snapshot
    if site.offline:
        raise WeightsError(
            f"expected the weights of {spec.repository} (revision {spec.revision or 'main'}) in "
            f"'{cached}', found none, and servers are offline; fetch them there on a node with a "
            f"network: HF_HOME='{site.hub}' hf download {spec.repository}"
            + (f" --revision {spec.revision}" if spec.revision else "")
        )
    return None


def prepare(spec: ServeSpec, site: SiteSpec) -> Weights:
    """The weights as this node should load them: copied to its own disk, if the site says so.

    Where the copy does not fit, the shared file system serves them, and `note` says so.
    """
    source = find_weights(spec, site)
    if source is None:
        return Weights(spec.repository)
    if site.scratch is None:
        return Weights(str(source))
    scratch = Path(os.path.expandvars(site.scratch)).expanduser()
    if "$" in str(scratch):
        raise WeightsError(
            f"expected a folder in site.serve.scratch, found {site.scratch!r} with a variable "
            "that this node does not set"
        )
    return copy_to_disk(source, scratch, spec)


def copy_to_disk(source: Path, scratch: Path, spec: ServeSpec) -> Weights:
    """The copy of `source` below `scratch`, made if it is not there; the first one makes it.

    The others wait at the lock. A copy is complete when its mark lists the files of `source`.
    """
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = scratch / copy_name(spec)
    lock_file = Path(f"{target}.lock")
    files = _listing(source)
    note = f"weights on this node's disk: {target}"
    while True:
        lock = _locked(lock_file, fcntl.LOCK_SH)
        if _is_complete(target, files):
            os.set_inheritable(lock, True)
            return Weights(str(target), lock, note)
        os.close(lock)
        lock = _locked(lock_file, fcntl.LOCK_EX)
        try:
            free, needed = shutil.disk_usage(scratch).free, sum(files.values())
            if not _is_complete(target, files):
                if free < needed + SPARE_BYTES:
                    return Weights(
                        str(source),
                        note=f"weights stay at {source}: they need {needed / 1e9:.1f} GB, and "
                        f"{scratch} has {free / 1e9:.1f} GB free",
                    )
                _copy(source, target, files)
                note = f"weights copied to this node's disk: {target}"
        finally:
            os.close(lock)  # a lock cannot become a shared one without a gap: look again


def remove_copy(spec: ServeSpec, site: SiteSpec) -> bool:
    """Remove the copy of this node's disk, unless somebody reads it; whether it is gone."""
    if site.scratch is None:
        return True
    target = Path(os.path.expandvars(site.scratch)).expanduser() / copy_name(spec)
    lock_file = Path(f"{target}.lock")
    if not lock_file.exists():
        return True
    with lock_file.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        shutil.rmtree(target, ignore_errors=True)
        lock_file.unlink(missing_ok=True)
    return not target.exists()


def copy_name(spec: ServeSpec) -> str:
    """Name of the folder of a copy."""
    words = f"{spec.repository.strip('/').rpartition('/')[2]}-{(spec.revision or 'local')[:12]}"
    return re.sub(r"[^A-Za-z0-9._-]+", "-", words)


def _locked(path: Path, kind: int) -> int:
    """A descriptor that holds `path`; again where `remove_copy` took the file away meanwhile."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, kind)
        if path.exists() and path.stat().st_ino == os.fstat(lock).st_ino:
            return lock
        os.close(lock)


def _listing(folder: Path) -> dict[str, int]:
    """Size of every file below `folder`, links followed."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _is_complete(target: Path, files: dict[str, int]) -> bool:
    mark = target / MARK
    return mark.is_file() and json.loads(mark.read_text(encoding="utf-8")) == files


def _copy(source: Path, target: Path, files: dict[str, int]) -> None:
    shutil.rmtree(target, ignore_errors=True)
    for name in files:
        destination = target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, destination)
    mark = target / f"{MARK}.part"
    mark.write_text(json.dumps(files, sort_keys=True), encoding="utf-8")
    os.replace(mark, target / MARK)


def main() -> int:
    """Remove this node's copy of the weights of the server in FOLDER, if nobody reads it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    launch = Launch.load(parser.parse_args().folder / "launch.json")
    gone = remove_copy(launch.spec, launch.site)
    print("weights removed" if gone else "weights kept: another server reads them", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
