"""One execution of a stage: what an earlier one left is not taken for its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.files import read_json, write_json
from pipeline.freeze import freeze_sweep
from pipeline.steps import execute
from pipeline.steps.context import Place
from pipeline.sweep.point import points_of


def test_a_stage_that_is_not_reached_any_more_has_no_output_and_no_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage before it ended well when it ran first, and does not now."""
    freeze_sweep(points_of([["run.name=x", "chain=isolated"]]), tmp_path)
    monkeypatch.chdir(tmp_path)
    (name,) = read_json("sweep.json")["points"]
    place = Place.at(f"points/{name}", "classify")
    (stale := place.folder / "output" / "scores.txt").parent.mkdir(parents=True)
    stale.write_text("0.5\n")
    write_json(place.folder / "timing.json", {"wall_s": 99.0, "taken_over": False})
    (place.folder / "solution.py").write_text("")
    for folder in place.upstream().values():
        write_json(folder / "record.json", {"status": "failed"})
    monkeypatch.setattr("sys.argv", ["execute", "--owner", place.owner, "--stage", place.stage])
    execute.main()
    assert read_json(place.folder / "record.json")["status"] == "not_reached"
    assert not stale.exists()
    assert read_json(place.folder / "timing.json")["wall_s"] < 99.0
