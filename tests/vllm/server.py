"""A real vLLM on the CPU for the tests: started, waited for, and ended for sure."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from agents.spec import ModelSpec

READY_WITHIN_S = 300.0
"""It takes 30 s on two idle cores; a busy machine may take its time."""
CONTEXT = 16_384


class ServerError(RuntimeError):
    """The server did not come up; the message ends with the end of its log."""


@dataclass(frozen=True)
class Vllm:
    """A server that answers, for one model."""

    name: str
    """Name under which the model is served."""
    port: int
    key_file: Path
    """File of mode 0600 with the API key."""
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def spec(self, **changes: Any) -> ModelSpec:
        """The description of the model at this server, as our client wants it."""
        given = {"name": self.name, "base_url": self.base_url, "api_key_file": str(self.key_file)}
        return ModelSpec(**{**given, "timeout_s": 120.0, "max_tokens": 64, **changes})

    def kill(self) -> None:
        """SIGKILL to the server and all of its processes, and wait until they are gone."""
        end_group(self.process)


@contextmanager
def serving(python: Path, model: Path, name: str, room: Path, port: int = 0) -> Iterator[Vllm]:
    """vLLM serving the folder `model` as `name` at 127.0.0.1, ended with the block.

    `python` is the one of vLLM's environment, `room` an own folder for log, key and caches; `port`
    0 takes a free one. Raises ServerError if it does not answer within READY_WITHIN_S.
    """
    room.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    key_file, log = room / "key", room / "server.log"
    with open(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(python, model, name, port),
            env=environment(room, key_file.read_text()),
            cwd=room,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with guarded(process):
        server = Vllm(name, port, key_file, log, process)
        wait_until_ready(server)
        yield server


@contextmanager
def guarded(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a process group with the block, and also if this process is killed within it.

    vLLM's engine outlives its server's sudden death, so that a signal to the server alone is not
    enough: a shell waits for the end of a pipe that we hold, and then ends the whole group.
    """
    guard = subprocess.Popen(
        ["sh", "-c", 'read -r _; kill -s KILL -- "-$0"', str(process.pid)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.kill()
        guard.communicate()
        end_group(process)


def command(python: Path, model: Path, name: str, port: int) -> list[str]:
    """The command line of the server; it holds no secret.

    The module and not the command `vllm`, which looks for a package of that name; the build for
    the CPU has another one.
    """
    return [
        str(python), "-m", "vllm.entrypoints.openai.api_server",
        "--model", str(model), "--served-model-name", name,
        "--host", "127.0.0.1", "--port", str(port),
        "--dtype", "float32", "--enforce-eager", "--max-model-len", str(CONTEXT),
        "--max-num-seqs", "4",
    ]  # fmt: skip


def environment(room: Path, key: str) -> dict[str, str]:
    """The variables of the server: no network, all that it writes in `room`, the key."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "HOME": str(room),
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_API_KEY": key,
    }


def wait_until_ready(server: Vllm) -> None:
    """Come back when `/v1/models` names the model and a completion of one token is answered.

    `/health` says only that the process lives.
    """
    deadline = time.monotonic() + READY_WITHIN_S
    question = {
        "model": server.name,
        "messages": [{"role": "user", "content": "?"}],
        "max_tokens": 1,
    }
    key = server.key_file.read_text()
    headers = {"authorization": f"Bearer {key}"}
    with httpx2.Client(trust_env=False, headers=headers, timeout=60.0) as client:
        while time.monotonic() < deadline:
            if server.process.poll() is not None:
                raise _error(server, f"it ended with exit code {server.process.returncode}")
            try:
                listed = client.get(f"{server.base_url}/models")
                if listed.status_code == 200:
                    _check_listed(server, listed.json())
                    answer = client.post(f"{server.base_url}/chat/completions", json=question)
                    if answer.status_code == 200:
                        return
            except httpx2.TransportError:
                pass  # it does not listen yet
            time.sleep(0.5)
    raise _error(server, f"none within {READY_WITHIN_S:.0f} s")


def end_group(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to a process group; come back when none of it is left."""
    for _ in range(100):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        process.poll()
        time.sleep(0.1)
    raise ServerError(f"expected process group {process.pid} to end by SIGKILL, found it alive")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _check_listed(server: Vllm, models: Mapping[str, Any]) -> None:
    names = [model["id"] for model in models["data"]]
    if names != [server.name]:
        raise _error(server, f"the models {names}")


def _error(server: Vllm, found: str) -> ServerError:
    end = server.log.read_text(errors="replace")[-3000:]
    return ServerError(
        f"expected the model {server.name!r} to be served at {server.base_url}, found {found}; "
        f"the end of its log:\n{end}"
    )
