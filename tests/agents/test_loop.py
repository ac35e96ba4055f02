"""The loop: who is asked what and when, what is accepted, and why it stops."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from agents.chat import Message, Usage
from agents.errors import EndpointError, ScriptError, WorkbenchError
from agents.evidence import Evidence
from agents.limits import Limits, Prices
from agents.loop import solve
from agents.outcome import BY_EVIDENCE, Outcome
from agents.trajectory import read_entries
from tests.agents.bench import (
    CODER,
    SUPERVISOR,
    TASK,
    THREE_ROUNDS,
    TWO_ROUNDS,
    CountingModel,
    ObedientBench,
    instructs,
    reviews,
    scripted,
    writes,
)

FAILS = writes("fails: KeyError: no field 'a'")


def run(model: CountingModel, folder: Path, limits: Limits | None = None) -> Outcome:
    return solve(TASK, ObedientBench(), model, folder / "trajectory.jsonl", limits=limits, seed=3)


def test_two_rounds(tmp_path: Path) -> None:
    model = scripted(tmp_path / "script", *TWO_ROUNDS)
    outcome = run(model, tmp_path)
    assert outcome.accepted
    assert outcome.stopped == "accepted"
    assert outcome.code == "# ok\nimport numpy\n"
    assert (outcome.rounds, outcome.api_calls) == (2, 5)
    assert outcome.tokens == Usage(500, 50, 5)
    assert outcome.wall_s == pytest.approx(1.25, abs=0.2)
    assert outcome.failure is None
    assert outcome.notes == ()
    assert [(v.hint, v.round) for v in outcome.hint_violations] == [("gev", 1)]
    assert [(c.role, c.round) for c in model.asked] == [
        (SUPERVISOR, 1), (CODER, 1), (SUPERVISOR, 1), (CODER, 2), (SUPERVISOR, 2),
    ]  # fmt: skip


def test_attempts_hold_what_results_need(tmp_path: Path) -> None:
    attempts = run(scripted(tmp_path / "s", *TWO_ROUNDS), tmp_path).to_attempts()
    assert attempts["tokens"] == {"prompt": 500, "completion": 50}
    assert {name: attempts[name] for name in ("schema", "solver", "rounds", "api_calls")} == {
        "schema": 1, "solver": "agent", "rounds": 2, "api_calls": 5,
    }  # fmt: skip
    assert attempts["failure"] is None
    assert attempts["code_sha256"] == hashlib.sha256(b"# ok\nimport numpy\n").hexdigest()
    assert "code" not in attempts


def said_to(model: CountingModel, number: int) -> str:
    """The user message of call `number`."""
    return model.prompts[number - 1][1].content


def test_everyone_is_told_what_they_need(tmp_path: Path) -> None:
    model = scripted(tmp_path / "script", *TWO_ROUNDS)
    run(model, tmp_path)
    assert "1. read the photons\n2. sort by pt" in said_to(model, 2)
    assert "- units" in said_to(model, 2)
    review = said_to(model, 3)
    assert "It failed: KeyError: no field 'photon_E' (line 1)" in review
    assert "# fails: KeyError" in review
    assert "hint not followed: gev: MeV" in review
    assert "1. read the photons" in review
    again = said_to(model, 4)
    assert "the branch is called photon_e" in again
    assert "1. mind the units" in again
    assert "Your module of round 1:" in again
    assert "39 rows" in said_to(model, 5)
    assert "It ran and passed every check." in said_to(model, 5)


def test_the_constant_part_comes_first(tmp_path: Path) -> None:
    model = scripted(tmp_path / "script", *TWO_ROUNDS)
    run(model, tmp_path)
    assert len({messages[0] for messages in model.prompts}) == 1
    beginnings = {said_to(model, n).split("\n# You are")[0] for n in range(1, 6)}
    assert len(beginnings) == 1
    assert "mass of the two leading photons" in beginnings.pop()


def test_repairs_errors_and_late_doubts(tmp_path: Path) -> None:
    """The last module with good evidence is frozen, though its supervisor wants another."""
    model = scripted(tmp_path / "script", *THREE_ROUNDS)
    outcome = run(model, tmp_path)
    assert outcome.accepted
    assert outcome.stopped == "max_rounds"
    assert outcome.notes == (BY_EVIDENCE,)
    assert (outcome.rounds, outcome.api_calls) == (3, 9)
    assert outcome.supervisor_errors == (
        "round 2: accepted what had failed (ValueError: 39 rows of 40 (line 1))",
    )
    repaired = model.prompts[4]
    assert repaired[2] == Message("assistant", "I forgot the block.")
    assert repaired[3].content.startswith("Your reply could not be read: expected one fenced block")


def test_the_last_good_module_outlives_a_worse_one(tmp_path: Path) -> None:
    model = scripted(
        tmp_path / "script",
        (SUPERVISOR, instructs("go")),
        (CODER, writes("ok, the first")),
        (SUPERVISOR, reviews("revise", "make it nicer")),
        (CODER, FAILS),
    )
    outcome = run(model, tmp_path, Limits(max_rounds=2))
    assert outcome.code == "# ok, the first\nimport numpy\n"
    assert outcome.notes == (BY_EVIDENCE,)
    assert outcome.failure is None


def test_no_review_is_paid_for_after_the_last_failure(tmp_path: Path) -> None:
    model = scripted(tmp_path / "script", (SUPERVISOR, instructs("go")), (CODER, FAILS))
    outcome = run(model, tmp_path, Limits(max_rounds=1))
    assert (outcome.status, outcome.stopped, outcome.code) == ("failed", "max_rounds", None)
    assert outcome.api_calls == 2
    assert outcome.failure is not None
    assert outcome.failure.category == "incorrect branch name"
    assert outcome.failure.attribution == "model"
    assert outcome.failure.evidence == "KeyError: no field 'a' (line 1)"


def test_the_same_error_is_told_and_then_ends_it(tmp_path: Path) -> None:
    model = scripted(
        tmp_path / "script",
        (SUPERVISOR, instructs("go")),
        (CODER, FAILS),
        (SUPERVISOR, reviews("revise")),
        (CODER, FAILS.replace("import numpy", "\n\nimport numpy as np")),
        (SUPERVISOR, reviews("revise")),
        (CODER, writes("fails: ValueError: another")),
        (SUPERVISOR, reviews("revise")),
        (CODER, FAILS),
    )
    outcome = run(model, tmp_path, Limits(max_rounds=9))
    assert "same error" not in said_to(model, 3)
    assert "This is the same error as in round 1." in said_to(model, 5)
    assert "same error" not in said_to(model, 7)
    assert (outcome.stopped, outcome.rounds, outcome.api_calls) == ("no_progress", 4, 8)
    assert outcome.failure is not None
    assert outcome.failure.category == "no progress"
    assert outcome.failure.cause == "incorrect branch name"
    assert outcome.failure.evidence == (
        "no progress: the same error in rounds 1, 2, 4: KeyError: no field 'a' (line 1)"
    )


@pytest.mark.parametrize(
    ("reply", "category", "calls"),
    [
        ("<!-- finish_reason: length -->\n```python\nimport", "length", 6),
        ("<!-- finish_reason: content_filter -->\n", "refusal", 6),
        ("<think>what?</think>", "refusal", 6),
        ("I will not write that.", "refusal", 9),
        (writes("ok") + writes("ok"), "contract", 9),
    ],
)
def test_a_reply_without_a_module_keeps_its_category(
    tmp_path: Path, reply: str, category: str, calls: int
) -> None:
    """What cannot be read is asked for once more; what is cut, refused or empty is not."""
    once = [(CODER, reply)] * (2 if calls == 9 else 1)
    review = [(SUPERVISOR, reviews("revise"))]
    dialogue = [(SUPERVISOR, instructs("go")), *once, *review, *once, *review, *once]
    model = scripted(tmp_path / "script", *dialogue)
    bench = ObedientBench()
    outcome = solve(TASK, bench, model, tmp_path / "t.jsonl")
    assert outcome.failure is not None
    assert (outcome.failure.category, outcome.failure.attribution) == (category, "model")
    assert (outcome.stopped, outcome.api_calls) == ("no_progress", calls)
    assert bench.tried == []
    assert "The coder's reply held no module." in said_to(model, calls // 3 + 1)


def test_a_supervisor_who_cannot_be_read_keeps_nobody_from_working(tmp_path: Path) -> None:
    model = scripted(
        tmp_path / "script",
        (SUPERVISOR, "<!-- finish_reason: length -->\n{"),
        (CODER, writes("ok")),
        (SUPERVISOR, "yes"),
        (SUPERVISOR, '{"decision": "maybe"}'),
        (CODER, writes("ok, again")),
        (SUPERVISOR, reviews("accept")),
    )
    outcome = run(model, tmp_path)
    assert outcome.stopped == "accepted"
    assert outcome.code == "# ok, again\nimport numpy\n"
    first, second = outcome.supervisor_errors
    assert first.startswith("round 1: instructions could not be read (expected a complete reply")
    assert second.startswith("round 1: review could not be read (expected another JSON object: ")


@pytest.mark.parametrize(
    ("limits", "which", "calls"),
    [
        (Limits(max_calls=3), "max_calls", 3),
        (Limits(max_tokens=330), "max_tokens", 3),
        (Limits(max_wall_s=0.75), "max_wall_s", 3),
        (Limits(max_cost=1.0, prices=Prices(per_hour=7200.0)), "max_cost", 2),
    ],
)
def test_a_limit_ends_the_stage(tmp_path: Path, limits: Limits, which: str, calls: int) -> None:
    outcome = run(scripted(tmp_path / "script", *TWO_ROUNDS), tmp_path, limits)
    assert (outcome.status, outcome.stopped, outcome.api_calls) == ("failed", "limit", calls)
    assert outcome.failure is not None
    assert outcome.failure.category == "limit"
    assert outcome.failure.cause == "incorrect branch name"
    assert f"within {which}=" in outcome.failure.evidence
    assert "before that: KeyError: no field 'photon_E'" in outcome.failure.evidence


def test_a_limit_before_the_first_round_is_over(tmp_path: Path) -> None:
    model = scripted(tmp_path / "script", *TWO_ROUNDS)
    outcome = run(model, tmp_path, Limits(max_calls=1))
    assert outcome.failure is not None
    assert outcome.failure.cause is None
    assert (outcome.rounds, outcome.api_calls) == (1, 1)


def test_a_limit_takes_no_good_module_away(tmp_path: Path) -> None:
    model = scripted(tmp_path / "script", (SUPERVISOR, instructs("go")), (CODER, writes("ok")))
    outcome = run(model, tmp_path, Limits(max_calls=2))
    assert (outcome.status, outcome.stopped) == ("accepted", "limit")
    assert outcome.notes == (BY_EVIDENCE,)


def test_supervisor_and_coder_can_be_two_models(tmp_path: Path) -> None:
    talker = scripted(tmp_path / "talker", *TWO_ROUNDS)
    writer = scripted(tmp_path / "writer", *TWO_ROUNDS)
    solve(TASK, ObedientBench(), writer, tmp_path / "t.jsonl", supervisor_model=talker)
    assert {call.role for call in talker.asked} == {SUPERVISOR}
    assert {call.role for call in writer.asked} == {CODER}


class BrokenBench:
    def __init__(self, evidence: Evidence | None = None) -> None:
        self.evidence = evidence

    def try_solution(self, code: str) -> Evidence:
        if self.evidence is not None:
            return self.evidence
        raise WorkbenchError("expected a sandbox, found none; install bubblewrap", "infrastructure")


@pytest.mark.parametrize(
    ("bench", "attribution", "category"),
    [
        (BrokenBench(), "infrastructure", "infrastructure error"),
        (
            BrokenBench(Evidence(ok=False, exception="OSError", message="bad", attribution="data")),
            "data",
            "bad input",
        ),
    ],
)
def test_a_broken_bench_never_counts_against_the_model(
    tmp_path: Path, bench: BrokenBench, attribution: str, category: str
) -> None:
    model = scripted(tmp_path / "script", *TWO_ROUNDS)
    path = tmp_path / "trajectory.jsonl"
    with pytest.raises(WorkbenchError) as raised:
        solve(TASK, bench, model, path, seed=3)
    assert (raised.value.attribution, raised.value.category) == (attribution, category)
    assert read_entries(path)[-1].content["attribution"] == attribution
    assert run(model, tmp_path).accepted
    assert len(model.asked) == 5


def test_an_endpoint_that_fails_is_raised_and_can_be_resumed(tmp_path: Path) -> None:
    model = scripted(tmp_path / "script", *TWO_ROUNDS)

    class Dying(CountingModel):
        def complete(self, *messages, call=None, **given):  # type: ignore[no-untyped-def]
            if call.number == 4:
                raise EndpointError("unreachable", "expected an answer, found nobody")
            return super().complete(*messages, call=call, **given)

    path = tmp_path / "trajectory.jsonl"
    with pytest.raises(EndpointError):
        solve(TASK, ObedientBench(), Dying(model.script), path, seed=3)
    last = read_entries(path)[-1]
    assert (last.kind, last.content["error"]) == ("fault", "EndpointError")
    assert last.content["attribution"] == "endpoint"
    assert run(model, tmp_path).accepted
    assert [call.number for call in model.asked] == [4, 5]


def test_a_script_that_ends_early_says_which_file_it_wants(tmp_path: Path) -> None:
    model = scripted(tmp_path / "script", *TWO_ROUNDS[:3])
    with pytest.raises(ScriptError, match=r"expected the reply '04-coder.md' .* found \['01-super"):
        run(model, tmp_path)
