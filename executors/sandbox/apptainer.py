"""The Apptainer sandbox: an image of its own, started, measured for what works here, and killed."""

from __future__ import annotations

import functools
import itertools
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from executors.sandbox import apptainer_command as line
from executors.sandbox import bubblewrap, inputs, interpreter, namespaces, processes, worker
from executors.sandbox.base import (
    LAYERS,
    Availability,
    Limits,
    SandboxStartError,
    SandboxUnavailableError,
)
from executors.sandbox.guardian import Guardian
from executors.sandbox.inside import seccomp

IMAGE = "LADON_SANDBOX_IMAGE"
"""Environment variable that names the image where nobody else does."""
OLDEST = (1, 1)
"""Works without a setuid program since then."""
PROGRAMS = {"apptainer": "apptainer", "unshare": "util-linux", "mount": "mount"}
"""What is started, and the package that has it."""
START_S = 60.0
POLL_S = 0.005

PROBE = f"import sys; sys.path.append({line.PACKAGES!r}); import numpy, inside"

_workers = itertools.count()


class ApptainerJail:
    """A running Apptainer; the first process of its PID namespace is the root of all others."""

    def __init__(
        self, process: subprocess.Popen[bytes], watch: Guardian, first: int, names: list[str]
    ) -> None:
        self.process, self.watch, self.first = process, watch, first
        self.inputs: Mapping[str, str] = {name: f"/inputs/{name}" for name in names}

    def members(self, most: int) -> list[int]:
        """Processes in the PID namespace, without Apptainer's own first one."""
        return processes.descendants(self.first, most)

    def end(self) -> None:
        """Kill the first process: the kernel kills its whole PID namespace with it."""
        self.watch.dismiss()
        # As long as Apptainer lives it has not waited for its child, whose id is then its own.
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.first, signal.SIGKILL)
        try:
            self.process.wait(timeout=10)  # it clears away what it mounted
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(frozen=True)
class Apptainer:
    """See `base.Sandbox`. Runs code in an image built from containers/sandbox.def."""

    limits: Limits = field(default_factory=Limits)
    image: Path | None = None
    """A SIF file or a folder; None: what LADON_SANDBOX_IMAGE names."""
    user_namespace: bool = False
    """Use one as root too, instead of becoming a user that nobody else is."""
    name: str = "apptainer"

    def available(self) -> Availability:
        """Whether Apptainer is there, an image is named, and its Python starts: tried once."""
        return _available(self._image(), self.user_namespace)

    def layers(self) -> dict[str, bool]:
        """All; only with the filter of system calls is there no memory that nobody counts."""
        return dict.fromkeys(LAYERS, True) | {"memory": seccomp.supported()}

    def open(
        self, solution: Path | str, readonly: Mapping[str, Path] | None = None
    ) -> AbstractContextManager[worker.WarmWorker]:
        """A fresh worker with `solution` loaded; see `base.Sandbox.open`."""
        available, reason = self.available()
        if not available:
            raise SandboxUnavailableError(f"the apptainer sandbox cannot be used: {reason}")
        return self._open(inputs.source(solution), inputs.checked(readonly))

    def _image(self) -> Path | None:
        named = self.image or os.environ.get(IMAGE)
        return Path(named).absolute() if named else None

    @contextmanager
    def _open(self, code: bytes, readonly: Mapping[str, Path]) -> Iterator[worker.WarmWorker]:
        image = self._image()
        assert image is not None
        with prepared(code) as folder:
            made = plan(image, folder, self.limits, readonly, self.user_namespace)
            with worker.started(functools.partial(launch, made), self.limits) as warm:
                yield warm


