"""A server over two nodes of a real SLURM by a real Ray; a STAND-IN only for vLLM's own process.

vLLM on processors cannot do it (docs/slurm-findings.md), and there are no GPUs here: Ray is told
of one on each node. `ray symmetric-run`, its daemons, its token and its placement are real; the
stand-in (ray_stand_in.py) becomes ready only with an actor on both nodes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from executors.serving.client import Held, acquire
from executors.serving.folder import last_lines
from executors.serving.pool import Pool
from executors.serving.record import Endpoint
from executors.serving.scheduler import Slurm
from executors.serving.spec import Launch, ServeSpec, SiteSpec
from tests.executors.serving.conftest import MODEL, REPOSITORY, Ask
from tests.executors.serving.test_with_slurm import queued
from tests.vllm.conftest import vllm_python  # noqa: F401

pytestmark = [pytest.mark.slurm, pytest.mark.vllm, pytest.mark.timeout(1200)]

SPEC = ServeSpec("ray-test", MODEL, MODEL, gpus=2, tensor_parallel=1, nodes=2)
JOB = "ladon-mine-serve-ray-test"
READY_WITHIN_S = 180.0
RAY_PROGRAMS = ("raylet", "gcs_server", "ray::", "symmetric-run", "ray_stand_in")


def answer(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


@dataclass
class Nodes:
    """Two nodes with (fake) GPUs."""

    local: str
    """Folder that SLURM calls the node's own disk (TmpFS)."""

    def each(self, shell: str) -> list[str]:
        """What a command says on both nodes, past any server's job."""
        said = answer(
            "srun", "--quiet", "--job-name=ladon-ray-look", "--partition=gpu", "--nodes=2",
            "--ntasks-per-node=1", "--mem=50M", "--time=2", "--label", "--chdir=/",
            "sh", "-c", shell,
        )  # fmt: skip
        return said.splitlines()

    def left_over(self, job: str) -> list[str]:
        """Processes of Ray and of the stand-in on both nodes, and their folders."""
        lines = self.each(f"ls -d {self.local}/ray-{job}-* 2>/dev/null; ps axwwo pid,args")
        assert {line[:2] for line in lines} == {"0:", "1:"}, lines
        signs = (f"ray-{job}", *RAY_PROGRAMS)
        return [
            line for line in lines if any(sign in line for sign in signs) and "; ps ax" not in line
        ]


@pytest.fixture(scope="module")
def nodes() -> Nodes:
    if shutil.which("sinfo") is None:
        pytest.skip("no SLURM here; run: make testbed")
    found = answer(
        "sinfo", "--noheader", "--Node", "--responding", "--partition=gpu", "--format=%n"
    )
    if len(found.split()) < 2:
        pytest.skip("no SLURM with two nodes in a partition gpu here; run: make testbed")
    settings = answer("scontrol", "show", "config")
    (local,) = (line.split()[-1] for line in settings.splitlines() if line.startswith("TmpFS "))
    return Nodes(local)


@pytest.fixture
def pool(nodes: Nodes, vllm_python: Path, tmp_path: Path) -> Iterator[Pool]:  # noqa: F811
    """Servers with vLLM's own Ray; no job, no process and no folder of theirs is left."""
    ray = vllm_python.with_name("ray")
    if not ray.exists():
        pytest.skip(f"no Ray in vLLM's environment; run: tools/vllm.sh '{vllm_python.parents[1]}'")
    bin_folder = tmp_path / "venv" / "bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "ray").symlink_to(ray)
    program = bin_folder / "vllm"
    stand_in = Path(__file__).with_name("ray_stand_in.py")
    program.write_text(f'#!/bin/sh\nshift\nexec "{vllm_python}" "{stand_in}" serve "$@"\n')
    program.chmod(0o755)
    found = Pool(tmp_path / "servers", Slurm())
    yield found
    found.stop_all(None, "the test is over")
    assert queued(JOB) == ""
    jobs = [str(endpoint.job) for _, endpoint in found.servers()]
    assert [line for job in jobs for line in nodes.left_over(job)] == []


