"""A warm worker: what it keeps, what it says of errors and prints, what it costs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import awkward as ak
import numpy as np
import pandas as pd
import psutil
import pytest

from executors.sandbox import (
    Bubblewrap,
    Limits,
    Sandbox,
    SandboxInputError,
    SandboxStartError,
    SandboxUnavailableError,
    UnsupportedValueError,
)
from executors.sandbox import bubblewrap as bubblewrap_module
from executors.sandbox import plain as plain_module
from tests.benchmarks.peak import sizes
from tests.executors.sandbox.conftest import Host, made

pytestmark = pytest.mark.sandbox

SOLUTION = '''"""A solution."""
import sys

import awkward as ak
import numpy as np

BRANCHES = ["photon_pt", "met"]
calls = 0


def convert(events):
    global calls
    calls += 1
    print("call", calls)
    print("warned", file=sys.stderr)
    return {"n": ak.to_numpy(ak.num(events.photon_pt)), "met": events.met, "calls": calls}


def fails(events):
    def inner():
        return np.zeros(2)[events]

    return inner()


def best(s, b, *, significance):
    return significance(s, b)


def read(path):
    with open(path) as file:
        return file.read()


def uses(seconds):
    import time

    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return np.ones(20_000_000)[0]


class Model:
    pass
'''


def test_warm_worker(sandbox: Sandbox, host: Host) -> None:
    events = ak.Array({"photon_pt": [[50.0, 30.0], [], [20.0]], "met": [1.0, 2.0, 3.0]})
    start = time.monotonic()
    with sandbox.open(SOLUTION, {"events.txt": host.input_file}) as worker:
        assert worker.loaded.ok
        assert worker.read("BRANCHES").value == ["photon_pt", "met"]
        for number in (1, 2):
            result = worker.call("convert", [events])
            assert result.ok, result
            assert result.value["n"].tolist() == [2, 0, 1]
            assert result.value["met"].tolist() == [1.0, 2.0, 3.0]
            assert result.value["calls"] == number
            assert (result.stdout, result.stderr) == (f"call {number}\n", "warned\n")
        asimov = {"s": 3.0, "b": 10.0, "significance": {"__builtin__": "asimov_z"}}
        assert worker.call("best", asimov).value == pytest.approx(0.9063503)
        assert worker.call("read", [worker.inputs["events.txt"]]).value == "the events"

        failed = worker.call("fails", [7])
        assert failed.status == "exception"
        assert (failed.exception_type, failed.line) == ("IndexError", 21)
        assert failed.message == "index 7 is out of bounds for axis 0 with size 2"
        assert failed.traceback.splitlines()[1:3] == [
            '  File "/solution/solution.py", line 23, in fails',
            "    return inner()",
        ]
        missing = worker.call("measure", [])
        assert missing.exception_type == "NameError"
        assert missing.message == "name 'measure' is not defined in the solution"
        assert worker.read("Model").exception_type == "ReturnTypeError"

        used = worker.call("uses", [0.3])
        assert 0.25 <= used.cpu_s < 3
        assert used.wall_s >= 0.29
        assert 60 < used.max_rss_mb < 1024
        assert worker.alive
        with pytest.raises(UnsupportedValueError, match="type 'set'"):
            worker.call("convert", [{1, 2}])
        assert worker.call("convert", [events]).value["calls"] == 3
    assert not worker.alive
    assert time.monotonic() - start < 20


def test_each_worker_is_fresh() -> None:
    code = "import numpy as np\ndef f():\n    found = hasattr(np, 'spoiled')\n    np.spoiled = 1\n"
    code += "    open('left', 'a').close()\n    import os\n    return [found, os.listdir('.')]\n"
    for _ in range(2):
        with made("bubblewrap", Limits()).open(code) as worker:
            assert worker.call("f").value == [False, ["left"]]


KEPT = {
    "a table": lambda n: pd.DataFrame({"a": np.full(5000, n), "b": np.full(5000, -n)}),
    "an array": lambda n: np.full(50_000, n),
    "events": lambda n: ak.Array({"pt": ak.unflatten(np.full(9000, n), np.full(3000, 3))}),
}


@pytest.mark.parametrize("what", KEPT)
@pytest.mark.parametrize("inner", [False, True], ids=["itself", "a part of it"])
def test_what_a_solution_keeps_stays_as_it_was(what: str, inner: bool) -> None:
    """The memory that it came by is used again for the next call."""
    part = "value[1:]" if inner else "value"
    code = f"kept = []\ndef f(value):\n    kept.append({part})\n    return kept[0]\n"
    with made("bubblewrap", Limits()).open(code) as worker:
        right = KEPT[what](1.0)[1:] if inner else KEPT[what](1.0)
        for number in (1.0, 2.0, 3.0):
            found = worker.call("f", [KEPT[what](number)])
            assert found.ok, found
            if isinstance(right, pd.DataFrame):
                assert (found.value.to_numpy() == right.to_numpy()).all()
            else:
                assert ak.array_equal(found.value, right)


def test_what_nobody_keeps_is_given_back() -> None:
    """The mapping of a call's arguments ends with the call, or it would be copied each time."""
    code = (
        "import numpy as np\n"
        "def f(events, table, keep):\n"
        "    total = float(table.a.sum())\n"
        "    first = events[events.pt[:, 0] > 0]\n"
        "    global kept\n"
        "    kept = first.pt if keep else None\n"
        "    return [total, len(first), float(np.sqrt(table.a).sum())]\n"
    )

    def mapped() -> int:
        found = 0
        for child in psutil.Process().children(recursive=True):
            with suppress(OSError):  # it belonged to the test before, and has just ended
                found += Path(f"/proc/{child.pid}/maps").read_text().count("ladon-input")
        return found

    with made("bubblewrap", Limits()).open(code) as worker:
        for keep in (False, True, False):
            given = [KEPT["events"](1.0), KEPT["a table"](1.0), keep]
            assert worker.call("f", given).value == [5000.0, 3000, 5000.0]
            assert mapped() == keep


