"""Every hostile solution is contained as its file says, and leaves nothing behind."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from executors.sandbox import Limits, SandboxClosedError, SandboxResult
from tests.executors.sandbox.conftest import Host, made

pytestmark = pytest.mark.sandbox

FOLDER = Path(__file__).parent / "hostile"
SEEN_AT_ROOT = set(
    ". .. dev inputs lib lib64 packages python solution tmp usr work worker".split()  # noqa: SIM905
)


SEEN_IN_IMAGE = {
    ".", "..", ".exec", ".run", ".shell", ".singularity.d", ".test", "bin", "boot", "dev",
    "environment", "etc", "home", "inputs", "lib", "lib64", "media", "mnt", "opt", "proc", "root",
    "run", "sbin", "singularity", "solution", "srv", "sys", "tmp", "usr", "var", "worker",
}  # fmt: skip
"""The folders of Debian, Apptainer's own, and ours: of the host they are not."""


@dataclass(frozen=True)
class Attack:
    """One hostile file and the status that its docstring promises."""

    path: Path
    expected: str
    plain: str | None
    apptainer: str
    """As expected, but where its docstring says otherwise."""


def attacks() -> list[Attack]:
    found = []
    for path in sorted(FOLDER.glob("*.py")):
        text = path.read_text()
        expected = re.search(r"^Expected: (\w+)", text, re.MULTILINE)
        plain = re.search(r"^Plain: (\w+)", text, re.MULTILINE)
        assert expected, f"{path.name} does not say what is expected"
        other = re.search(r"^Apptainer: (\w+)", text, re.MULTILINE)
        apptainer = other[1] if other else expected[1]
        found.append(Attack(path, expected[1], plain[1] if plain else None, apptainer))
    return found


ATTACKS = attacks()
IN_IMAGE = {
    "computes_for_ever", "deletes_inputs_behind_the_hook", "fills_shared_memory",
    "forks_without_end", "kills_all_processes", "kills_its_parent_behind_the_hook",
    "leaves_daemon", "lists_root_behind_the_hook", "makes_a_namespace",
    "opens_socket_behind_the_hook", "reads_environment", "reads_other_environments",
    "reads_passwd_behind_the_hook", "reads_secret_file", "sends_garbage", "writes_many_files",
    "writes_outside_behind_the_hook",
}  # fmt: skip
"""One or two attacks on each layer: with the image these are tried by `make test` too."""


def case(kind: str, attack: Attack, expected: str) -> object:
    """The parameters of one test, with its marks and its name."""
    name = attack.path.stem
    marks = [pytest.mark.apptainer] if kind == "apptainer" else []
    if kind != "zygote" and (kind != "apptainer" or name not in IN_IMAGE):
        marks.append(pytest.mark.slow)
    suffix = "" if kind == "bubblewrap" else f"-{kind}"
    return pytest.param(kind, attack.path, expected, id=f"{name}{suffix}", marks=marks)


CASES = [case("bubblewrap", attack, attack.expected) for attack in ATTACKS]
CASES += [case("zygote", attack, attack.expected) for attack in ATTACKS]
CASES += [case("apptainer", attack, attack.apptainer) for attack in ATTACKS]
CASES += [case("plain", attack, attack.plain) for attack in ATTACKS if attack.plain]


def attacked(kind: str, path: Path, host: Host, expected: str) -> SandboxResult:
    limits = Limits(
        cpu_s=host.mark if expected == "cpu" else 30 * host.mark,
        wall_s=1.0 if expected == "timeout" else 30,
        memory_mb=1024,
        processes=12,
        file_mb=16,
        output_kb=64,
        writable_mb=48,
    )
    sandbox = made(kind, limits)
    with sandbox.open(path, {"events": host.input_file}) as worker:
        numbers = np.arange(5.0)
        info = {
            "secret": str(host.secret_file),
            "input": worker.inputs["events"],
            "numbers": numbers,
        }
        result = worker.call("attack", [info])
        assert numbers.tolist() == [0, 1, 2, 3, 4]
        if result.status in ("timeout", "cpu", "killed", "protocol", "output_limit"):
            assert not worker.alive
        if not worker.alive and worker.loaded.ok:
            with pytest.raises(SandboxClosedError, match="open another"):
                worker.call("attack", [info])
    return result


