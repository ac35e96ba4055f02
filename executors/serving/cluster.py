"""The Ray cluster of a server that spans nodes: how it starts, its folder on each node, its end."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import psutil

from executors.serving.errors import ServingError
from executors.serving.folder import ServerFolder
from executors.serving.spec import ServeSpec, SiteSpec

JOIN_S = "300"
"""Seconds that Ray waits for all nodes; its own 30 s are short where Python lies on Lustre."""
GRACE_S = 5.0
"""Between SIGTERM and SIGKILL for vLLM, of the 30 s that SLURM gives a job (KillWait)."""
END_S = 20.0
LOOK_S = 0.2
UNASKED = 1
"""Exit code of a server that ended by itself and called that a success."""
OBJECTS_BYTES = 1 << 30
"""Size of Ray's store of objects on a node; Ray itself takes 30 % of the machine's memory, whatever
the job was given. vLLM sends tensors past it."""
SOCKET_BYTES = 107
_SOCKET = "/ray/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store"


def run_words(
    spec: ServeSpec, cpus: int, meeting: str, room: Path | None, command: Sequence[str]
) -> list[str]:
    """What follows the program `ray` on every node to run `command` on the one with `meeting`."""
    return [
        "symmetric-run",
        "--address", meeting,
        "--min-nodes", str(spec.nodes),
        "--num-cpus", str(cpus),
        "--num-gpus", str(spec.gpus_per_node),
        "--object-store-memory", str(OBJECTS_BYTES),
        *([] if room is None else ["--temp-dir", f"{room}/ray"]),
        "--disable-usage-stats",
        "--",
        *command,
    ]  # fmt: skip


def variables_of(folder: ServerFolder) -> dict[str, str]:
    """The variables of a cluster. Its ports run code for whoever reaches them, without a token."""
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(folder.ray_token),
        "RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT": JOIN_S,
        # vLLM's workers are actors; a process for each processor of the node would only wait.
        "RAY_prestart_worker_first_driver": "0",
    }


@contextmanager
def own_room(site: SiteSpec, variables: Mapping[str, str], name: str) -> Iterator[Path]:
    """A folder `name` on this node's own disk for Ray's sockets and logs, removed with the block.

    It is in RAY_TMPDIR, if that is set, else in site.serve.scratch, else (or where that path is too
    long for sockets) where this node keeps temporary files. ServingError if Ray cannot use it.
    """
    base, told = _base(site, variables), "RAY_TMPDIR" in variables
    if not told and _bytes_over(base / name) > 0:
        base = Path(tempfile.gettempdir())
    room = base / name
    over = _bytes_over(room)
    if "$" in str(base) or not base.is_absolute() or over > 0:
        raise ServingError(
            f"expected an absolute path of at most {len(os.fsencode(base)) - over} bytes for Ray's "
            f"sockets on this node's disk, found '{base}'; name another folder with RAY_TMPDIR in "
            "site.serve.environment"
        )
    try:
        base.mkdir(parents=True, exist_ok=True, mode=0o700)
        room.mkdir(mode=0o700, exist_ok=True)  # a start before this one may have been killed
        found = room.lstat()
    except OSError as error:
        raise ServingError(
            f"expected to make a folder for Ray in '{base}', found: {error.strerror}; name another "
            "folder of this node's disk with RAY_TMPDIR in site.serve.environment"
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ServingError(
            f"expected '{room}' to be a folder of ours for Ray, found somebody else's; remove it, "
            "or name another folder with RAY_TMPDIR in site.serve.environment"
        )
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _base(site: SiteSpec, variables: Mapping[str, str]) -> Path:
    named = variables.get("RAY_TMPDIR") or site.scratch or tempfile.gettempdir()
    return Path(os.path.expandvars(named)).expanduser()


def _bytes_over(room: Path) -> int:
    """Bytes by which the path of Ray's longest socket in `room` is too long."""
    return len(os.fsencode(f"{room}{_SOCKET}")) - SOCKET_BYTES


def run_cluster(command: list[str], variables: Mapping[str, str], lock: int | None) -> int:
    """Run Ray and what it runs, and leave none of it behind; the exit code.

    `ray symmetric-run` does not stop its cluster after SIGTERM, and after an interrupt it kills
    what it runs and takes longer than SLURM waits (KillWait). So here its program is asked to end,
    and the rest is ended by force. `ray stop` ends all of a node's: nodes are exclusive.
    An end that nobody asked for is never 0: srun ends the other nodes at once only for a bad exit,
    and a worker of Ray looks for its lost head for a minute.
    """
    asked: list[float] = []

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.append(time.monotonic())

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    child = subprocess.Popen(
        command,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=() if lock is None else (lock,),
    )
    while child.poll() is None and not asked:
        time.sleep(LOOK_S)
    if asked:
        _end_program(child, asked[0] + GRACE_S)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    code = child.wait()
    stop = [*command[: command.index("symmetric-run")], "stop", "--force"]
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(stop, env=dict(variables), check=False, timeout=END_S)
    if asked:
        return 128 + signal.SIGTERM
    if code == 0:
        return UNASKED
    return code if code >= 0 else 128 - code


def _end_program(child: subprocess.Popen[bytes], deadline: float) -> None:
    """SIGTERM to what `ray symmetric-run` runs here; come back when it has ended, or is late."""
    try:
        programs = psutil.Process(child.pid).children()
    except psutil.NoSuchProcess:
        return
    for program in programs:
        with suppress(psutil.NoSuchProcess):
            program.terminate()
    psutil.wait_procs(programs, timeout=max(0.0, deadline - time.monotonic()))
