"""Into how many jobs convert is cut, where a part of the files is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.configure import configure
from pipeline.data.fileset import build_fileset
from pipeline.data.identity import basename
from pipeline.data.manifest_choice import chosen_manifest
from pipeline.freeze import freeze_sweep
from pipeline.plan.estimate import make_plan
from pipeline.plan.inventory import channel_parts
from pipeline.plan.parts import parts_of
from pipeline.sweep.point import points_of

PHYSLITE = ("channel=hyy", "data=opendata_2024", "solver=reference")
NTUPLES = ("channel=hyy", "data=opendata_2025", "solver=reference", "site.budget.job_minutes=0.05")


def put(folder: Path, given: tuple[str, ...], number: int) -> int:
    """The first files of the channel, empty: they are known by their names. How many there are."""
    settings = configure(given, located=False)
    files = [f for p in channel_parts(settings, chosen_manifest(settings.data)) for f in p.files]
    for file in files[:number]:
        (folder / basename(file.uri)).write_bytes(b"")
    return len(files)


def jobs(*given: str) -> int:
    found: int = parts_of(configure(given)).get("parts", 1)
    return found


def here(folder: Path) -> tuple[str, str]:
    return f"data.location={folder}", "data.partial=true"


@pytest.fixture(scope="module")
def of_all() -> int:
    return jobs(*PHYSLITE, "data.location=https://example.org/files")


def test_a_folder_with_one_file_is_one_job(of_all: int, tmp_path: Path) -> None:
    put(tmp_path, PHYSLITE, 1)
    assert jobs(*PHYSLITE, *here(tmp_path)) == 1 < of_all


def test_a_folder_with_some_of_them_is_fewer_jobs_than_all(tmp_path: Path) -> None:
    every = put(tmp_path, NTUPLES, 8)
    whole = jobs(*NTUPLES, "data.location=https://example.org/files")
    assert 1 < jobs(*NTUPLES, *here(tmp_path)) < whole <= every


def test_the_plan_is_for_the_files_that_are_there(tmp_path: Path) -> None:
    every = put(tmp_path, NTUPLES, 3)
    plan = make_plan(configure([*NTUPLES, *here(tmp_path)]))
    assert plan.of_channel.everything.files == 3 < every
    assert plan.scopes[1].everything.files == 4668
    assert any(f"3 files are in {tmp_path}" in note for note in plan.notes)
    whole = make_plan(configure([*NTUPLES, here(tmp_path)[0]]))
    assert whole.of_channel.everything.files == every
    assert not any("data.partial" in note for note in whole.notes)


def test_all_files_are_planned_where_they_are_not_known_to_be_there(
    of_all: int, tmp_path: Path
) -> None:
    """Without data.partial the run will be refused, by what looks for the files."""
    put(tmp_path, PHYSLITE, 1)
    assert jobs(*PHYSLITE, here(tmp_path)[0]) == of_all
    assert jobs(*PHYSLITE, *here(tmp_path / "none")) == of_all
    assert jobs(*PHYSLITE, "data.location=https://example.org/f", "data.partial=true") == of_all


def test_files_of_other_samples_of_the_skim_are_converted_and_planned(
    of_all: int, tmp_path: Path
) -> None:
    """As the example file of PHYSLITE, which is no sample of the channel."""
    settings = configure(PHYSLITE, located=False)
    other = chosen_manifest(settings.data).skim("physlite").sample("700322").files
    assert len(other) > 600
    for file in other[:2]:
        (tmp_path / basename(file.uri)).write_bytes(b"")
    assert make_plan(configure([*PHYSLITE, *here(tmp_path)])).of_channel.everything.files == 2
    assert jobs(*PHYSLITE, *here(tmp_path)) == 1 < of_all


def test_a_folder_with_other_files_alone_is_planned_as_all(of_all: int, tmp_path: Path) -> None:
    """The run says that none of the channel's is there."""
    (tmp_path / "other.root").write_bytes(b"")
    assert jobs(*PHYSLITE, *here(tmp_path)) == of_all


def test_a_share_of_which_nothing_is_there_is_planned_as_nothing(tmp_path: Path) -> None:
    """As the run, which finds other files in the folder and converts none."""
    settings = configure([*NTUPLES, "data.share=one"], located=False)
    chosen = [f for p in channel_parts(settings, chosen_manifest(settings.data)) for f in p.files]
    put(tmp_path, NTUPLES, 10**6)
    for file in chosen:
        (tmp_path / basename(file.uri)).unlink()
    given = configure([*NTUPLES, *here(tmp_path), "data.share=one", "data.verify=none"])
    fileset = build_fileset(given, count=False)
    assert [f for s in fileset["samples"].values() for f in s["files"]] == []
    plan = make_plan(given).of_channel
    assert (plan.everything.files, plan.chunks.value, plan.core_hours.value) == (0, 0, 0)
    assert parts_of(given) == {}


def test_other_samples_beside_all_of_the_channel_s_are_planned(tmp_path: Path) -> None:
    """A folder that has the whole skim: a run converts all of it, and the plan says so."""
    every = put(tmp_path, NTUPLES, 10**6)
    settings = configure([*NTUPLES, here(tmp_path)[0], "data.verify=none"])
    assert make_plan(settings).of_channel.everything.files == every
    skim = chosen_manifest(settings.data).skim(settings.channel.skim)
    own = {f.uri for p in channel_parts(settings, chosen_manifest(settings.data)) for f in p.files}
    others = [f for f in skim.files if f.uri not in own]
    for file in others[:5]:
        (tmp_path / basename(file.uri)).write_bytes(b"")
    fileset = build_fileset(settings, count=False)
    assert sum(len(s["files"]) for s in fileset["samples"].values()) == every + 5
    plan = make_plan(settings)
    assert plan.of_channel.everything.files == every + 5
    assert any("5 files of other samples of the skim" in note for note in plan.notes)
    share = replace(settings, data=replace(settings.data, share="one"))
    wanted = sum(len(s["files"]) for s in build_fileset(share, count=False)["samples"].values())
    assert make_plan(share).of_channel.everything.files == wanted


def test_points_on_one_fileset_are_cut_alike(tmp_path: Path) -> None:
    """An agent converts twice, and may have half as many jobs for each; the fileset is cut once."""
    given = [*PHYSLITE[:2], "data.location=https://example.org/files", "site.budget.job_minutes=1"]
    solvers = [["solver=reference"], ["solver=agent", "model=scripted"]]
    alone = [jobs(*given, *solver) for solver in solvers]
    assert alone == [1960, 980]
    for order in (solvers, solvers[::-1]):
        points = points_of([[*given, "run.name=x", *solver] for solver in order])
        layout = freeze_sweep(points, tmp_path / order[0][0])
        assert [plan.parts for plan in layout.points] == [980, 980]
        assert all(plan.later for plan in layout.points)
