"""The short job on a node: how it is submitted, and on the testbed what it finds."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from pipeline.configure import configure
from pipeline.doctor import job
from tests.pipeline.doctor.conftest import SlurmOf
from tests.pipeline.doctor.test_report import SCHEMA, doctor


def test_options() -> None:
    resources = {"slurm_account": "a", "slurm_partition": "p", "mem_mb": 500, "cpus_per_task": 2}
    assert job.options("ladon-doctor-1", resources, Path("/shared/x")) == [
        "--parsable", "--job-name=ladon-doctor-1", "--nodes=1", "--ntasks=1", "--time=5",
        "--mem=1500", "--no-requeue", "--output=/shared/x/log", "--account=a", "--partition=p",
        "--cpus-per-task=2",
    ]  # fmt: skip
    assert "--mem=4000" in job.options("n", {"mem_mb": 4000, "constraint": "cpu"}, Path("/x"))


def test_script_with_an_awkward_path() -> None:
    text = job.script("/a b/python", Path("/it's"), Path("/c d"))
    assert shlex.split(text.splitlines()[1]) == ["export", "PYTHONPATH=/it's"]
    assert shlex.split(text.splitlines()[2])[1:] == [
        "/a b/python", "-m", "pipeline.doctor.node", "/c d",
    ]  # fmt: skip


def test_a_job_that_is_refused(slurm_of: SlurmOf, in_tmp: Path) -> None:
    slurm_of(sbatch="echo 'sbatch: error: Invalid account' >&2; exit 1")
    (finding,) = job.look(configure(["site=testbed"]))
    assert finding.fatal
    assert "Invalid account" in finding.said
    assert [path.name for path in in_tmp.iterdir()] == ["slurm-bin"]


def test_a_node_that_does_not_see_the_folder(
    slurm_of: SlurmOf, in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "SEEN_S", 0.3)
    slurm_of(sbatch="echo 7", squeue="echo 'COMPLETED|None'", scancel="exit 0")
    (finding,) = job.look(configure(["site=testbed"]))
    assert finding.fatal
    assert "the job was COMPLETED and said: nothing (there is no log)" in finding.said
    assert "has to see run.outputs" in finding.next_step


@pytest.fixture
def testbed() -> None:
    """The real one, with nothing wrong; whoever waits for a node takes it from nobody."""
    told = subprocess.run(
        ["scontrol", "show", "config"] if shutil.which("scontrol") else ["false"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    if "ClusterName             = ladon\n" not in told.stdout:
        pytest.skip("no SLURM testbed here; run: make testbed")


def jobs_of_doctor() -> list[str]:
    command = ["squeue", "--me", "--noheader", "--format=%j"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return [name for name in listed.stdout.split() if name.startswith("ladon-doctor-")]


@pytest.mark.slurm
@pytest.mark.usefixtures("testbed", "in_tmp")
def test_the_testbed_can_run() -> None:
    code, text = doctor("site=testbed")
    assert code == 0, text
    assert "site=testbed can run here" in text
    assert "ladon doctor --nodes submits a short job" in text


@pytest.mark.slurm
@pytest.mark.usefixtures("testbed", "in_tmp")
def test_a_wrong_partition_and_a_wrong_account_of_the_testbed() -> None:
    code, text = doctor("site=testbed", "site.partition=nope", "site.account=wrong")
    assert code == 1
    assert "partition nope: expected the partition 'nope' of site=testbed, found none" in text
    assert "account wrong: expected " in text


@pytest.mark.slurm
@pytest.mark.usefixtures("testbed")
def test_a_node_of_the_testbed(in_tmp: Path) -> None:
    code, text = doctor("site=testbed", "--nodes", "--json")
    found = json.loads(text)
    jsonschema.validate(found, SCHEMA)
    assert (code, found["can_run"]) == (0, True), text
    there = {f["name"]: f for f in found["findings"] if f["node"] is not None}
    assert {f["node"] for f in there.values()} <= {"cpu1", "cpu2"}
    assert there["interface eth0"]["said"].startswith("10.213.77.")
    assert "on tmpfs" in there["local disk"]["said"]
    assert there["python"]["said"].endswith(sys.executable)
    for name in ("flock", "user namespaces", "plain network", "plain memory"):
        assert there[name]["state"] == "ok", there[name]
    assert jobs_of_doctor() == []
    assert list(in_tmp.iterdir()) == []


@pytest.mark.slurm
@pytest.mark.usefixtures("testbed")
def test_local_disk_that_nodes_do_not_have(in_tmp: Path) -> None:
    code, text = doctor(
        "site=testbed", "--nodes", "site.local_disk=/proc/none", "site.sandbox=none"
    )
    assert code == 1
    assert "local disk: expected to write in '/proc/none'" in text
    assert "on node cpu" in text


@pytest.mark.slurm
@pytest.mark.usefixtures("testbed")
def test_a_job_that_does_not_start_is_cancelled(in_tmp: Path) -> None:
    (finding,) = job.look(configure(["site=testbed"]), start_s=0.0)
    assert (finding.state, finding.fatal) == ("warning", False)
    assert "it was cancelled" in finding.said
    assert jobs_of_doctor() == []
    assert list(in_tmp.iterdir()) == []
