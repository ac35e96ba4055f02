"""Apptainer's command line and configuration, what it needs, and that all of it dies together."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from executors.sandbox import (
    Apptainer,
    Availability,
    Bubblewrap,
    Limits,
    Sandbox,
    SandboxStartError,
    SandboxUnavailableError,
    named,
)
from executors.sandbox import apptainer as apptainer_module
from executors.sandbox import apptainer_command as line
from executors.sandbox.apptainer import IMAGE
from executors.sandbox.interpreter import FLAGS, PROGRAM
from executors.sandbox.namespaces import first_process, numbers
from tests.executors.sandbox.conftest import Host, made
from tests.images import image

PLAN = line.Plan(
    image=Path("/images/sand box.sif"),
    folder=Path("/tmp/ladon-sandbox-x"),
    limits=Limits(writable_mb=64),
    readonly={"events.root": Path('/data/it\'s "here", a:b.root')},
    uid=1879048256,
)
KINDS = ["apptainer", "apptainer user namespace"]
SEES = """
import ctypes
import os

PLACES = ("/", "/dev", "/etc", "/inputs", "/opt/ladon", "/run", "/solution", "/tmp", "/usr", "/var",
          "/var/tmp", "/worker", "/worker/inside", "/dev/shm", "/home", "/mnt", "/.singularity.d")


def writes():
    c = ctypes.CDLL(None)
    found = []
    for place in PLACES:
        fd = c.open(os.path.join(place, "new").encode(), os.O_CREAT | os.O_WRONLY, 0o600)
        if fd >= 0:
            c.close(fd)
            found.append(place)
    return found


def fills():
    written = 0
    try:
        for number in range(100):
            with open(f"/tmp/{number}", "wb", 0) as file:
                for _ in range(10):
                    written += file.write(bytes(1 << 20))
    except OSError as error:
        return [written >> 20, error.errno]
    return [written >> 20, 0]


def about():
    with open("/dev/urandom", "rb") as file:
        random = len(file.read(8))
    return {"uid": os.getuid(), "random": random, "variables": sorted(os.environ),
            "processes": os.path.exists("/proc/self"), "host": os.uname().nodename,
            "interfaces": os.path.exists("/sys/class/net")}
"""


def mounts(words: list[str]) -> dict[str, tuple[str, bool]]:
    """Destination -> (source, whether it can be written), read as Apptainer reads them."""
    found = {}
    start = words.index("apptainer")
    for option, value in itertools.pairwise(words[start:]):
        if option == "--mount":
            (fields,) = csv.reader([value])
            assert fields[0] == "type=bind"
            named = dict(field.split("=", 1) for field in fields if "=" in field)
            found[named["destination"]] = (named["source"], "ro" not in fields)
    return found


def test_command_mounts_what_is_named_and_nothing_else() -> None:
    found = mounts(line.command(PLAN, ("-m", "inside", "{}")))
    folder = str(PLAN.folder)
    assert found == {
        "/dev": (f"{folder}/writable/dev", False),
        "/tmp": (f"{folder}/writable/tmp", True),
        "/dev/shm": (f"{folder}/writable/shm", True),
        "/worker/inside": (str(PROGRAM), False),
        "/solution/solution.py": (f"{folder}/solution.py", False),
        "/inputs/events.root": ('/data/it\'s "here", a:b.root', False),
    }


def test_command_contains_and_forgets() -> None:
    words = line.command(PLAN, ("-m", "inside", "{}"))
    for option in ("--containall", "--cleanenv", "--no-home", "--no-privs", "--net", "--uts"):
        assert option in words
    assert words[words.index("--network") + 1] == "none"
    inside = words[words.index("/images/sand box.sif") + 1 :]
    assert inside[:2] == ["/usr/bin/env", "-i"]
    assert inside[-3 - len(FLAGS) - 1 :] == [line.PYTHON, *FLAGS, "-m", "inside", "{}"]
    # Memory for all that is written: two folders, and what processes share.
    assert words[words.index("sh") + 4] == str(2 * 64 + 16)
    assert "--writable" not in words
    assert "--nv" not in words


def test_root_becomes_nobody_and_others_take_a_namespace() -> None:
    root = line.command(PLAN, ())
    user = line.command(dataclasses.replace(PLAN, uid=None, user_namespace=True), ())
    security = [b for a, b in itertools.pairwise(root) if a == "--security"]
    assert security == ["uid:1879048256", "gid:1879048256"]
    assert "--security" not in user
    assert user[:6] == [*root[:4], "--user", "--map-root-user"]


def test_configuration_mounts_nothing_of_the_host() -> None:
    settings = dict(entry.split(" = ") for entry in line.CONFIGURATION.splitlines()
                    if not entry.endswith("="))  # fmt: skip
    mounted = [settings[f"mount {name}"] for name in
               ("dev", "devpts", "home", "hostfs", "proc", "sys", "tmp")]  # fmt: skip
    assert mounted == ["no"] * 7
    assert settings["root default capabilities"] == "no"


@pytest.mark.apptainer
def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made("apptainer", Limits())
    monkeypatch.delenv(IMAGE, raising=False)
    available, reason = Apptainer().available()
    assert not available
    assert f"build one with containers/build.sh sandbox and set {IMAGE}" in reason
    monkeypatch.setenv(IMAGE, str(tmp_path / "none.sif"))
    assert f"no image at {tmp_path}/none.sif" in Apptainer().available().reason
    (tmp_path / "empty").mkdir()
    found = Apptainer(image=tmp_path / "empty").available()
    assert not found.available
    assert "did not start the Python of" in found.reason
    with pytest.raises(SandboxUnavailableError, match="apptainer sandbox cannot be used: there is"):
        Apptainer().open("")
    monkeypatch.setattr(apptainer_module.shutil, "which", lambda _: None)
    apptainer_module._available.cache_clear()
    try:
        assert "there is no apptainer program: install" in Apptainer().available().reason
    finally:
        apptainer_module._available.cache_clear()


@pytest.mark.apptainer
def test_image_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    made("apptainer", Limits())
    monkeypatch.setenv(IMAGE, str(image("sandbox")))
    found = Apptainer().available()
    assert found.available
    assert str(image("sandbox")) in found.reason
    assert named("apptainer", Limits()).available() == found


@pytest.mark.apptainer
def test_image_is_named_by_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It goes before the environment's, for those that need one; the others do not mind."""
    path = image("sandbox")
    monkeypatch.setenv(IMAGE, str(tmp_path / "another"))
    sandbox = named("apptainer", Limits(), path)
    with sandbox.open("def f():\n    return 1\n") as worker:
        assert worker.call("f").value == 1
    assert str(path) in sandbox.available().reason
    assert named("plain", Limits(), path).name == "plain"
    with pytest.raises(SandboxUnavailableError, match=f"no image at {tmp_path}/another"):
        named("apptainer", Limits())


