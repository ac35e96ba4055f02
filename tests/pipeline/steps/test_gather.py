"""Gathering what the jobs of convert made: what a solution does wrong is a result, not an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.configure import configure
from pipeline.files import read_json, write_json
from pipeline.freeze import freeze
from pipeline.steps.context import Place
from pipeline.steps.execute import _gather
from tests.pipeline.stages.convert.conftest import DATA, files, settings
from tests.pipeline.stages.convert.test_part import Files, in_parts, whole

__all__ = ["files", "settings"]


@pytest.fixture
def place(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A point whose convert was cut into four jobs, that are done."""
    given = configure(["site.budget.convert_jobs=4", "run.name=x"])
    freeze(given, tmp_path)
    monkeypatch.chdir(tmp_path)
    found = Place.at("points/main", "convert")
    assert found.plan.parts == 4
    content = whole(files)
    in_parts(content, given, found.folder, 4)
    write_json(found.fileset_path, content)
    (found.folder / "solution.py").write_text("# by a model\n")
    for number in range(4):
        write_json(found.part_record(number), {"failure": None})
    return found


def test_steps_that_differ_between_jobs_are_a_failure_of_the_solution(place: Place) -> None:
    """As between the chunks of one job, where there is one."""
    assert _gather(place) == {}
    cutflows = [place.part(number) / "cutflow.json" for number in range(4)]
    cutflow, other = (path for path in cutflows if DATA in read_json(path))
    steps = read_json(cutflow)
    assert steps[DATA] != read_json(other)[DATA]
    steps[DATA][-1][0] = "another name"
    write_json(cutflow, steps)
    outcome = _gather(place)
    assert outcome["status"] == "failed"
    assert "must name the same steps every time" in outcome["failure"]["message"]
    assert "another name" in (place.folder / "failure.txt").read_text()
