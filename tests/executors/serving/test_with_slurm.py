"""Servers as jobs of a real SLURM (slurm/testbed), with stand-ins for vLLM and for Ray."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from executors.serving.client import acquire
from executors.serving.pool import Pool
from executors.serving.record import Endpoint
from executors.serving.scheduler import Slurm
from executors.serving.spec import Launch, ServeSpec, SiteSpec
from tests.executors.serving.conftest import MODEL, REPOSITORY, STAND_IN

pytestmark = pytest.mark.slurm

RAY = """\
#!/bin/sh
# A STAND-IN for Ray: the node with the address runs the command, the others wait for their end.
[ "$1" = stop ] && exit 0
address=${3%:*}
while [ "$1" != -- ]; do shift; done
shift
if ip -o addr | grep -q " $address/"; then exec "$@"; fi
echo "worker $VLLM_HOST_IP"
trap 'exit 130' INT
sleep 600 &
wait
"""


def idle_gpu_nodes() -> int:
    if shutil.which("sinfo") is None:
        return 0
    told = subprocess.run(
        ["sinfo", "--noheader", "--Node", "--partition=gpu", "--states=idle", "--format=%n"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    return len(told.stdout.split())


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    """Servers as jobs; none of them is in the queue afterwards."""
    if idle_gpu_nodes() < 2:
        pytest.skip("no SLURM with two idle nodes in a partition gpu here; run: make testbed")
    bin_folder = tmp_path / "venv" / "bin"
    bin_folder.mkdir(parents=True)
    vllm = f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n'
    for name, text in (("vllm", vllm), ("ray", RAY)):
        (bin_folder / name).write_text(text)
        (bin_folder / name).chmod(0o755)
    found = Pool(tmp_path / "servers", Slurm())
    yield found
    found.stop_all(None, "the test is over")
    assert queued("ladon-mine-serve-slurm-test") == ""


def queued(name: str) -> str:
    """The jobs of that name that have not ended; an ending one is given a moment."""
    for _ in range(60):
        told = subprocess.run(
            ["squeue", "--noheader", f"--name={name}", "--format=%i %T"],
            capture_output=True,
            text=True,
        )
        if not told.stdout:
            break
        time.sleep(0.5)
    return told.stdout


def launch(pool: Pool, nodes: int = 1, **site: Any) -> Launch:
    spec = ServeSpec("slurm-test", MODEL, MODEL, gpus=nodes, tensor_parallel=nodes, nodes=nodes)
    here = SiteSpec(
        scheduler="slurm",
        partition="gpu",
        cpus_per_gpu=1,
        memory_gb_per_gpu=0.5,
        time="00:10:00",
        venv=str(pool.path.parent / "venv"),
        poll_s=1.0,
        lease_s=10.0,
        restarts=0,
    )
    return Launch(spec, replace(here, **site), sys.executable, str(REPOSITORY), owner="mine")


def ended(pool: Pool, name: str) -> Endpoint:
    """The record of a server when it has ended."""
    path = pool.path / name / "record.json"
    for _ in range(120):
        if Endpoint.load(path).ended is not None:
            break
        time.sleep(0.25)
    return Endpoint.load(path)


def test_a_job_serves_on_its_node_and_ends_with_scancel(pool: Pool) -> None:
    with acquire(pool, launch(pool), "mine/main/fit", time.time()) as held:
        endpoint = held.endpoint
        assert (
            endpoint.node
            != subprocess.run(["hostname"], capture_output=True, text=True).stdout.strip()
        )
        assert not held.base_url.startswith(("http://127.", "http://0.0.0.0"))
        assert endpoint.walltime_end is not None
        assert endpoint.started is not None
        assert 500 < endpoint.walltime_end - endpoint.started <= 600
        subprocess.run(["scancel", str(endpoint.job)], check=True)
        assert ended(pool, endpoint.server).reason == "its job was ended (SIGTERM)"
        assert not held.is_ready()


def test_the_signal_before_the_walltime_reaches_the_keeper(pool: Pool) -> None:
    with acquire(pool, launch(pool), "mine/main/fit", time.time()) as held:
        job = str(held.endpoint.job)
        subprocess.run(["scancel", "--batch", "--signal=USR1", job], check=True)
        last = ended(pool, held.endpoint.server)
    assert (last.status, last.reason) == (
        "STOPPED",
        "its walltime is near, and nothing is under way",
    )


def test_a_killed_job_is_seen_and_replaced(pool: Pool) -> None:
    since = time.time()
    chosen = launch(pool, restarts=1)
    with acquire(pool, chosen, "mine/main/fit", since) as first:
        subprocess.run(["scancel", "--signal=KILL", "--full", str(first.endpoint.job)], check=True)
        assert queued("ladon-mine-serve-slurm-test") == ""
        assert not first.is_ready(doubted=True)
        with acquire(pool, chosen, "mine/main/fit", since) as second:
            assert second.folder.name != first.folder.name


@pytest.mark.parametrize("way", ["mp", "ray"])
def test_two_nodes_serve_together(pool: Pool, way: str, tmp_path: Path) -> None:
    local = str(tmp_path / "local disk")
    chosen = launch(pool, nodes=2, multi_node=way, scratch=local)
    with acquire(pool, chosen, "mine/main/fit", time.time()) as held:
        log = held.folder.log(1).read_text()
    lines = [line for line in log.splitlines() if line.startswith("ladon: starting")]
    assert len(lines) == 2
    if way == "mp":
        assert sorted("--headless" in line for line in lines) == [False, True]
    else:
        # Each node has a folder of its own for Ray, wherever that is; all else is the same.
        assert len({re.sub(r"(--temp-dir \S+/ray-\d+)-[01]/ray ", r"\1 ", x) for x in lines}) == 1
        assert lines[0] != lines[1]
        assert "worker " in log
    (last,) = pool.stop_all("mine", "over")
    assert (last.status, last.reason) == ("STOPPED", "over")