def test_what_a_large_call_has_freed_goes_back_to_the_system() -> None:
    """200 MB in pieces below something that stays: the C library keeps them by itself."""
    code = (
        "import numpy as np\nkept = []\n"
        "def f(n):\n    parts = [np.ones(10_000) for _ in range(n)]\n"
        "    kept.append(np.ones(10_000))\n    return np.concatenate(parts)\n"
    )

    with made("bubblewrap", Limits()).open(code) as worker:
        here = psutil.Process().pid
        before = {pid: size["anon"] for pid, size in sizes(psutil.Process()).items()}
        assert len(worker.call("f", [2500]).value) == 25_000_000
        after = {pid: size["anon"] for pid, size in sizes(psutil.Process()).items()}
    grown = [size - before[pid] for pid, size in after.items() if pid in before and pid != here]
    assert max(grown) < 50


@pytest.mark.parametrize(
    ("code", "kind", "line"),
    [
        ("import math\nx = (1,\n", "SyntaxError", 2),
        ("import numpy\nimport not_there\n", "ModuleNotFoundError", 2),
        ("\n\nraise ValueError('no')\n", "ValueError", 3),
    ],
)
def test_solution_that_cannot_be_imported(code: str, kind: str, line: int) -> None:
    with made("bubblewrap", Limits()).open(code) as worker:
        assert worker.loaded.status == "exception"
        assert (worker.loaded.exception_type, worker.loaded.line) == (kind, line)
        assert worker.call("convert", [1]) == worker.loaded
        assert worker.read("BRANCHES") == worker.loaded


def test_starts_about_as_fast_as_python_with_the_same_packages() -> None:
    """In turns, the best of three of each: the machine may be busy with something else."""
    sandbox = made("bubblewrap", Limits())
    packages = "import numpy, pandas, awkward, pyarrow"
    bare, times = [], []
    for _ in range(3):
        start = time.monotonic()
        subprocess.run([sys.executable, "-c", packages], check=True)
        bare.append(time.monotonic() - start)
        start = time.monotonic()
        with sandbox.open("def f():\n    return 1\n") as worker:
            times.append(time.monotonic() - start)
            assert worker.call("f").value == 1
    assert min(times) < 3 * min(bare)


def test_works_within_little_memory() -> None:
    limits = Limits(memory_mb=400, writable_mb=1, processes=1, output_kb=1)
    with made("bubblewrap", limits).open("def f(x):\n    return x.sum()\n") as worker:
        assert worker.call("f", [np.ones(1000)]).value == 1000


