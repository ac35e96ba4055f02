"""A file that is gone is a failure where something was made from it, and is named."""

from __future__ import annotations

import pytest

from pipeline.verify import verify
from pipeline.verify.folder import RunFolder
from pipeline.verify.lineage import check_lineage
from tests.pipeline.verify.copies import Copy, sentences

pytestmark = pytest.mark.timeout(1800)  # the first one waits for the run of all

CONVERT = "points/main/convert"


def relative(run: Copy, pattern: str) -> str:
    """The first file of the run that fits."""
    return next(iter(sorted(run.path.glob(pattern)))).relative_to(run.path).as_posix()


@pytest.mark.parametrize(
    ("pattern", "before"),
    [
        ("points/main/settings.json", "sweep.json"),
        ("provenance.json", "sweep.json"),
        ("reference/*/settings.json", "sweep.json"),
        ("fileset/*.settings.json", "sweep.json"),
        ("fileset/*.synthetic.json", "fileset/"),
        ("fileset/????????????????.json", "reference/"),
        (f"{CONVERT}/solution.py", f"{CONVERT}/record.json"),
        (f"{CONVERT}/attempts.json", f"{CONVERT}/record.json"),
        (f"{CONVERT}/timing.json", f"{CONVERT}/record.json"),
        (f"{CONVERT}/trajectory.jsonl", f"{CONVERT}/record.json"),
        ("dialogues/points/main/convert.jsonl", f"{CONVERT}/trajectory.jsonl"),
        (f"{CONVERT}/record.json", f"{CONVERT}/verdict.json"),
        ("reference/*/convert/record.json", "reference/"),
        (f"{CONVERT}/verdict.json", "points/main/results.json"),
        ("points/main/results.json", "report.html"),
    ],
)
def test_file_that_is_gone(run: Copy, pattern: str, before: str) -> None:
    name = relative(run, pattern)
    run.remove(name)
    found = check_lineage(RunFolder.open(run.path))
    (failure,) = found.failures
    assert (failure.file, failure.found) == (name, "no such file")
    assert failure.expected.startswith(f"a file that was there before {before}")


def test_what_failed_is_not_missing_as_well(run: Copy) -> None:
    name = f"{CONVERT}/record.json"
    run.remove(name)
    found = verify(run.path)
    assert name in {failure.file for failure in found.failures}
    assert name not in found.missing
    assert name in found.group("outputs").missing


@pytest.mark.parametrize(
    ("name", "with_it"),
    [
        ("report.html", "summary.json"),
        ("summary.csv", "report.html"),
        ("tables/cells.csv", "report.html"),
        ("tables/measures.parquet", "report.html"),
    ],
)
def test_part_of_a_report_that_is_gone(sweep: Copy, name: str, with_it: str) -> None:
    sweep.remove(name)
    (failure,) = verify(sweep.path).failures
    assert (failure.file, failure.found) == (name, "no such file")
    assert failure.expected == f"a file that is made with {with_it}"


def test_results_of_a_point_of_a_sweep(sweep: Copy) -> None:
    """A report of a sweep may come before all is there, but not before verdicts that it shows."""
    sweep.remove("points/second/results.json")
    (failure,) = verify(sweep.path).failures
    assert failure.file == "points/second/results.json"


def test_run_without_dialogues_is_noted(run: Copy) -> None:
    for path in sorted((run.path / "dialogues").rglob("*.jsonl")):
        path.unlink()
    assert len(check_lineage(RunFolder.open(run.path)).failures) == 6
    for path in sorted((run.path / "dialogues").rglob("*"), reverse=True):
        path.rmdir()
    (run.path / "dialogues").rmdir()
    found = check_lineage(RunFolder.open(run.path))
    assert sentences(found) == []
    assert any("dialogues is not there" in note for note in found.notes)
