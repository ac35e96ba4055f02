"""The command line of Apptainer, and the configuration of its own that a sandbox needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from executors.sandbox import interpreter
from executors.sandbox.base import Limits

PYTHON = "/opt/ladon/bin/python3"
PACKAGES = "/opt/ladon/packages"
"""Where containers/sandbox.def puts Python and the packages."""
SOLUTION = "/solution/solution.py"
WORK, TEMPORARY, SHARED = "/tmp/work", "/tmp", "/dev/shm"
SHARED_MB = 16
READABLE = ("/opt/ladon", "/inputs", "/solution", "/worker", "/usr", "/lib", "/lib64")

CONFIGURATION = """\
allow pid ns = yes
allow user ns = yes
bind path =
config passwd = no
config group = no
config resolv_conf = no
enable overlay = no
enable underlay = yes
mount dev = no
mount devpts = no
mount home = no
mount hostfs = no
mount proc = no
mount sys = no
mount tmp = no
root default capabilities = no
sessiondir max size = 16
user bind control = yes
"""
"""Nothing of the host that is not named, whatever the machine's own configuration mounts."""

WRITABLE = """\
umask 022
mount -n -t tmpfs -o "size=$1m,mode=0755,nosuid,nodev" ladon "$2" &&
mkdir -m 1777 "$2/tmp" "$2/tmp/work" "$2/shm" && mkdir -p "$2/dev/shm" || exit
for device in null random urandom zero; do
    : >"$2/dev/$device" && mount -n --bind "/dev/$device" "$2/dev/$device" || exit
done
shift 2 && exec "$@"
"""
"""One piece of memory for all that is written, seen by this sandbox alone; Apptainer's own has no
limit where root starts it, and its folder of devices can be written to by who started it."""


@dataclass(frozen=True)
class Plan:
    """Everything that the command line depends on."""

    image: Path
    """A SIF file, or a folder with a root file system."""
    folder: Path
    """A private folder with solution.py, apptainer.conf and an empty folder `writable`."""
    limits: Limits
    readonly: Mapping[str, Path] = field(default_factory=dict)
    uid: int | None = None
    """A user that nobody else is, to be taken inside by root."""
    user_namespace: bool = False
    """For all but root: Apptainer then sees itself as root of a namespace of this user alone."""


def command(plan: Plan, arguments: tuple[str, ...]) -> list[str]:
    """The command line that runs the image's Python with `arguments`; pure.

    No process of it forks before Apptainer does, so that what is started is what can be killed.
    """
    line = ["unshare", "--mount", "--propagation", "private"]
    if plan.user_namespace:
        line += ["--user", "--map-root-user"]
    size = 2 * plan.limits.writable_mb + SHARED_MB
    writable = plan.folder / "writable"
    line += ["sh", "-c", WRITABLE, "sh", str(size), str(writable)]
    line += ["apptainer", "--silent", "--config", str(plan.folder / "apptainer.conf"), "exec"]
    line += ["--containall", "--cleanenv", "--no-home", "--no-eval", "--no-privs"]
    line += ["--net", "--network", "none", "--uts", "--hostname", "sandbox", "--cwd", WORK]
    if plan.uid is not None:
        line += ["--security", f"uid:{plan.uid}", "--security", f"gid:{plan.uid}"]
    line += mount(writable / "dev", "/dev")
    line += mount(writable / "tmp", TEMPORARY, writable=True)
    line += mount(writable / "shm", SHARED, writable=True)
    line += mount(interpreter.PROGRAM, "/worker/inside")
    line += mount(plan.folder / "solution.py", SOLUTION)
    for name, path in sorted(plan.readonly.items()):
        line += mount(path, f"/inputs/{name}")
    # Apptainer and the image set variables of their own: none of them is passed on.
    variables = interpreter.environment(WORK, TEMPORARY) | {"PYTHONPATH": "/worker", "PWD": WORK}
    line += [str(plan.image), "/usr/bin/env", "-i"]
    line += [f"{name}={value}" for name, value in sorted(variables.items())]
    return [*line, PYTHON, *interpreter.FLAGS, *arguments]


def mount(source: Path, destination: str, writable: bool = False) -> list[str]:
    """Words that show `source` at `destination`; any path, quoted as a CSV field."""
    quoted = str(source).replace('"', '""')
    end = "" if writable else ",ro"
    return ["--mount", f'type=bind,"source={quoted}",destination={destination}{end}']
