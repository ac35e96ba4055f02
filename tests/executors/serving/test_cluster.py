"""Ray's folder on a node's own disk, and how a node's program ends what it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from executors.serving.cluster import GRACE_S, UNASKED, own_room
from executors.serving.errors import ServingError
from executors.serving.folder import last_lines
from executors.serving.spec import SiteSpec
from tests.executors.serving.conftest import REPOSITORY

RUN = """\
import os, sys
from executors.serving.cluster import run_cluster
sys.exit(run_cluster([sys.argv[1], "symmetric-run", *sys.argv[2:]], os.environ, None))
"""
RAY = """\
#!/bin/sh
# A STAND-IN for Ray: runs what it is given, and then takes its time.
[ "$1" = stop ] && { echo "$@" >>"$0.stops"; exit 0; }
shift
"$@"
code=$?
[ -z "$SLOW_STOP" ] || sleep 300
exit $code
"""
LOG = """\
Head node started.
=======================
Waiting for nodes to start... 1/2 nodes started
Running command on head node: ['vllm', 'serve']
=======================
RuntimeError: no more memory
=======================
INFO scripts.py:1451 -- 1/4 stopped.
srun: error: gpu1: task 0: Exited with exit code 1
"""


@pytest.fixture
def short(tmp_path: Path) -> Iterator[Path]:
    """A folder with a short path: Linux allows 107 bytes for a socket."""
    link = Path(f"/tmp/ladon-{os.getpid()}")
    link.symlink_to(tmp_path)
    yield link
    link.unlink()


@pytest.fixture
def ray(tmp_path: Path) -> Path:
    program = tmp_path / "ray"
    program.write_text(RAY)
    program.chmod(0o755)
    return program


def started(ray: Path, *program: str, **variables: str) -> subprocess.Popen[bytes]:
    found = {**os.environ, "PYTHONPATH": str(REPOSITORY), **variables}
    return subprocess.Popen([sys.executable, "-c", RUN, str(ray), *program], env=found)


def stops(ray: Path) -> str:
    return Path(f"{ray}.stops").read_text()


def test_the_folder_is_on_the_sites_disk_and_goes_with_the_server(short: Path) -> None:
    site = SiteSpec(scratch="$SHORT/disk")
    os.environ["SHORT"] = str(short)
    try:
        with own_room(site, {}, "ray-77") as room:
            assert room == short / "disk" / "ray-77"
            assert room.stat().st_mode & 0o777 == 0o700
            (room / "ray").mkdir()
        assert not room.exists()
        with own_room(site, {"RAY_TMPDIR": str(short)}, "ray-77") as room:
            assert room == short / "ray-77"
            with own_room(site, {"RAY_TMPDIR": str(short)}, "ray-77") as again:  # a killed start
                assert again == room
    finally:
        del os.environ["SHORT"]


def test_where_the_sites_path_is_too_long_it_is_among_temporary_files(short: Path) -> None:
    site = SiteSpec(scratch="/" + 60 * "x")
    with own_room(site, {}, f"ray-{os.getpid()}-0") as room:
        assert room == Path(tempfile.gettempdir()) / f"ray-{os.getpid()}-0"
    assert not room.exists()


@pytest.mark.parametrize("named", ["/" + 40 * "x", "$NOWHERE/disk", "disk"])
def test_a_folder_that_ray_cannot_use_is_refused(named: str) -> None:
    with (
        pytest.raises(ServingError, match=r"at most 30 bytes.*RAY_TMPDIR in site\.serve\.env"),
        own_room(SiteSpec(), {"RAY_TMPDIR": named}, "ray-77-0"),
    ):
        pass


def test_a_folder_that_cannot_be_made_or_is_no_folder_is_refused(short: Path) -> None:
    (short / "ray-77").symlink_to("/etc")
    for base, found in ((short, "somebody else's"), (short / "file", "File exists")):
        (short / "file").touch()
        with (
            pytest.raises(ServingError, match=found),
            own_room(SiteSpec(), {"RAY_TMPDIR": str(base)}, "ray-77"),
        ):
            pass
    assert Path("/etc").is_dir()


@pytest.mark.parametrize(("program", "code"), [("false", 1), ("true", UNASKED)])
def test_an_end_that_nobody_asked_for_is_a_bad_one(ray: Path, program: str, code: int) -> None:
    with started(ray, program) as node:
        assert node.wait(timeout=20) == code
    assert stops(ray) == "stop --force\n"


@pytest.mark.parametrize("obeys", [True, False])
def test_a_signal_asks_the_program_and_then_ends_all_by_force(
    ray: Path, tmp_path: Path, obeys: bool
) -> None:
    trap = "exit 0" if obeys else ""
    text = f"""trap 'echo asked >>"{tmp_path}/said"; {trap}' TERM
echo $$ >"{tmp_path}/pid"; while :; do sleep 0.1; done"""
    with started(ray, "sh", "-c", text, SLOW_STOP="1") as node:
        deadline = time.monotonic() + 20
        while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.2)
        before = time.monotonic()
        node.send_signal(signal.SIGTERM)
        assert node.wait(timeout=20) == 128 + signal.SIGTERM
        lasted = time.monotonic() - before
    assert (tmp_path / "said").read_text() == "asked\n"
    assert (lasted < GRACE_S) == obeys
    assert stops(ray) == "stop --force\n"
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/exe").exists()


def test_the_end_of_a_log_is_what_the_server_said(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(LOG)
    assert last_lines(log, 1) == "RuntimeError: no more memory"
    log.write_text("".join(LOG.splitlines(keepends=True)[:6]))
    assert last_lines(log, 1) == "RuntimeError: no more memory"
    log.write_text("srun: error: Unable to create step\n")
    assert last_lines(log, 1) == "srun: error: Unable to create step"
    log.write_text("ladon: expected a disk\nsrun: error: gpu2: task 1: Exited with exit code 1\n")
    assert last_lines(log, 1) == "ladon: expected a disk"
    log.write_text("".join(LOG.splitlines(keepends=True)[:3]) + "Timed out waiting\n")
    assert last_lines(log, 1) == "Timed out waiting"