def test_auto_takes_the_image_where_bubblewrap_does_not_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def works(there: bool) -> Callable[[Sandbox], Availability]:
        return lambda _: Availability(there, "as the test says")

    monkeypatch.setattr(Bubblewrap, "available", works(False))
    monkeypatch.setattr(Apptainer, "available", works(True))
    assert named("auto", Limits(), tmp_path) == Apptainer(Limits(), tmp_path)
    monkeypatch.setattr(Bubblewrap, "available", works(True))
    assert named("auto", Limits(), tmp_path) == Bubblewrap(Limits())


@pytest.mark.apptainer
@pytest.mark.sandbox
@pytest.mark.parametrize("kind", KINDS)
def test_little_can_be_written_and_seen(kind: str, host: Host) -> None:
    with made(kind, Limits(writable_mb=32)).open(SEES) as worker:
        assert worker.call("writes").value == ["/tmp", "/dev/shm"]
        found = worker.call("about")
        about = found.value
        assert about, found
        assert about["random"] == 8
        assert (about["processes"], about["interfaces"]) == (False, False)
        assert about["host"] == "sandbox"
        assert not [name for name in about["variables"] if "APPTAINER" in name or "SINGUL" in name]
        assert about["uid"] != 0 or kind.endswith("namespace") or os.geteuid()
        written, number = worker.call("fills").value
        assert (written, number) == (2 * 32 + 16, 28)  # ENOSPC


@pytest.mark.apptainer
@pytest.mark.sandbox
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_when_the_host_is_killed(kind: str, tmp_path: Path) -> None:
    """The worker and its daemon die with a host that has no time to clean up."""
    made(kind, Limits())
    script = tmp_path / "host.py"
    does = "os.fork()" if kind == "apptainer" else "pass"
    script.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from executors.sandbox import Apptainer, Limits\n"
        f"code = 'import os, time\\ndef f():\\n    {does}\\n'\n"
        "code += '    while True: time.sleep(1)\\n'\n"
        f"sandbox = Apptainer(Limits(), Path({str(image('sandbox'))!r}), {kind != 'apptainer'})\n"
        "with sandbox.open(code) as worker:\n"
        "    print('ready', flush=True)\n"
        "    worker.call('f')\n"
    )
    root = Path(__file__).parents[3]
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    variables = os.environ | {"PYTHONPATH": path, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, str(script)], cwd=root, env=variables, stdout=subprocess.PIPE
    ) as host:
        try:
            assert host.stdout is not None
            assert host.stdout.readline() == b"ready\n"
            time.sleep(1)
            family = psutil.Process(host.pid).children(recursive=True)
            assert len(family) >= 3  # Apptainer, the namespace's first process, the worker
        finally:
            host.kill()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    # Its memory went with its namespace: what is left of the folder holds nothing.
    (folder,) = tmp_path.glob("ladon-sandbox-*")
    assert list((folder / "writable").iterdir()) == []


@pytest.mark.apptainer
@pytest.mark.sandbox
def test_apptainer_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = made("apptainer", Limits())
    command = line.command
    monkeypatch.setattr(
        line, "command", lambda *a: [w.replace("--uts", "--no-such-option") for w in command(*a)]
    )
    with pytest.raises(SandboxStartError, match="no-such-option"), sandbox.open(""):
        pass


@pytest.mark.apptainer
@pytest.mark.sandbox
@pytest.mark.parametrize("kind", KINDS)
def test_starts_in_less_than_four_seconds(kind: str) -> None:
    sandbox = made(kind, Limits())
    times = []
    for _ in range(3):
        start = time.monotonic()
        with sandbox.open("def f():\n    return 1\n") as worker:
            times.append(time.monotonic() - start)
            assert worker.call("f").value == 1
    # The best of three: the machine may be busy with something else.
    assert min(times) < 4


def test_a_process_without_a_namespace_of_its_own() -> None:
    with subprocess.Popen(["sleep", "30"]) as process:
        assert numbers(process.pid)[-1] == process.pid
        assert first_process(os.getpid()) is None
        process.kill()
    assert numbers(2**22 + 1) == []
