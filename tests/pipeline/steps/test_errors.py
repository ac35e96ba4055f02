"""The sentence that a failed step leaves behind: one file per job, that no other job touches."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.files import read_json
from pipeline.steps import errors
from pipeline.steps.errors import FOLDER, run_step


@pytest.fixture(autouse=True)
def in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run directory; this process is not tied to pytest's parent."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(errors, "die_with_parent", lambda parent: os.getppid())


def end(monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], sentence: str | None) -> None:
    """A step that ends with `sentence` as its fault, or well."""
    step, *options = arguments
    monkeypatch.setattr(sys, "argv", [step, *options])

    def main() -> None:
        if sentence is not None:
            raise ValueError(sentence)

    if sentence is None:
        run_step(step, main)
        return
    with pytest.raises(SystemExit):
        run_step(step, main)


@pytest.mark.parametrize(
    ("failed", "fine"),
    [
        (
            ["convert_part", "--owner", "points/main", "--part", "3"],
            ["convert_part", "--owner", "points/main", "--part", "4"],
        ),
        (
            ["fileset", "--settings", "fileset/aa.settings.json", "--output", "fileset/aa.json"],
            ["fileset", "--settings", "fileset/bb.settings.json", "--output", "fileset/bb.json"],
        ),
        (
            ["execute", "--owner", "points/a", "--stage", "fit"],
            ["execute", "--owner", "points/b", "--stage", "fit"],
        ),
    ],
)
def test_a_job_that_ends_well_leaves_what_another_said(
    failed: list[str], fine: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    end(monkeypatch, failed, "no room on the disk")
    end(monkeypatch, fine, None)
    (told,) = Path(FOLDER).glob("*.json")
    assert read_json(told)["sentence"] == "no room on the disk"
    end(monkeypatch, failed, None)
    assert not list(Path(FOLDER).glob("*.json"))


def test_the_name_of_a_fileset_is_in_the_name_of_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ladon status` looks for it there."""
    end(monkeypatch, ["fileset", "--settings", "fileset/aa.settings.json"], "found none")
    assert (Path(FOLDER) / "fileset-aa.json").is_file()
