"""The testbed is a cluster: partitions, hosts, limits, accounting, and nothing left over."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .conftest import SCRIPT, USER, Cluster, run

NODES = {"cpu1", "cpu2", "gpu1", "gpu2"}
SPAWNS_A_DAEMON = """#!/bin/bash
setsid bash -c 'setsid sleep 7654 & exit' &
exec sleep 7653
"""
TAKES_600_MB = """#!/bin/bash
python3 -c "
import time
block = b'x' * 600_000_000
time.sleep(30)
print(len(block))"
exit $?
"""

pytestmark = pytest.mark.slurm


def script(slurm: Cluster, name: str, text: str) -> str:
    path = slurm.folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_two_partitions_of_two_nodes(slurm: Cluster) -> None:
    listed = run("sinfo", "--noheader", "--Node", "--format=%N %R %c %m %G").splitlines()
    assert sorted(listed) == [
        "cpu1 cpu 4 6000 (null)",
        "cpu2 cpu 4 6000 (null)",
        "gpu1 gpu 4 6000 gpu:fake:2",
        "gpu2 gpu 4 6000 gpu:fake:2",
    ]
    assert set(states()) <= {"idle", "mixed", "allocated", "completing"}


def states() -> list[str]:
    return run("sinfo", "--noheader", "--Node", "--format=%T").splitlines()


def test_two_hosts_with_names_and_addresses_of_their_own(slurm: Cluster) -> None:
    printed = run("srun", "-N2", "bash", "-c", "echo $(hostname) $(hostname -I)").splitlines()
    hosts = dict(line.split() for line in printed)
    assert set(hosts) == {"cpu1", "cpu2"}
    assert len(set(hosts.values())) == 2
    for name, address in hosts.items():
        assert run("getent", "hosts", name).split() == [address, name]


def test_nodes_reach_each_other_by_name(slurm: Cluster) -> None:
    answer = "import socket; s = socket.create_server(('cpu2', 45671)); s.accept()[0].send(b'hi')"
    ask = "import socket; print(socket.create_connection(('cpu2', 45671), 5).recv(9).decode())"
    with subprocess.Popen([str(SCRIPT), "exec", "cpu2", "python3", "-c", answer]) as server:
        listening = "ss --no-header --listening --tcp --numeric sport = :45671"
        slurm.until(lambda: slurm.on_node("cpu2", *listening.split()) != "", "a listener", 10)
        assert slurm.on_node("gpu1", "python3", "-c", ask) == "hi"
        assert server.wait(10) == 0


def test_an_ordinary_user_writes_a_file(slurm: Cluster) -> None:
    path = slurm.folder / "written"
    job = slurm.submit("--wrap", f"id --user --name > {path}; hostname >> {path}")
    assert slurm.ended(job) == "COMPLETED"
    who, where = path.read_text(encoding="utf-8").split()
    assert who == USER == path.owner()
    assert where in {"cpu1", "cpu2"}


def test_two_gpu_jobs_do_not_share(slurm: Cluster) -> None:
    """Of three jobs that want one GPU of gpu1, two run with different ones and the third waits."""
    wanted = ("--partition=gpu", "--nodelist=gpu1", "--gres=gpu:1")
    show = "echo $CUDA_VISIBLE_DEVICES; sleep 60"
    jobs = [slurm.submit(*wanted, "--wrap", show) for _ in range(3)]
    try:
        slurm.until(lambda: all(slurm.state(j) == "RUNNING" for j in jobs[:2]), "two to run", 20)
        slurm.until(lambda: all(printed(slurm, j) for j in jobs[:2]), "their output", 10)
        assert sorted(slurm.output(j) for j in jobs[:2]) == ["0\n", "1\n"]
        assert slurm.state(jobs[2]) == "PENDING"
    finally:
        run("scancel", *jobs)
    assert [slurm.ended(job) for job in jobs] == ["CANCELLED"] * 3


def printed(slurm: Cluster, job: str) -> bool:
    path = slurm.folder / f"{job}.out"
    return path.exists() and path.stat().st_size > 0


def test_a_node_sees_its_own_processes_only(slurm: Cluster) -> None:
    with subprocess.Popen([str(SCRIPT), "exec", "cpu1", "sleep", "7652"]) as sleeper:
        slurm.until(lambda: "sleep 7652" in processes(slurm, "cpu1"), "it on cpu1", 10)
        assert "sleep 7652" not in processes(slurm, "cpu2")
        assert processes(slurm, "cpu2").count("slurmd -D") == 1
        slurm.on_node("cpu1", "pkill", "--full", "sleep 7652")
        sleeper.wait(10)


def processes(slurm: Cluster, node: str) -> str:
    return slurm.on_node(node, "ps", "-eo", "args")


def test_node_local_disk_is_local(slurm: Cluster) -> None:
    disk = Path(run(str(SCRIPT), "env").partition("=")[2]).parents[1] / "local"
    slurm.on_node("gpu1", "sh", "-c", f"echo here > {disk}/probe")
    assert slurm.on_node("gpu1", "cat", f"{disk}/probe") == "here"
    assert slurm.on_node("gpu2", "ls", str(disk)) == ""
    assert not (disk / "probe").exists()
    slurm.on_node("gpu1", "rm", f"{disk}/probe")


def test_a_job_over_its_memory_is_killed(slurm: Cluster) -> None:
    job = slurm.submit("--mem=200M", script(slurm, "memory.sh", TAKES_600_MB))
    expected = "OUT_OF_MEMORY" if slurm.memory == "cgroup" else "FAILED"
    assert slurm.ended(job) == expected
    assert "600000000" not in slurm.output(job)
    assert re.search(r"oom-kill event|exceeded memory limit", slurm.output(job))


def test_accounting_knows_the_job(slurm: Cluster) -> None:
    job = slurm.submit("--job-name=known", "--wrap", "exit 3")
    assert slurm.ended(job) == "FAILED"
    fields = ("sacct", "-nPX", f"--jobs={job}", "--format=JobName,User,Account,State,ExitCode")
    line = f"known|{USER}|ladon|FAILED|3:0"
    slurm.until(lambda: run(*fields) == line, f"sacct to say {line}", 20)


def test_nothing_is_left_of_a_cancelled_job(slurm: Cluster) -> None:
    """A daemon child in a session of its own ends with its job."""
    job = slurm.submit("--nodelist=cpu2", script(slurm, "daemon.sh", SPAWNS_A_DAEMON))
    slurm.until(lambda: processes(slurm, "cpu2").count("sleep 765") == 2, "both to sleep", 20)
    run("scancel", job)
    assert slurm.ended(job) == "CANCELLED"
    slurm.until(lambda: "sleep 765" not in processes(slurm, "cpu2"), "no process left", 20)
    assert "slurmstepd" not in processes(slurm, "cpu2")


def test_up_again_changes_nothing(slurm: Cluster) -> None:
    before = {node: slurm.on_node(node, "ps", "-o", "lstart=", "-p", "1") for node in NODES}
    slurm.script("up")
    assert {n: slurm.on_node(n, "ps", "-o", "lstart=", "-p", "1") for n in NODES} == before


def test_a_wrong_account_is_refused_when_asked(slurm: Cluster) -> None:
    slurm.script("accounts", "strict")
    try:
        with pytest.raises(AssertionError, match="Invalid account"):
            slurm.submit("--account=wrong", "--wrap", "true")
        assert slurm.ended(slurm.submit("--wrap", "true")) == "COMPLETED"
    finally:
        slurm.script("accounts", "open")
    assert slurm.ended(slurm.submit("--account=wrong", "--wrap", "true")) == "COMPLETED"


@pytest.mark.parametrize("wrong", ["up now", "cut cpu9", "stop everything", ""])
def test_wrong_commands_are_refused(slurm: Cluster, wrong: str) -> None:
    done = subprocess.run(
        [str(SCRIPT), *wrong.split()], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "expected" in done.stderr or "testbed.sh up" in done.stderr
    assert " ".join(states()).count("down") == 0


@pytest.mark.slow
def test_a_node_is_cut_off_and_healed(slurm: Cluster) -> None:
    """SLURM calls the node down, requeues its job elsewhere, and takes the node back."""
    job = slurm.submit("--partition=cpu", "--wrap", "echo $SLURM_RESTART_COUNT; sleep 40")
    slurm.until(lambda: slurm.state(job) == "RUNNING", "it to run", 20)
    node = run("squeue", "--noheader", f"--jobs={job}", "--format=%N")
    slurm.script("cut", node)
    try:
        slurm.until(lambda: "down*" in states(), f"{node} to be down", 60)
        slurm.until(lambda: slurm.state(job) == "RUNNING", "it to run elsewhere", 60)
        assert run("squeue", "--noheader", f"--jobs={job}", "--format=%N") != node
    finally:
        slurm.script("heal", node)
    slurm.until(lambda: "down*" not in states(), f"{node} to be back", 30)
    run("scancel", job)
    slurm.until(lambda: "sleep 40" not in processes(slurm, node), "no process left", 40)


@pytest.mark.slow
def test_a_node_without_power_comes_back(slurm: Cluster) -> None:
    slurm.script("stop", "gpu2")
    assert not Path("/sys/fs/cgroup/memory/slurm_gpu2").exists()
    slurm.script("up")
    assert run("srun", "--partition=gpu", "--nodelist=gpu2", "hostname") == "gpu2"
