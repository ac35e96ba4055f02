"""The same looks on a node of the cluster, as a job: python -m pipeline.doctor.node FOLDER.

FOLDER is on the shared file system. It holds settings.json and a file `lock` that the one who
asked holds locked; findings.json is written there.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from pipeline import settings as settings_module
from pipeline.doctor import containers, endpoint, files, machine, packages, sandboxes
from pipeline.doctor.finding import Finding
from pipeline.doctor.needs import Needs
from pipeline.files import write_json
from pipeline.settings import Settings

SETTINGS, FINDINGS, LOCK = "settings.json", "findings.json", "lock"


def look(settings: Settings, folder: Path) -> list[Finding]:
    """What matters where steps run."""
    needs = Needs.of(settings, on_node=True)
    found = [
        *packages.look(settings, needs),
        *machine.look(settings, needs),
        Finding("run.outputs", "files", "ok", f"{folder.parent} is seen here", required=True),
        _lock(folder),
        files.local_disk(settings.site.local_disk, required=True),
        *containers.look(settings, needs),
        *sandboxes.look(settings, needs),
    ]
    if settings.model.provider == "endpoint" and settings.model.base_url:
        found.append(endpoint.asked(settings, required=True))
    return found


def _lock(folder: Path) -> Finding:
    """Whether a lock that is held on another machine is seen here."""
    handle = os.open(folder / LOCK, os.O_RDWR)
    try:
        held = files.is_locked(handle)
    finally:
        os.close(handle)
    if held:
        return Finding("flock", "files", "ok", "a lock held elsewhere is seen here")
    return Finding(
        "flock",
        "files",
        "warning",
        "expected to see a lock that is held where the command was typed, found it free: two "
        "controllers on two machines could take one run",
        "have the file system mounted with flock (Lustre: not localflock), or start a run from one "
        "machine only",
    )


def main(folder: Path) -> int:
    """Look, and write what was found by rename."""
    settings = settings_module.load(folder / SETTINGS)
    node = socket.gethostname()
    found = [finding.on(node).to_dict() for finding in look(settings, folder)]
    write_json(folder / FINDINGS, found)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
