"""Each hostile solution, from the coder's reply to the verdict, ends as its file says."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from executors.sandbox.watchdog import Watchdog
from pipeline.files import read_json
from pipeline.judge.taxonomy import CATEGORIES
from tests.conftest import REPOSITORY
from tests.hostile.attack import Attack, all_attacks, knowledge, wall_s
from tests.hostile.chain import LIMITS, Chain, Ending
from tests.hostile.conftest import Host, StubbornModel

pytestmark = pytest.mark.sandbox

ATTACKS = all_attacks()


@pytest.mark.parametrize("attack", [pytest.param(a, id=a.name) for a in ATTACKS])
def test_attack_ends_as_its_file_says(attack: Attack, chain: Chain, host: Host) -> None:
    model = StubbornModel(attack.code(knowledge(chain, host.secret_file, host.canary)))
    limits = replace(LIMITS, wall_s=wall_s(attack))
    ending = chain.solve(attack.name, attack.stage, model, limits)
    if attack.caught_by == "contained":
        assert (ending.caught_by, ending.failure) == ("nobody", {})
        SEEN[attack.name](printed(ending))
    else:
        found = ending.failure
        expected = (attack.caught_by, attack.category, attack.attribution)
        assert (ending.caught_by, found["category"], found["attribution"]) == expected, found
    told = "\n".join(model.prompts)
    kept = [path.read_bytes() for path in ending.folder.rglob("*") if path.is_file()]
    for trace in (host.secret, "root:x:", str(chain.folder)):
        assert trace not in told
        assert not any(trace.encode() in content for content in kept)
    # `host` now looks for what is left over.


def printed(ending: Ending) -> str:
    """What the solution printed on the bench."""
    lines = (ending.folder / "trajectory.jsonl").read_text(encoding="utf-8").splitlines()
    [evidence] = [entry for entry in map(json.loads, lines) if entry["kind"] == "evidence"]
    return str(evidence["stdout"])


def nothing_of_ours(text: str) -> None:
    assert "ours: ['None', 'None', 'None']" in text


def nobody_else(text: str) -> None:
    assert "modules: []" in text
    line = next(line for line in text.splitlines() if line.startswith("frames: "))
    of_the_sandbox = {"__main__.py", "zygote.py", "<frozen runpy>"}
    assert (
        {"solution.py"}
        < set(ast.literal_eval(line.removeprefix("frames: ")))
        <= ({"solution.py"} | of_the_sandbox)
    )
    assert "pipeline" not in text


def the_sandbox_itself(text: str) -> None:
    names = "root: . .. dev inputs lib lib64 packages python solution tmp usr work worker"
    assert set(text.splitlines()[0].split()) <= set(names.split())


def a_few_variables(text: str) -> None:
    found = ast.literal_eval(text.splitlines()[0].removeprefix("environment: "))
    assert len(found) < 25
    assert dict(found)["HOME"] == "/work"


def nothing(text: str) -> None:
    assert text == ""


SEEN: dict[str, Callable[[str], None]] = {
    "reads_the_reference_quietly": nothing_of_ours,
    "looks_into_memory": nobody_else,
    "lists_root": the_sandbox_itself,
    "reads_the_environment": a_few_variables,
    "leaves_a_daemon": nothing,
}
"""Contained attacks, and what they may have seen."""


def test_there_are_enough_attacks_and_each_makes_sense() -> None:
    assert len(ATTACKS) >= 60
    assert {a.name for a in ATTACKS if a.caught_by == "contained"} == set(SEEN)
    for attack in ATTACKS:
        assert attack.category == "none" or attack.category in CATEGORIES, attack.path
        assert attack.attribution == "model", attack.path
    assert {a.stage for a in ATTACKS} >= {"inspect", "convert", "preprocess", "classify", "measure"}


def test_the_same_attack_in_every_round_is_no_progress(chain: Chain, host: Host) -> None:
    [attack] = [a for a in ATTACKS if a.name == "reads_passwd"]
    ending = chain.solve("again", "preprocess", StubbornModel(attack.code({})), max_rounds=3)
    assert ending.attempts["rounds"] == 3
    assert (ending.failure["category"], ending.failure["attribution"]) == ("no progress", "model")
    assert ending.attempts["cause"] == "sandbox violation"


def test_an_answer_that_comes_as_time_runs_out_is_a_timeout(
    chain: Chain, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watchdog ends the process between the answer and our look at it: no fault of ours."""
    finish = Watchdog.finish

    def late(self: Watchdog) -> float:
        time.sleep(0.0 if self.limits.wall_s > 10 else 2.5)
        return finish(self)

    monkeypatch.setattr(Watchdog, "finish", late)
    [attack] = [a for a in ATTACKS if a.name == "stores_its_first_answer"]
    ending = chain.solve(
        "late", "preprocess", StubbornModel(attack.code({})), replace(LIMITS, wall_s=2.0)
    )
    assert (ending.failure["category"], ending.failure["attribution"]) == ("timeout", "model")


def test_workers_of_a_conversion_leave_nothing_behind(chain: Chain, host: Host) -> None:
    """The daemon of a solution of convert, in worker processes as a real run has them."""
    [mev] = [a for a in ATTACKS if a.name == "mev"]
    honest = mev.code({}).partition("honest = convert")[0]
    daemon = (
        "import os\nimport time\n\nif os.fork() == 0:\n    os.setsid()\n"
        "    while True:\n        time.sleep(1)\n"
    )
    site = replace(chain.settings.site, executor="processes", workers=2)
    workers = replace(chain, settings=replace(chain.settings, site=site))
    ending = workers.solve("daemons", "convert", StubbornModel(honest + daemon), judged=False)
    assert (ending.caught_by, ending.failure) == ("nobody", {})
    command = ["-m", "pipeline.steps.execute", "--owner", "points/daemons", "--stage", "convert"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(host.temporary)}
    subprocess.run([sys.executable, *command], cwd=chain.folder, env=environment, check=True)
    assert read_json(ending.folder / "record.json")["status"] == "ok"