@pytest.mark.parametrize(("kind", "path", "expected"), CASES)
def test_attack_is_contained(kind: str, path: Path, expected: str, host: Host) -> None:
    result = attacked(kind, path, host, expected)
    assert result.status == expected, result
    assert host.secret not in repr(result)
    assert "root:" not in repr(result)
    check = CHECKS.get(path.stem)
    if check:
        check(result, kind)
    # `host` now looks for what is left over.


def returns_nothing_but_numbers(result: SandboxResult, kind: str) -> None:
    assert result.exception_type == "ReturnTypeError"


def denied(result: SandboxResult, kind: str) -> None:
    assert result.value["errno"] == 1  # EPERM
    (numbers,) = [v for v in result.value.values() if isinstance(v, list)]
    assert set(numbers) == {-1}


def failed(result: SandboxResult, kind: str) -> None:
    assert set(result.value) == {-1}


def sees_itself(result: SandboxResult, kind: str) -> None:
    expected = SEEN_IN_IMAGE if kind == "apptainer" else SEEN_AT_ROOT
    assert {"solution", "worker"} < set(result.value) <= expected


def no_such_file(result: SandboxResult, kind: str) -> None:
    assert result.value == {"errno": 2}


def small_environment(result: SandboxResult, kind: str) -> None:
    assert result.value["HOME"] == result.value["PWD"] if kind != "plain" else True
    assert len(result.value) < 25


def exit_zero(result: SandboxResult, kind: str) -> None:
    assert (result.exit_code, result.signal) == (0, None)


def segmentation_fault(result: SandboxResult, kind: str) -> None:
    assert result.signal == signal.SIGSEGV


def end_is_kept(result: SandboxResult, kind: str) -> None:
    assert 0 < len(result.stdout) <= 16_384
    assert set(result.stdout) <= {"x", "\n"}


def says_network(result: SandboxResult, kind: str) -> None:
    assert result.exception_type == "SandboxViolation"
    assert "network" in result.message
    assert "network" in result.violations[0]


def says_limit(result: SandboxResult, kind: str) -> None:
    assert result.exception_type == "OSError"
    assert "sandbox:" in result.message


def host_is_unharmed(result: SandboxResult, kind: str) -> None:
    assert np.sum(result.value) == 10
    assert not np.allclose(1, 2)


def own_copy(result: SandboxResult, kind: str) -> None:
    assert result.value.tolist() == [-1] * 5


CHECKS = {
    "returns_objects": returns_nothing_but_numbers,
    "returns_array_of_objects": returns_nothing_but_numbers,
    "returns_itself": returns_nothing_but_numbers,
    "returns_too_much": returns_nothing_but_numbers,
    "opens_socket_behind_the_hook": denied,
    "makes_a_namespace": denied,
    "writes_outside_behind_the_hook": failed,
    "deletes_inputs_behind_the_hook": failed,
    "lists_root_behind_the_hook": sees_itself,
    "reads_passwd_behind_the_hook": no_such_file,
    "reads_environment": small_environment,
    "exits_quietly": exit_zero,
    "segfaults": segmentation_fault,
    "prints_1_gb": end_is_kept,
    "opens_socket": says_network,
    "resolves_name": says_network,
    "writes_100_gb": says_limit,
    "writes_many_files": says_limit,
    "monkey_patches_numpy": host_is_unharmed,
    "changes_its_arguments": own_copy,
}


def test_there_are_enough_attacks_and_each_check_has_one() -> None:
    names = {attack.path.stem for attack in ATTACKS}
    assert len(names) >= 25
    assert set(CHECKS) | IN_IMAGE <= names


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("user namespace", marks=pytest.mark.slow),
        pytest.param("apptainer user namespace", marks=pytest.mark.apptainer),
    ],
)
@pytest.mark.parametrize(
    "name",
    ["forks_and_gives_up", "kills_all_processes", "kills_its_parent_behind_the_hook",
     "writes_outside_behind_the_hook"],
)  # fmt: skip
def test_an_ordinary_user_is_as_safe_as_root(kind: str, name: str, host: Host) -> None:
    path = FOLDER / f"{name}.py"
    (expected,) = [a.expected for a in ATTACKS if a.path == path]
    result = attacked(kind, path, host, expected)
    assert result.status == expected, result