def launch(pool: Pool, nodes: Nodes, **site: Any) -> Launch:
    here = SiteSpec(
        scheduler="slurm",
        partition="gpu",
        cpus_per_gpu=1,
        memory_gb_per_gpu=2.0,
        time="00:10:00",
        venv=str(pool.path.parent / "venv"),
        multi_node="ray",
        scratch=nodes.local,
        poll_s=1.0,
        lease_s=30.0,
        restarts=0,
        environment={"HOME": str(pool.path.parent)},
    )
    return Launch(SPEC, replace(here, **site), sys.executable, str(REPOSITORY), owner="mine")


def asked(ask: Ask, endpoint: Endpoint) -> list[dict[str, Any]]:
    """What the actors of a server say, one on each GPU."""
    status, text = ask(endpoint, "/v1/chat/completions", "Where are you?")
    assert status == 200, text
    told: list[dict[str, Any]] = json.loads(json.loads(text)["choices"][0]["message"]["content"])
    return told


def status_of_ray(held: Held, python: Path, token: Path) -> subprocess.CompletedProcess[str]:
    """`ray status` of the server's cluster, asked with a token."""
    (line, *_) = (
        line for line in held.folder.log(1).read_text().splitlines() if "symmetric-run" in line
    )
    address = line.split("--address ")[1].split()[0]
    return subprocess.run(
        [str(python.with_name("ray")), "status", "--address", address],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(token.parent),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_real_cluster_spans_two_nodes_and_starts_again_on_them(
    pool: Pool,
    nodes: Nodes,
    ask: Ask,
    vllm_python: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    with acquire(pool, launch(pool, nodes, restarts=1), "mine/main/fit", time.time()) as held:
        first, second = asked(ask, held.endpoint)
        rooms = [f"{nodes.local}/ray-{held.endpoint.job}-{rank}" for rank in (0, 1)]
        assert [told["room"] for told in (first, second)] == rooms
        assert first["host"] != second["host"]
        assert first["address"] != second["address"]
        for told in (first, second):
            assert told["told_address"] == told["address"]
            assert told["gpus"] == 1
            assert any(name.startswith("session_") for name in told["session"])
        assert held.endpoint.node == first["host"]
        assert f"http://{first['address']}:" in held.base_url

        token = held.folder.ray_token
        deadline = time.monotonic() + READY_WITHIN_S
        while (allowed := status_of_ray(held, vllm_python, token)).returncode != 0:
            # Ray's own patience with a busy head is 5 s.
            said = f"{allowed.stderr}\n{last_lines(held.folder.log(1), 30)}"
            assert time.monotonic() < deadline, said
        assert "/2.0 GPU" in allowed.stdout
        wrong = tmp_path / "token"
        wrong.write_text("somebody else's")
        refused = status_of_ray(held, vllm_python, wrong)
        assert refused.returncode != 0
        assert "GPU" not in refused.stdout

        ask(held.endpoint, "/die", "now")
        again = ready_again(held)
        assert [told["host"] for told in asked(ask, again)] == [first["host"], second["host"]]
        said = last_lines(held.folder.log(1), 3)
        assert "Ray sees 2 nodes" in said
        assert "scripts.py" not in said
        logs = "".join(path.read_text() for path in held.folder.logs.iterdir())
    for secret in (token, held.folder.key_file):
        assert secret.read_text() not in logs
    (last,) = pool.stop_all("mine", "over")
    assert (last.status, last.reason) == ("STOPPED", "over")


def ready_again(held: Held) -> Endpoint:
    """The record of a server that was started a second time."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        endpoint = Endpoint.load(held.folder.record)
        if endpoint.restarts == 1 and endpoint.status == "READY":
            return endpoint
        time.sleep(0.2)
    raise AssertionError(f"{endpoint}\n{held.folder.log(2).read_text()[-3000:]}")
