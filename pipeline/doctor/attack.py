"""An attack on a sandbox: what the code inside tries, and what the host sees of it.

The code goes around Python to the C library, so that it meets the walls and not only the hook that
explains them. Whether a layer held is read on the host's side wherever that is possible.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from executors.sandbox import Limits, Sandbox, SandboxResult, Worker

LAYERS = ("network", "environment", "pid", "memory")
LIMITS = Limits(cpu_s=60, wall_s=60, memory_mb=384, processes=8)
"""Of the attacked sandbox; a worker with its packages takes about 130 MB."""
SECRET = "LADON_DOCTOR_SECRET"
BLOCK_MB = 16

CODE = """
import ctypes, errno, mmap, os, struct, time
c = ctypes.CDLL(None, use_errno=True)
c.getenv.restype = ctypes.c_char_p

def why():
    return errno.errorcode.get(ctypes.get_errno(), "an error without a name")

def read(path):
    handle = c.open(path.encode(), os.O_RDONLY)
    if handle < 0:
        return ""
    text = ctypes.create_string_buffer(65536)
    size = c.read(handle, text, 65536)
    c.close(handle)
    return text.raw[:max(0, size)].decode("utf-8", "replace").replace("\\0", " ")

def network(port, name):
    told = []
    inet = struct.pack("=H", 2) + struct.pack(">H", port) + bytes([127, 0, 0, 1]) + bytes(8)
    unix = struct.pack("=H", 1) + b"\\0" + name.encode()
    for what, family, address in (("TCP", 2, inet), ("UNIX", 1, unix)):
        handle = c.socket(family, 1, 0)
        done = handle >= 0 and c.connect(handle, address, len(address)) == 0
        told.append(what + (" connected" if done else ": " + why()))
    return ", ".join(told)

def environment(variable):
    told = [*os.environ.values(), str(c.getenv(variable.encode())), read("/proc/self/environ")]
    return "\\n".join(told)

def pid(number):
    seen = read("/proc/%d/cmdline" % number)
    killed = number != os.getpid() and c.kill(number, 9) == 0
    return {"seen": seen, "kill": "done" if killed else why()}

def memory(block_mb, most_mb):
    held = []
    def private():
        return bytearray(b"x") * (block_mb << 20)
    def shared():
        block = mmap.mmap(-1, block_mb << 20)
        for at in range(0, block_mb << 20, 4096):
            block[at] = 1
        return block
    for make in (private, shared):
        try:
            while len(held) * block_mb < most_mb:
                held.append(make())
        except (MemoryError, OSError):
            pass
    time.sleep(1.0)
    return len(held) * block_mb
"""


@dataclass(frozen=True)
class Trial:
    """One layer, tried: whether it held, and how that shows."""

    layer: str
    held: bool
    said: str


def attacked(sandbox: Sandbox) -> list[Trial]:
    """Every layer of LAYERS tried on a sandbox, whose limits should be LIMITS.

    Raises what `sandbox.open` raises where it cannot be had.
    """
    with _secret() as text, sandbox.open(CODE) as worker:
        if not worker.loaded.ok:
            return [Trial("start", False, _ended(worker.loaded))]
        return [_network(worker), _environment(worker, text), _pid(worker), _memory(worker)]


@contextmanager
def _secret() -> Iterator[str]:
    """A variable of this process that nobody inside may see."""
    text = secrets.token_hex(16)
    os.environ[SECRET] = text
    try:
        yield text
    finally:
        del os.environ[SECRET]


def _network(worker: Worker) -> Trial:
    name = f"ladon-doctor-{secrets.token_hex(8)}"
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        tcp.bind(("127.0.0.1", 0))
        unix.bind(f"\0{name}")
        for listener in (tcp, unix):
            listener.listen()
            listener.settimeout(0.2)
        result = worker.call("network", [tcp.getsockname()[1], name])
        reached = [kind for kind, listener in (("TCP", tcp), ("UNIX", unix)) if _came(listener)]
    if reached:
        return Trial("network", False, f"it reached a listener of the host by {reached[0]}")
    return _told("network", result, f"it reached no listener of the host ({result.value})")


def _came(listener: socket.socket) -> bool:
    try:
        connection, _ = listener.accept()
    except TimeoutError:
        return False
    connection.close()
    return True


def _environment(worker: Worker, text: str) -> Trial:
    result = worker.call("environment", [SECRET])
    if result.ok and text in str(result.value):
        return Trial("environment", False, "it read a variable that was set outside")
    return _told("environment", result, "it did not see a variable that was set outside")


def _pid(worker: Worker) -> Trial:
    mark = secrets.token_hex(8)
    code = "import sys; sys.stdin.read()"  # ends with us
    victim = subprocess.Popen([sys.executable, "-S", "-c", code, mark], stdin=subprocess.PIPE)
    try:
        _await_words(victim.pid, mark)
        result = worker.call("pid", [victim.pid])
        with suppress(subprocess.TimeoutExpired):
            victim.wait(timeout=0.2)
        if victim.poll() is not None:
            return Trial("pid", False, "it killed a process of the host")
        if result.ok and mark in result.value["seen"]:
            return Trial("pid", False, "it saw a process of the host (and could not kill it)")
        said = result.value["kill"] if result.ok else ""
        return _told("pid", result, f"it neither saw nor killed a process of the host ({said})")
    finally:
        victim.kill()
        victim.communicate()


def _await_words(pid: int, mark: str) -> None:
    """Until the process shows its words: the kernel fills them in late in exec."""
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        if mark.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            return
        time.sleep(0.005)


def _memory(worker: Worker) -> Trial:
    most = 2 * LIMITS.memory_mb
    result = worker.call("memory", [BLOCK_MB, most])
    if result.ok and result.value > LIMITS.memory_mb:
        said = f"it held {result.value} MB where {LIMITS.memory_mb} MB are allowed"
        return Trial("memory", False, said)
    if result.status == "memory":
        said = f"ended when it wanted {most} MB where {LIMITS.memory_mb} MB are allowed"
        return Trial("memory", True, said)
    return _told("memory", result, f"it got {result.value} of {most} MB")


def _told(layer: str, result: SandboxResult, said: str) -> Trial:
    """A layer held if the code inside really tried; a probe that failed says nothing."""
    if result.ok:
        return Trial(layer, True, said)
    if result.status == "violation" or result.exception_type == "SandboxViolation":
        return Trial(layer, True, f"stopped when it tried: {result.message}")
    return Trial(layer, False, f"not known, the probe itself ended: {_ended(result)}")


def _ended(result: SandboxResult) -> str:
    return " ".join(f"{result.status} {result.exception_type} {result.message}".split())
