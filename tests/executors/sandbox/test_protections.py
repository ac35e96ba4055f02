"""What each sandbox says that it protects, which is chosen, and the rules behind the messages."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from executors.sandbox import (
    LAYERS,
    STRONGEST_FIRST,
    Apptainer,
    Availability,
    Bubblewrap,
    Limits,
    Plain,
    SandboxUnavailableError,
    named,
    strongest,
    unprotected,
)
from executors.sandbox import bubblewrap as bubblewrap_module
from executors.sandbox import plain as plain_module
from executors.sandbox.inside import audit, seccomp
from executors.sandbox.interpreter import environment, packages

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


def test_layers_are_named_and_honest() -> None:
    assert set(Bubblewrap().layers()) == set(Plain().layers()) == set(LAYERS)
    assert Apptainer().layers() == Bubblewrap().layers()
    assert not any(Plain().layers()[name] for name in ("filesystem", "pid", "disk"))
    assert all(Plain().layers()[name] for name in ("environment", "cpu", "file_size"))
    assert len(unprotected(Plain())) >= 3
    assert "filesystem: not ensured: sees no file of the host" in unprotected(Plain())[1]


def test_layers_without_a_filter_of_system_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_module.seccomp, "supported", lambda: False)
    assert not any(Plain().layers()[name] for name in ("network", "memory", "processes"))
    assert not Bubblewrap().layers()["memory"]
    assert not Apptainer().layers()["memory"]


@pytest.mark.sandbox
def test_strongest_is_bubblewrap_then_apptainer_then_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(STRONGEST_FIRST) == ["bubblewrap", "apptainer", "plain"]
    if Bubblewrap().available().available:
        assert strongest(Limits()).name == named("auto", Limits()).name == "bubblewrap"
    missing = Availability(False, "gone")
    monkeypatch.setattr(bubblewrap_module, "_available", lambda _: missing)
    monkeypatch.setattr(Apptainer, "available", lambda _: Availability(True, "1.4"))
    assert strongest(Limits(wall_s=3)) == Apptainer(Limits(wall_s=3))
    monkeypatch.setattr(Apptainer, "available", lambda _: Availability(False, "no image"))
    assert strongest(Limits(wall_s=3)) == Plain(Limits(wall_s=3))
    with pytest.raises(SandboxUnavailableError, match=r"bubblewrap sandbox cannot be used.*gone"):
        named("bubblewrap", Limits())
    monkeypatch.setattr(Plain, "available", lambda _: Availability(False, "no Linux"))
    says = "bubblewrap: gone; apptainer: no image; plain: no Linux"
    with pytest.raises(SandboxUnavailableError, match=says):
        strongest(Limits())


def test_unknown_sandbox() -> None:
    with pytest.raises(ValueError, match=r"auto, bubblewrap, apptainer, plain.*found 'docker'"):
        named("docker", Limits())


def test_limits_are_above_zero() -> None:
    with pytest.raises(ValueError, match="memory_mb must be above zero, found 0"):
        Limits(memory_mb=0)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_numbers_of_system_calls(machine: str) -> None:
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"no {header}: apt-get install linux-libc-dev")
    pattern = re.compile(r"#define __NR(?:3264)?_(\w+)\s+(\d+)")
    known = {name: int(number) for name, number in pattern.findall(header.read_text())}
    ours = (
        seccomp.DENIED[machine]
        | seccomp.SIGNALS[machine]
        | seccomp.QUEUED_SIGNALS[machine]
        | seccomp.FORK[machine]
        | seccomp.PIDFD
        | {"clone": seccomp.CLONE[machine], "clone3": seccomp.CLONE3}
        | {"prctl": seccomp.PRCTL[machine], "seccomp": seccomp.SECCOMP[machine]}
    )
    # A header older than a call does not know it.
    assert len(set(ours) & set(known)) > 40
    assert {name: known.get(name, number) for name, number in ours.items()} == ours


def answer(machine: str, number: int, argument: int, own_pid: int | None, forks: bool) -> int:
    """What the filter answers: a small machine for the kernel's packet filter."""
    data = {0: number, 4: seccomp.AUDIT_ARCH[machine], 16: argument}
    lines, at, register = seccomp.program(machine, own_pid, forks), 0, 0
    while True:
        code, yes, no, k = lines[at]
        at += 1
        if code == seccomp.LOAD:
            register = data[k]
        elif code == seccomp.RETURN:
            return k
        else:
            tests = {
                seccomp.EQUAL: register == k,
                seccomp.AT_LEAST: register >= k,
                seccomp.ANY_BIT: bool(register & k),
            }
            at += yes if tests[code] else no


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filter_answers(machine: str) -> None:
    def says(number: int, argument: int = 0, own: int | None = None, forks: bool = True) -> int:
        return answer(machine, number, argument, own, forks)

    thread, process, user = 0x003D0F00, 0x01200011, 0x10000000 | 17
    clone, kill = seccomp.CLONE[machine], seccomp.SIGNALS[machine]["kill"]
    for number in seccomp.DENIED[machine].values():
        assert says(number) == seccomp.EPERM
    assert says(seccomp.CLONE3) == seccomp.ENOSYS
    assert [says(clone, f) for f in (thread, process)] == [seccomp.ALLOW] * 2
    assert says(clone, user) == says(clone, user | thread, forks=False) == seccomp.EPERM
    assert says(clone, process, forks=False) == seccomp.EPERM
    assert says(clone, thread, forks=False) == seccomp.ALLOW
    for number in seccomp.FORK[machine].values():
        assert (says(number), says(number, forks=False)) == (seccomp.ALLOW, seccomp.EPERM)
    assert says(kill, 1) == says(kill, 77, own=77) == seccomp.ALLOW
    assert says(kill, 1, own=77) == says(kill, 0xFFFFFFFF, own=77) == seccomp.EPERM
    assert says(seccomp.PIDFD["pidfd_open"], own=77) == seccomp.EPERM
    assert says(seccomp.PRCTL[machine], 1, own=77) == seccomp.EPERM
    assert says(seccomp.PRCTL[machine], 15, own=77) == says(9999) == seccomp.ALLOW


