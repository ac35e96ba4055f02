"""A run that nobody changed passes, whole or in part, alone or as one of many points."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.files import to_json
from pipeline.verify import VerifyError, verify
from pipeline.verify.telling import sentence_of
from tests.pipeline.verify.copies import Copy

pytestmark = pytest.mark.timeout(1800)  # the first one waits for the run of all

GROUPS = [
    "files", "settings", "solutions", "trajectories", "outputs", "chunks", "verdicts",
    "executions", "provenance", "results", "report",
]  # fmt: skip
MADE_ELSEWHERE = ("begun at git", "made by Ladon's code", "made with ")
"""Notes that say with what the run was made; they depend on the checkout, not on the run."""


def test_untouched_run_passes(finished: Path) -> None:
    before = sorted((p, p.stat().st_mtime_ns) for p in finished.rglob("*"))
    found = verify(finished)
    assert [failure.sentence for failure in found.failures] == []
    assert found.missing == ()
    assert [group.name for group in found.groups] == GROUPS
    assert all(group.checked > 0 for group in found.groups)
    assert sorted((p, p.stat().st_mtime_ns) for p in finished.rglob("*")) == before


def test_a_copied_run_passes_wherever_it_lies(run: Copy, tmp_path: Path) -> None:
    elsewhere = tmp_path / "a place with 'quotes'" / run.path.name
    shutil.copytree(run.path, elsewhere)
    assert verify(elsewhere).passed


def test_json_and_exit_code(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(finished), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["passed"], told["complete"]) == (1, True, True)
    assert told["checked"] == sum(group["checked"] for group in told["groups"])


def test_failed_verification_is_a_sentence_and_exit_code_1(
    run: Copy, capsys: pytest.CaptureFixture[str]
) -> None:
    run.flip("points/main/inspect/output/summary.json")
    assert main(["verify", str(run.path)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "failed outputs: points/main/inspect/output/summary.json: expected a file" in said
    assert "give the command of the run again" in said


def test_not_finished_is_missing_and_not_tampering(run: Copy) -> None:
    measure = "points/main/measure"
    made = ("report.html", "summary.csv", "summary.json", "points/main/results.json")
    for name in (*made, f"{measure}/verdict.json", f"{measure}/record.json"):
        run.remove(name)
    shutil.rmtree(run.path / "points" / "main" / "measure" / "output")
    shutil.rmtree(run.path / "points" / "main" / "measure" / "sealed")
    found = verify(run.path)
    assert [failure.sentence for failure in found.failures] == []
    assert "points/main/measure/record.json" in found.missing
    assert "report.html" in found.missing
    assert "not finished" in sentence_of(found)


def test_frozen_and_not_begun(finished: Path, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    settings = [p for p in finished.rglob("*settings.json") if p.is_file()]
    names = [p.relative_to(finished).as_posix() for p in settings]
    for name in ("sweep.json", "provenance.json", *names):
        (begun / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(finished / name, begun / name)
    found = verify(begun)
    assert found.passed
    assert "points/main/convert/record.json" in found.missing


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match=r"expected a run in .* found no sweep\.json there"):
        verify(tmp_path)
    (tmp_path / "sweep.json").write_text('{"points": 3}')
    with pytest.raises(VerifyError, match="expected the plan of a run"):
        verify(tmp_path)


def test_every_file_damaged_is_told_without_a_traceback(run: Copy) -> None:
    for path in sorted((run.path / "points").rglob("*.json*")):
        run.write(path.relative_to(run.path).as_posix(), b'{"schema": [')
    found = verify(run.path)
    assert len(found.failures) > 10


def test_sweep_passes_without_a_note(sweep: Copy) -> None:
    found = verify(sweep.path)
    assert [failure.sentence for failure in found.failures] == []
    assert found.missing == ()
    notes = [n for group in found.groups for n in group.notes if not n.startswith(MADE_ELSEWHERE)]
    assert notes == []


def test_sweep_of_which_one_point_is_not_finished(sweep: Copy) -> None:
    """Its report is that of what is there, and is checked as such."""
    measure = "points/second/measure"
    for name in ("points/second/results.json", f"{measure}/verdict.json", f"{measure}/record.json"):
        sweep.remove(name)
    for name in ("output", "sealed"):
        shutil.rmtree(sweep.path / measure / name)
    sweep.redraw()
    found = verify(sweep.path)
    assert [failure.sentence for failure in found.failures] == []
    assert "points/second/results.json" in found.missing
    sweep.edit("summary.json", lambda content: content["cells"].update(missing=0))
    failure = verify(sweep.path).failures[0]
    assert (failure.file, failure.expected, failure.found) == (
        "summary.json", "cells.missing: 1", "0",
    )  # fmt: skip


def test_other_code_is_a_note(run: Copy) -> None:
    for name in ("provenance.json", "points/main/results.json"):
        content = run.json(name)
        made = content.get("provenance", content)
        made["code_sha256"] = "0" * 64
        run.write(name, to_json(content).encode())
    found = verify(run.path)
    assert [f.file for f in found.failures] == ["report.html"]  # it shows the hash of the code
    assert any("made by Ladon's code 000000000000" in n for n in found.group("provenance").notes)
