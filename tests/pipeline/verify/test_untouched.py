"""A run that nobody changed passes, whole or in part, alone or as one of many points."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.files import read_json, to_json
from pipeline.report import make_report
from pipeline.results import collect
from pipeline.verify import VerifyError, verify
from pipeline.verify.page import renderer
from pipeline.verify.telling import sentence_of
from tests.pipeline.verify.copies import Copy

GROUPS = [
    "settings", "solutions", "trajectories", "outputs", "chunks", "verdicts", "provenance",
    "results", "report",
]  # fmt: skip


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
    for name in ("sweep.json", "provenance.json", "points/main/settings.json"):
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


def two_points(run: Copy) -> None:
    """Make the copy a run of two points that are equal but for their name."""
    shutil.copytree(run.path / "points" / "main", run.path / "points" / "second")
    shutil.copytree(run.path / "dialogues/points/main", run.path / "dialogues/points/second")

    def add(sweep: dict[str, Any]) -> None:
        sweep["points"].append("second")
        for member in ("plan", "settings_sha256"):
            sweep[member]["second"] = sweep[member]["main"]

    run.edit("sweep.json", add)
    shutil.rmtree(run.path / "figures")
    for name in ("report.html", "summary.json", "summary.csv"):
        run.remove(name)
    told = run.json("points/main/results.json")["provenance"]
    results = collect(run.path, "second")
    results["provenance"] = {**results["provenance"], "git": told["git"]}
    run.write("points/second/results.json", to_json(results).encode())


def test_run_of_two_points(run: Copy) -> None:
    two_points(run)
    make_report(run.path)
    assert [failure.sentence for failure in verify(run.path).failures] == []
    second = read_json(run.path / "points" / "second" / "results.json")
    second["cutflow"]["data16_periodL"][0][1] += 1
    run.write("points/second/results.json", to_json(second).encode())
    found = verify(run.path)
    assert {failure.file for failure in found.failures} == {"points/second/results.json"}
    assert "cutflow.data16_periodL[0][1]" in found.failures[0].expected


def test_page_of_a_sweep_is_made_by_its_own_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page_of_sweeps.py").write_text("def make_sweep_page(run):\n    return 'swept'\n")
    monkeypatch.syspath_prepend(tmp_path)
    none = ("pipeline.no_such_room.page", "make")
    ours = ("page_of_sweeps", "make_sweep_page")
    monkeypatch.setattr("pipeline.verify.page.OF_MANY", (none, ours))
    assert renderer(1) is make_report
    assert renderer(2)(tmp_path) == "swept"
    monkeypatch.setattr("pipeline.verify.page.OF_MANY", (none,))
    assert renderer(2) is make_report


def test_other_code_is_a_note(run: Copy) -> None:
    for name in ("provenance.json", "points/main/results.json"):
        content = run.json(name)
        made = content.get("provenance", content)
        made["code_sha256"] = "0" * 64
        run.write(name, to_json(content).encode())
    found = verify(run.path)
    assert [f.file for f in found.failures] == ["report.html"]  # it shows the hash of the code
    assert any("made by Ladon's code 000000000000" in n for n in found.group("provenance").notes)
