"""The bubblewrap sandbox: started, measured for what works here, and killed as a whole."""

from __future__ import annotations

import functools
import itertools
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from executors.sandbox import bubblewrap_command as bwrap
from executors.sandbox import inputs, interpreter, processes, worker, zygote
from executors.sandbox.base import LAYERS, Availability, Limits, SandboxUnavailableError
from executors.sandbox.bubblewrap_jail import START_S, start
from executors.sandbox.inside import seccomp

OLDEST = (0, 6)
"""`--size` of a tmpfs came with 0.6."""
PER_NAMESPACE = (5, 14)
"""Since then the kernel counts RLIMIT_NPROC in each user namespace for itself."""
FIRST_FREE_UID = 0x70000000
"""From here to 0x7fffffff nobody gives ids away (systemd's UIDS-GIDS.md)."""
UIDS_PER_PROCESS = 64
"""2^22 process ids times 64 fill that range."""

PROBE = """
import sys
from inside import limits
if {uid} is not None:
    limits.drop_privileges({uid})
sys.path.extend({packages})
import numpy
"""

_workers = itertools.count()


def free_uid(uid_map: str, pid: int, worker_number: int) -> int | None:
    """A user id that nobody uses, if this user namespace has it (text of /proc/self/uid_map).

    One for each worker of each process, so that RLIMIT_NPROC counts one sandbox alone. None where
    there is none: the kernel then does not count root's processes, and it may not fork.
    """
    wanted = FIRST_FREE_UID + UIDS_PER_PROCESS * pid + worker_number % UIDS_PER_PROCESS
    for line in uid_map.splitlines():
        first, _, length = (int(word) for word in line.split())
        if first <= wanted < first + length:
            return wanted
    return None


def version(text: str) -> tuple[int, ...]:
    """The numbers in what `bwrap --version` prints; empty where there are none."""
    found = re.search(r"(\d+)\.(\d+)", text)
    return tuple(int(number) for number in found.groups()) if found else ()


@dataclass(frozen=True)
class Bubblewrap:
    """See `base.Sandbox`. Works for root and, where user namespaces are allowed, for everybody."""

    limits: Limits = field(default_factory=Limits)
    user_namespace: bool = False
    """Use one as root too, instead of becoming a user that nobody else is; the kernel does not
    count root's processes, so that there can be no more than one then."""
    copies: bool = True
    """Take a copy of this process's zygote where there is one (see `zygote`): starts at once."""
    name: str = "bubblewrap"

    def available(self) -> Availability:
        """Whether bwrap is there, new enough, and can start this Python: tried once."""
        return _available(self.user_namespace)

    def layers(self) -> dict[str, bool]:
        """All; only with the filter of system calls is there no memory that nobody counts."""
        return dict.fromkeys(LAYERS, True) | {"memory": seccomp.supported()}

    def open(
        self, solution: Path | str, readonly: Mapping[str, Path] | None = None
    ) -> AbstractContextManager[worker.WarmWorker]:
        """A fresh worker with `solution` loaded; see `base.Sandbox.open`."""
        available, reason = self.available()
        if not available:
            raise SandboxUnavailableError(f"the bubblewrap sandbox cannot be used: {reason}")
        return self._open(inputs.source(solution), inputs.checked(readonly))

    @contextmanager
    def _open(self, code: bytes, readonly: Mapping[str, Path]) -> Iterator[worker.WarmWorker]:
        made = plan(self.limits, readonly, self.user_namespace)
        begin = functools.partial(launch, made, code, self.copies)
        with worker.started(begin, self.limits) as warm:
            yield warm


def plan(limits: Limits, readonly: Mapping[str, Path], user_namespace: bool) -> bwrap.Plan:
    """What this machine and this user need."""
    python = interpreter.current()
    uid = None
    if os.geteuid() == 0 and not user_namespace:
        uid = free_uid(Path("/proc/self/uid_map").read_text(), os.getpid(), next(_workers))
    return bwrap.Plan(
        python, limits, readonly, uid, bwrap.masks(python), bwrap.system_libraries()
    )  # fmt: skip


def setup(made: bwrap.Plan) -> interpreter.Setup:
    """What the program inside is told."""
    counted_alone = made.uid is not None or version(platform.release()) >= PER_NAMESPACE
    others = 0 if counted_alone else processes.tasks_of_user(os.getuid())
    return interpreter.Setup(
        limits=made.limits,
        tasks=interpreter.tasks(made.limits, others),
        uid=made.uid,
        parent=None,
        own_pid_namespace=True,
        new_processes=made.uid is not None or os.geteuid() != 0,
        solution=bwrap.SOLUTION,
        packages=tuple(f"/packages/{i}" for i in range(len(made.python.packages))),
        readable=bwrap.READABLE,
        writable=(bwrap.WORK, bwrap.TEMPORARY, bwrap.SHARED),
    )


def launch(made: bwrap.Plan, code: bytes, copies: bool, channels: worker.Channels) -> worker.Jail:
    """The program in a sandbox: with `copies` one of the zygote, if there is one, or a new Python.

    SandboxStartError with what bubblewrap said.
    """
    what = setup(made)
    if copies and made.uid is not None and (running := zygote.current()) is not None:
        with suppress(zygote.ZygoteGoneError):
            return zygote.launch(running, made, code, what, channels)
    numbers = channels.numbers()
    return start(made, code, ("-m", "inside", what.argument(numbers)), tuple(numbers.values()))


@functools.cache
def _available(user_namespace: bool) -> Availability:
    if sys.platform != "linux":
        return Availability(False, f"it needs Linux, found {sys.platform!r}")
    program = shutil.which("bwrap")
    if program is None:
        return Availability(False, "there is no bwrap program: install the package bubblewrap")
    said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.strip()
    if version(said) < OLDEST:
        return Availability(False, f"expected bubblewrap 0.6 or newer, found {said!r}")
    made = plan(Limits(), {}, user_namespace)
    if not setup(made).new_processes and not seccomp.supported():
        return Availability(
            False, "the kernel does not count the processes of root, and nothing here forbids forks"
        )
    probe = PROBE.format(uid=made.uid, packages=setup(made).packages)
    empty = os.memfd_create("ladon-probe")
    try:
        done = subprocess.run(
            bwrap.command(made, empty, None, ("-c", probe)),
            executable=program,
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            pass_fds=(empty,),
            timeout=START_S,
        )
    except subprocess.TimeoutExpired:
        return Availability(False, f"{said} did not start Python within {START_S:g} s")
    finally:
        os.close(empty)
    if done.returncode:
        complaint = done.stderr.decode(errors="replace").strip().splitlines() or ["nothing"]
        return Availability(False, f"{said} did not start Python here, it said {complaint[-1]!r}")
    return Availability(True, said)