def test_filter_stops_other_tables_of_calls() -> None:
    lines = seccomp.program("x86_64", None, True)
    assert lines[1:3] == [(seccomp.EQUAL, 1, 0, 0xC000003E), (seccomp.RETURN, 0, 0, seccomp.KILL)]
    assert answer("x86_64", seccomp.X32 + 41, 0, None, True) == seccomp.ENOSYS
    assert not seccomp.supported("riscv64")


@pytest.fixture
def rules(tmp_path: Path) -> audit.Rules:
    (tmp_path / "inputs").mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "other").write_text("x")
    return audit.Rules([str(tmp_path / "inputs")], [str(tmp_path / "work")])


@pytest.mark.parametrize(
    ("event", "arguments", "allowed"),
    [
        ("open", ("{}/inputs/a", "r", 0), True),
        ("open", ("{}/inputs/a", "w", 0), False),
        ("open", ("{}/inputs/a", None, os.O_RDWR), False),
        ("open", ("{}/inputs/../other", "rb", 0), False),
        ("open", ("{}/work/a", "wb", 0), True),
        ("open", ("{}/workshop", "wb", 0), False),
        ("open", ("{}/not there", "r", 0), True),
        ("open", ("/etc/shadow", "r", 0), False),
        ("open", ("/etc/localtime", "r", 0), True),
        ("open", ("/proc/1/environ", "r", 0), False),
        ("open", (5, "w", 0), True),
        ("os.listdir", ("/",), False),
        ("os.scandir", (None,), True),
        ("os.remove", ("{}/inputs/a", -1), False),
        ("os.remove", ("{}/work/a", -1), True),
        ("os.rename", ("{}/inputs/a", "{}/work/a", -1, -1), False),
        ("os.link", ("{}/inputs/a", "{}/work/a", -1, -1), True),
        ("os.symlink", ("{}/inputs/a", "{}/inputs/b", -1), False),
        ("socket.connect", (None, ("192.0.2.1", 80)), False),
        ("socket.__new__", (None, 2, 1, 0), False),
        ("socket.__new__", (None, 1, 1, 0), True),
        ("subprocess.Popen", ("ls", [], None, None), False),
        ("os.system", (b"ls",), False),
        ("os.kill", (-1, 9), False),
        ("os.kill", (999_999_999, 9), True),
        ("import", ("os", None, [], [], []), True),
    ],
)
def test_rules(
    rules: audit.Rules, tmp_path: Path, event: str, arguments: tuple[object, ...], allowed: bool
) -> None:
    filled = tuple(a.format(tmp_path) if isinstance(a, str) else a for a in arguments)
    if allowed:
        rules(event, filled)
        assert rules.attempts == []
    else:
        with pytest.raises(audit.SandboxViolation, match="the sandbox does not allow"):
            rules(event, filled)
        assert len(rules.attempts) == 1


def test_signals_to_the_parent_are_forbidden(rules: audit.Rules) -> None:
    with pytest.raises(audit.SandboxViolation, match="a signal to other processes"):
        rules("os.kill", (os.getppid(), 9))


def test_environment_is_small_and_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = environment("/work", "/tmp")
    monkeypatch.setenv("SECRET_KEY", "x")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    assert environment("/work", "/tmp") == before
    assert before["OMP_NUM_THREADS"] == "1"
    assert len(before) < 20


def test_only_folders_of_installed_packages_are_shown(tmp_path: Path) -> None:
    site, project = tmp_path / "lib" / "site-packages", tmp_path / "project"
    site.mkdir(parents=True)
    project.mkdir()
    path = ["", str(project), str(site), str(tmp_path / "site-packages"), str(site)]
    assert packages(path) == (site,)
