"""The program of each node: what it starts, with what, and that Ray leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from executors.serving.folder import ServerFolder
from executors.serving.spec import Launch, ServeSpec, SiteSpec
from tests.executors.serving.conftest import REPOSITORY

TELL = """\
import json, os, sys
kept = ("VLLM_API_KEY", "VLLM_HOST_IP", "HF_HUB_OFFLINE", "RAY_AUTH_TOKEN_PATH", "SOME_TOKEN")
told = {"arguments": sys.argv[1:], **{name: os.environ.get(name) for name in kept}}
open(os.environ["TELL"], "w").write(json.dumps(told))
"""
RAY = """\
#!/bin/sh
# A STAND-IN for Ray: runs what comes after --, leaves a daemon, and stops it when it is told to.
if [ "$1" = stop ]; then
    kill "$(cat "$TELL.daemon")"
    echo "$@" >>"$TELL.stop"
    exit 0
fi
setsid sleep 300 >/dev/null 2>&1 &
echo $! >"$TELL.daemon"
while [ "$1" != -- ]; do shift; done
shift
"$@"
trap 'exit 130' INT
sleep 60 &
wait
"""


@pytest.fixture
def folder(tmp_path: Path) -> ServerFolder:
    """The folder of a server of two nodes; vLLM and Ray are programs that say what they got."""
    bin_folder = tmp_path / "venv" / "bin"
    bin_folder.mkdir(parents=True)
    (tmp_path / "tell.py").write_text(TELL)
    for name, text in (
        ("vllm", f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path}/tell.py" "$@"\n'),
        ("ray", RAY),
    ):
        (bin_folder / name).write_text(text)
        (bin_folder / name).chmod(0o755)
    made = ServerFolder(tmp_path / "server")
    made.path.mkdir()
    made.make()
    return made


def launch(folder: ServerFolder, **site: Any) -> Launch:
    spec = ServeSpec("m", "owner/m", "owner/m", gpus=4, tensor_parallel=4, nodes=2)
    told = {"TELL": str(folder.path / "told")}
    venv = str(folder.path.parent / "venv")
    return Launch(
        spec,
        SiteSpec(venv=venv, interface="lo", environment=told, **site),
        sys.executable,
        str(REPOSITORY),
    )


def start(folder: ServerFolder, rank: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "executors.serving.node", "--folder", str(folder.path)]
    command += ["--address", "127.0.0.1", "--port", "23456", "--meeting-port", "34567"]
    variables = {**os.environ, "PYTHONPATH": str(REPOSITORY), "SOME_TOKEN": "s3cret"}
    return subprocess.Popen(
        command,
        env={**variables, "SLURM_PROCID": str(rank)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(node: subprocess.Popen[str]) -> str:
    """What the program said by its end."""
    try:
        return node.communicate(timeout=30)[0]
    finally:
        node.kill()
        node.communicate()


@pytest.mark.parametrize("rank", [0, 1])
def test_a_node_without_ray_knows_its_rank_and_its_key(folder: ServerFolder, rank: int) -> None:
    launch(folder, multi_node="mp").save(folder.launch)
    said = finished(start(folder, rank))
    told = json.loads((folder.path / "told").read_text())
    arguments = told["arguments"]
    assert arguments[arguments.index("--node-rank") + 1] == str(rank)
    assert ("--headless" in arguments) == (rank == 1)
    key = folder.key_file.read_text()
    assert told["VLLM_API_KEY"] == key
    assert key not in said
    assert key not in " ".join(arguments)
    assert (told["VLLM_HOST_IP"], told["HF_HUB_OFFLINE"]) == ("127.0.0.1", "1")
    assert told["SOME_TOKEN"] is None


def test_under_ray_a_signal_ends_it_and_its_cluster_is_stopped(folder: ServerFolder) -> None:
    launch(folder).save(folder.launch)
    node = start(folder, 0)
    deadline = time.monotonic() + 30
    while not (folder.path / "told").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    node.send_signal(signal.SIGTERM)
    said = finished(node)
    assert "symmetric-run --address 127.0.0.1:34567 --min-nodes 2 " in said
    assert "--num-cpus 16 --num-gpus 2 " in said
    assert (folder.path / "told.stop").read_text() == "stop --force\n"
    daemon = int((folder.path / "told.daemon").read_text())
    for _ in range(50):
        if not Path(f"/proc/{daemon}/exe").exists():
            break
        time.sleep(0.1)
    assert "sleep" not in _name(daemon)
    told = json.loads((folder.path / "told").read_text())
    assert told["RAY_AUTH_TOKEN_PATH"] == str(folder.ray_token)
    assert told["arguments"][-2:] == ["--distributed-executor-backend", "ray"]


def test_a_node_without_the_interface_says_so(folder: ServerFolder) -> None:
    wrong = launch(folder)
    replace(wrong, site=replace(wrong.site, interface="ib7")).save(folder.launch)
    node = start(folder, 0)
    said = finished(node)
    assert node.returncode == 1
    assert "expected a network interface 'ib7'" in said


def _name(pid: int) -> str:
    """Command line of a process; '' if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        return ""
