"""A run whose stages a scripted model wrote, one of them in vain, for the report to be made of."""

from __future__ import annotations

from pathlib import Path

from agents.evidence import Evidence, Finding, HintViolation
from agents.limits import Limits
from pipeline.files import write_json
from pipeline.judge.verdict import Failure
from tests.pipeline.report.run_directory import RunDirectory, hzz4l_run
from tests.pipeline.solved_run import ACCEPTS, INSTRUCTS, OK, REVISES, SolvedRun, module

MODEL = {
    "name": "scripted", "provider": "scripted", "repository": None, "revision": None,
    "licence": None, "script": "solves",
}  # fmt: skip
RUDE = (
    "import numpy as np",
    "",
    "def f(x):",
    "    return x['lep_E'] < 3  # <script>alert(1)</script>",
)
BROKEN = Evidence(
    ok=False,
    exception="KeyError",
    message="'lep_E'",
    line=4,
    stdout="<b>39</b> rows\nhttps://example.org/",
    findings=(Finding("all rows are events", True, "39", "39"),),
    category="incorrect branch name",
    attribution="model",
    hint_violations=(HintViolation("no-loop", "a loop over events"),),
)


def agent_run(folder: Path, *overrides: str) -> RunDirectory:
    """A hzz4l run of real data: inspect took two rounds, convert failed, the rest came not."""
    run = hzz4l_run(folder, *overrides, simulated=False)
    solved = SolvedRun(folder, run.layout.points[0].stages)
    results = run.results()
    results["model"], results["solver"] = MODEL, {"name": "agent", "max_rounds": 2}
    two = [INSTRUCTS, module(*RUDE), REVISES, module("def f(x):", "    return x"), ACCEPTS]
    vain = [INSTRUCTS, module(*RUDE), REVISES, module(*RUDE, "# again")]
    for stage, about in results["stages"].items():
        if stage == "inspect":
            outcome = solved.solve(stage, two, [BROKEN, OK])
            about.update(outcome="passed", rung="exact")
        elif stage == "convert":
            outcome = solved.solve(stage, vain, [BROKEN, BROKEN], Limits(max_rounds=2))
            assert outcome.failure is not None
            failure = outcome.to_attempts()["failure"]
            about.update(outcome="failed", rung=None, failure=failure)
            solved.judged(stage, Failure(**failure))
        else:
            reason = "stage convert before it has no output"
            about.update(outcome="not_reached", rung=None, reason=reason)
            continue
        attempts = outcome.to_attempts()
        about.update({k: attempts[k] for k in ("rounds", "api_calls", "tokens")})
        about.update(hint_violations=len(outcome.hint_violations), supervisor_errors=0, notes=[])
        results["provenance"]["solutions"][stage] = outcome.code_sha256
    results["measurement_reason"] = "stage convert before it has no output"
    write_json(run.point / "results.json", results)
    return run