def test_arguments_grow_beyond_the_first_memory() -> None:
    limits = Limits(memory_mb=600)
    with made("bubblewrap", limits).open("def f(x):\n    return x[::2]\n") as worker:
        for length in (10, 5_000_000, 10, 8_000_000):
            numbers = np.arange(length, dtype=np.float64)
            assert np.array_equal(worker.call("f", [numbers]).value, numbers[::2])


def test_result_over_the_memory_limit() -> None:
    code = "import numpy as np\ndef f():\n    one = np.ones(10**7)\n    return [one] * 10\n"
    with made("bubblewrap", Limits(memory_mb=500)).open(code) as worker:
        result = worker.call("f")
        assert result.status == "memory"
        assert "over the memory limit" in result.message


def test_nothing_is_left_when_the_host_is_killed(tmp_path: Path) -> None:
    """The worker and its daemon die with a host that has no time to clean up."""
    script = tmp_path / "host.py"
    script.write_text(
        "import sys, time\n"
        "from executors.sandbox import Bubblewrap\n"
        "code = 'import os, time\\ndef f():\\n    if os.fork() == 0:\\n        os.setsid()\\n'\n"
        "code += '        while True: time.sleep(1)\\n'\n"
        "with Bubblewrap().open(code) as worker:\n"
        "    assert worker.call('f').ok\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(100)\n"
    )
    made("bubblewrap", Limits())
    root = Path(__file__).parents[3]
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    with subprocess.Popen(
        [sys.executable, str(script)],
        cwd=root,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
    ) as host:
        try:
            assert host.stdout is not None
            assert host.stdout.readline() == b"ready\n"
            family = psutil.Process(host.pid).children(recursive=True)
            assert len(family) >= 4  # bwrap, its first process, the worker, its daemon
        finally:
            host.kill()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


@pytest.mark.parametrize("name", ["../up", "a/b", "", "-rf", "with space"])
def test_names_of_inputs(name: str, tmp_path: Path) -> None:
    with pytest.raises(SandboxInputError, match="plain file name"):
        made("plain", Limits()).open("", {name: tmp_path})


def test_inputs_and_solutions_that_are_not_there(tmp_path: Path) -> None:
    sandbox = made("plain", Limits())
    with pytest.raises(SandboxInputError, match=r"expected input 'x' at .*found nothing"):
        sandbox.open("", {"x": tmp_path / "no"})
    with pytest.raises(SandboxInputError, match="expected a file with the solution"):
        sandbox.open(tmp_path / "no.py")


def test_solution_given_as_a_file_may_have_an_awkward_path(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s a "path" here'
    folder.mkdir()
    (folder / "solution.py").write_text("def f(path):\n    return open(path).read()\n")
    (folder / "in put").write_text("42")
    for kind in ("bubblewrap", "plain"):
        readonly = {"x": folder / "in put"}
        with made(kind, Limits()).open(folder / "solution.py", readonly) as worker:
            assert worker.call("f", [worker.inputs["x"]]).value == "42"


def test_bubblewrap_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = made("bubblewrap", Limits())
    bad = ["--ro-bind", "/no/such/folder", "/x"]
    command = bubblewrap_module.bwrap.command
    monkeypatch.setattr(
        bubblewrap_module.bwrap, "command", lambda *a: [*command(*a)[:1], *bad, *command(*a)[1:]]
    )
    with (
        pytest.raises(SandboxStartError, match="/no/such/folder"),
        sandbox.open("def f():\n    return 1\n"),
    ):
        pass


def test_program_inside_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    made("plain", Limits())
    monkeypatch.setattr(plain_module.interpreter, "FLAGS", ("-S", "-P", "-c", "1/0"))
    with (
        pytest.raises(SandboxStartError, match="ZeroDivisionError"),
        plain_module.Plain().open(""),
    ):
        pass


def test_missing_program_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap_module.shutil, "which", lambda _: None)
    bubblewrap_module._available.cache_clear()
    try:
        assert not Bubblewrap().available().available
        with pytest.raises(SandboxUnavailableError, match="install the package bubblewrap"):
            Bubblewrap().open("")
    finally:
        bubblewrap_module._available.cache_clear()
