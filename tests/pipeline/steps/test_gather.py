"""Gathering what the jobs of convert made: what a solution does wrong is a result, not an error."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from executors import make_executor
from pipeline.configure import configure
from pipeline.data.parts import read_part
from pipeline.files import read_json, sha256_file, write_json
from pipeline.freeze import freeze
from pipeline.stages.convert.contract import reference_path
from pipeline.stages.convert.runner import convert_all
from pipeline.steps.context import Place
from pipeline.steps.execute import _gather
from pipeline.steps.skims import keep_part, skims
from tests.pipeline.stages.convert.conftest import DATA, files, settings
from tests.pipeline.stages.convert.test_part import Files, in_parts, whole

__all__ = ["files", "settings"]


@pytest.fixture
def place(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A point whose convert was cut into four jobs, that are done."""
    given = configure(["site.budget.convert_jobs=4", "run.name=x"])
    run = tmp_path / "run"
    freeze(given, run)
    monkeypatch.chdir(run)
    found = Place.at("points/main", "convert")
    assert found.plan.parts == 4
    content = whole(files)
    in_parts(content, given, found.folder, 4)
    (found.folder / "chunks").rename("chunks")
    write_json(found.fileset_path, content)
    shutil.copy(reference_path(given), found.folder / "solution.py")
    for number in range(4):
        write_json(found.part_record(number), {"failure": None})
        with make_executor("inline") as executor:
            product = convert_all(
                found.folder / "solution.py", read_part(found.folder / "f.parts.json", number),
                given, Path("chunks"), executor, part=number,
            )  # fmt: skip
        keep_part(product, found.part(number))
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


def test_chunks_that_were_deleted_since_are_no_skim_but_are_gathered(place: Place) -> None:
    """The rows of finished jobs are in their folders: what is lost is the skim alone."""
    assert _gather(place) == {}
    assert len([*skims().glob("*/skim.json")]) == 1
    output = sha256_file(place.folder / "output" / f"{DATA}.parquet")
    shutil.rmtree(skims())
    shutil.rmtree("chunks")
    assert _gather(place) == {}
    assert not skims().exists()
    assert sha256_file(place.folder / "output" / f"{DATA}.parquet") == output