@contextmanager
def prepared(code: bytes) -> Iterator[Path]:
    """A private folder with the solution's code and Apptainer's configuration, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="ladon-sandbox-"))
    try:
        (folder / "writable").mkdir()
        for name, content in (
            ("solution.py", code),
            ("apptainer.conf", line.CONFIGURATION.encode()),
        ):
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o444)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def plan(
    image: Path,
    folder: Path,
    limits: Limits,
    readonly: Mapping[str, Path],
    user_namespace: bool,
) -> line.Plan:
    """What this machine and this user need."""
    as_root = os.geteuid() == 0 and not user_namespace
    uid = None
    if as_root:
        uid_map = Path("/proc/self/uid_map").read_text()
        uid = bubblewrap.free_uid(uid_map, os.getpid(), next(_workers))
    return line.Plan(image, folder, limits, readonly, uid, not as_root)


def setup(made: line.Plan) -> interpreter.Setup:
    """What the program inside is told."""
    release = bubblewrap.version(platform.release())
    counted_alone = made.uid is not None or release >= bubblewrap.PER_NAMESPACE
    others = 0 if counted_alone else processes.tasks_of_user(os.getuid())
    return interpreter.Setup(
        limits=made.limits,
        tasks=interpreter.tasks(made.limits, others),
        uid=None,
        parent=None,
        own_pid_namespace=True,
        new_processes=made.uid is not None or os.geteuid() != 0,
        solution=line.SOLUTION,
        packages=(line.PACKAGES,),
        readable=line.READABLE,
        writable=(line.TEMPORARY, line.SHARED),
    )


def environment(folder: Path) -> dict[str, str]:
    """What Apptainer itself is started with: no setting of the user changes what it mounts."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LANG": "C.UTF-8"}


def launch(made: line.Plan, channels: worker.Channels) -> ApptainerJail:
    """Start Apptainer with the program inside; SandboxStartError with what Apptainer said."""
    argument = setup(made).argument(channels.numbers())
    process = subprocess.Popen(
        line.command(made, ("-m", "inside", argument)),
        env=environment(made.folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=tuple(channels.numbers().values()),
        start_new_session=True,
    )
    watch = Guardian(process.pid)
    try:
        return ApptainerJail(process, watch, _first_process(process), list(made.readonly))
    except SandboxStartError as error:
        watch.dismiss()
        process.kill()
        _, said = process.communicate()
        raise SandboxStartError(f"{error}: {said.decode(errors='replace').strip()!r}") from None


def _first_process(process: subprocess.Popen[bytes]) -> int:
    """The id of the first process of the PID namespace, as soon as it exists."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if (first := namespaces.first_process(process.pid)) is not None:
            return first
        if process.poll() is not None:
            raise SandboxStartError(f"apptainer ended with exit code {process.returncode}")
        time.sleep(POLL_S)
    raise SandboxStartError(f"apptainer started no process within {START_S:g} s")


@functools.cache
def _available(image: Path | None, user_namespace: bool) -> Availability:
    if sys.platform != "linux":
        return Availability(False, f"it needs Linux, found {sys.platform!r}")
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            return Availability(False, f"there is no {program} program: install {package}")
    said = subprocess.run(["apptainer", "--version"], capture_output=True, text=True).stdout.strip()
    found = re.search(r"(\d+)\.(\d+)", said)
    if not found or tuple(int(number) for number in found.groups()) < OLDEST:
        return Availability(False, f"expected Apptainer 1.1 or newer, found {said!r}")
    if image is None:
        return Availability(
            False, f"no image is named: build one with containers/build.sh sandbox and set {IMAGE}"
        )
    if not image.exists():
        return Availability(
            False, f"there is no image at {image}: build it with containers/build.sh sandbox"
        )
    with prepared(b"") as folder:
        made = plan(image, folder, Limits(), {}, user_namespace)
        if not setup(made).new_processes and not seccomp.supported():
            return Availability(
                False, "the kernel does not count the processes of root, and nothing forbids forks"
            )
        try:
            done = subprocess.run(
                line.command(made, ("-c", PROBE)),
                env=environment(folder),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=START_S,
            )
        except subprocess.TimeoutExpired:
            return Availability(False, f"{said} did not start Python within {START_S:g} s")
    if done.returncode:
        complaint = done.stderr.decode(errors="replace").strip().splitlines() or ["nothing"]
        return Availability(
            False, f"{said} did not start the Python of {image}, it said {complaint[-1]!r}"
        )
    return Availability(True, f"{said}, image {image}")
