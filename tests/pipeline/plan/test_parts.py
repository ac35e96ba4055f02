"""Into how many jobs convert is cut, where a part of the files is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.configure import configure
from pipeline.data.identity import basename
from pipeline.data.manifest_choice import chosen_manifest
from pipeline.plan.parts import parts_of

GIVEN = ("channel=hyy", "data=opendata_2024", "solver=reference")
SAMPLE = "700322"
"""A sample of 646 files of release 2024r-pp."""


def put(folder: Path, number: int) -> None:
    """The first files of the sample, empty: they are known by their names."""
    settings = configure([*GIVEN, f"data.location={folder}"])
    files = chosen_manifest(settings.data).skim("physlite").sample(SAMPLE).files[:number]
    assert len(files) == number
    for file in files:
        (folder / basename(file.uri)).write_bytes(b"")


def jobs(*more: str) -> int:
    settings = configure([*GIVEN, *more])
    found: int = parts_of(settings).get("parts", 1)
    return found


@pytest.fixture(scope="module")
def of_all() -> int:
    return jobs("data.location=https://example.org/files")


def test_a_folder_with_one_file_is_one_job(of_all: int, tmp_path: Path) -> None:
    put(tmp_path, 1)
    assert jobs(f"data.location={tmp_path}", "data.partial=true") == 1 < of_all


def test_a_folder_with_some_of_them_is_fewer_jobs_than_all(of_all: int, tmp_path: Path) -> None:
    put(tmp_path, 640)
    here = jobs(f"data.location={tmp_path}", "data.partial=true")
    assert 1 < here < of_all / 10


def test_all_files_are_planned_where_they_are_not_known_to_be_there(
    of_all: int, tmp_path: Path
) -> None:
    """Without data.partial the run will be refused, by what looks for the files."""
    assert jobs(f"data.location={tmp_path}") == of_all
    assert jobs(f"data.location={tmp_path / 'none'}", "data.partial=true") == of_all
    assert jobs("data.location=https://example.org/files", "data.partial=true") == of_all
