"""File systems: their types, their latency, locks, and the node's own disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.configure import configure
from pipeline.doctor import files
from pipeline.doctor.needs import Needs

MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
tmpfs /tmp tmpfs rw,nosuid 0 0
10.0.0.1@o2ib:/scratch /global/scratch lustre rw,flock 0 0
home:/export /home/a\\040b nfs4 rw 0 0
overlay /global/scratch/image overlay rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/x", "ext4"),
        ("/tmp/x", "tmpfs"),
        ("/tmpx", "ext4"),
        ("/global/scratch/me", "lustre"),
        ("/global/scratch/image/usr", "overlay"),
        ("/home/a b/c", "nfs4"),
    ],
)
def test_type_of_a_file_system(path: str, kind: str) -> None:
    assert files.file_system(Path(path), MOUNTS) == kind


def test_latency_and_locks(tmp_path: Path) -> None:
    assert 0 < files.latency_ms(tmp_path) < files.SLOW_MS
    assert files.locks_there(tmp_path)


def test_a_lock_is_seen_only_while_it_is_held(tmp_path: Path) -> None:
    import fcntl

    path = tmp_path / "lock"
    with path.open("w") as holder, path.open("r+") as other:
        assert not files.is_locked(other.fileno())
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert files.is_locked(other.fileno())
        fcntl.flock(holder, fcntl.LOCK_UN)
        assert not files.is_locked(other.fileno())


def test_locks_that_exclude_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.fcntl, "flock", lambda *_: None)
    assert not files.locks_there(tmp_path)
    settings = configure([f"run.outputs={tmp_path}"])
    (flock,) = (f for f in files.look(settings, Needs.of(settings)) if f.name == "flock")
    assert flock.fatal


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("$LADON_NO_SUCH_VARIABLE", "no absolute path"),
        ("relative", "no absolute path"),
        ("/proc/ladon", "found /proc/ladon"),
    ],
)
def test_local_disk_that_cannot_be_written(place: str, message: str) -> None:
    assert message in files.local_disk(place, required=True).said
    assert files.local_disk(place, required=True).fatal
    assert not files.local_disk(place, required=False).fatal


def test_local_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LADON_LOCAL", str(tmp_path))
    assert files.local_disk("$LADON_LOCAL", required=True).state == "ok"
    later = files.local_disk("$LADON_LOCAL/later", required=True)
    assert (later.state, later.fatal) == ("warning", False)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(files, "file_system", lambda *_: "lustre")
    assert "a node's own disk" in files.local_disk("$LADON_LOCAL", required=True).said


def test_outputs_on_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "TEMPORARY", ())
    settings = configure(["site=testbed", f"run.outputs={tmp_path}/outputs"])

    def outputs(kind: str, nodes: bool) -> str:
        monkeypatch.setattr(files, "file_system", lambda *_: kind)
        return files.look(settings, Needs.of(settings, nodes=nodes))[0].state

    assert outputs("lustre", nodes=False) == outputs("ext4", nodes=True) == "ok"
    assert outputs("ext4", nodes=False) == "warning"
    assert list(tmp_path.iterdir()) == []


def test_outputs_that_cannot_be_written(in_tmp: Path) -> None:
    settings = configure(["run.outputs=/proc/ladon"])
    found = files.look(settings, Needs.of(settings))
    assert found[0].fatal
    assert "expected to write in /proc" in found[0].said


def test_steps_run_where_the_job_is() -> None:
    settings = configure(["site=testbed"])
    assert not Needs.of(settings, variables={}).steps
    assert Needs.of(settings, variables={"SLURM_JOB_ID": "7"}).steps
    assert Needs.of(settings, on_node=True, variables={}).steps
    assert Needs.of(configure([]), variables=os.environ).steps
