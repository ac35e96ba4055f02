"""`ladon plan`: the numbers of the 2025 release, from its manifest and what was measured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.cli import main
from pipeline.configure import configure
from pipeline.data.manifest import load_manifest
from pipeline.plan.amount import Amount
from pipeline.plan.branches import branch_table
from pipeline.plan.estimate import convert_jobs, make_plan
from pipeline.plan.inventory import channel_parts, inventory
from pipeline.plan.verb import plan
from pipeline.plan.view import amount
from pipeline.settings import SettingsError

GAMGAM = ["channel=hyy", "data=opendata_2025", "solver=reference"]


def test_gamgam_2025_is_what_the_record_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert plan([*GAMGAM, "site=perlmutter", "--json"], Console()) == 0
    scope = json.loads(capsys.readouterr().out)["scopes"][0]
    data = scope["kinds"]["data"]
    assert (data["files"], data["bytes"]["value"]) == (16, 9_861_498_743)
    assert data["events"]["value"] == data["events"]["low"] == data["events"]["high"] == 36_564_144
    assert data["files_with_known_entries"] == 1
    assert scope["kinds"]["mc"]["events"]["low"] < scope["kinds"]["mc"]["events"]["high"]
    # 36.6 M events in chunks of at most 100,000, and no file shares a chunk
    assert 366 <= scope["chunks"]["value"] <= 366 + 23 + 20
    assert 0 < scope["bytes_to_read"]["low"] < scope["bytes_to_read"]["high"] < 10.1e9


def test_the_whole_of_2024_is_what_the_records_say() -> None:
    found = make_plan(configure(["data=opendata_2024", "solver=reference"], located=False))
    whole = found.scopes[1]
    assert [p.files for p in whole.parts] == [10_049 + 45_571, 14_991]
    assert whole.everything.files == 70_611
    assert whole.everything.unresolved == 55_620
    assert whole.everything.events.value == 9_058_437_931
    assert whole.everything.size.value == 71.75e12
    assert found.of_channel.everything.files == 55_620 + 7
    assert any("55,620 files of 317 runs" in note for note in found.notes)
    assert any("--index" in note for note in found.notes)


def test_a_total_that_was_rounded_is_said_as_it_was_published() -> None:
    found = make_plan(configure(["data=opendata_2024", "solver=reference"], located=False))
    assert amount(found.scopes[1].everything.size).startswith("~71.75 TB (71.7")
    assert amount(Amount.within(71.75e12, 1.3, "")).startswith("~71.80 TB (55.20")


def test_what_is_not_verified_is_said() -> None:
    stream = ("data.access=stream", "data.location=https://opendata.cern.ch")
    wanted = {("data.verify=size",): "no checksum of a file", stream: "checksums are not"}
    assert "checksum" not in " ".join(make_plan(configure(GAMGAM, located=False)).notes)
    for overrides, said in wanted.items():
        notes = make_plan(configure([*GAMGAM, *overrides], located=False)).notes
        assert any(said in note for note in notes), notes


def test_some_runs_of_2024_get_their_share() -> None:
    manifest = load_manifest("2024r-pp")
    settings = configure(["data=opendata_2024", "solver=reference"], located=False)
    runs = [s.name for s in manifest.skims["physlite"].samples.values() if s.kind == "data"]
    process = replace(settings.channel.processes["data"], samples=tuple(runs[:20]))
    channel = replace(settings.channel, processes={"data": process})
    (part,) = channel_parts(replace(settings, channel=channel), manifest)
    found = inventory(part)
    assert 0 < found.files < 10_000
    assert found.events.value == pytest.approx(7_078_004_211 * found.files / 55_620, rel=1e-3)
    assert not found.events.is_exact


def test_what_convert_reads_is_what_its_task_reads() -> None:
    branches = make_plan(configure(GAMGAM, located=False)).branches
    assert {"photon_pt", "eventNumber", "mcWeight", "jet_pt"} <= set(branches)
    table = branch_table("2025e-13tev-beta")
    assert table is not None
    for file in table.files:
        # nearly every byte of a file is in a branch, and only once
        assert 0.94 < sum(file.branches.values()) / file.bytes_per_event < 1
        assert file.share(branches) < 0.8


def test_an_agent_converts_everything_twice() -> None:
    once = make_plan(configure(GAMGAM, located=False)).of_channel
    twice = make_plan(configure(GAMGAM[:2], located=False)).of_channel
    assert once.core_hours.value
    assert twice.core_hours.value
    assert twice.core_hours.value == pytest.approx(2 * once.core_hours.value)


def test_jobs_are_about_as_long_as_the_budget_says() -> None:
    settings = configure([*GAMGAM, "site.workers=4", "site.budget.job_minutes=30"], located=False)
    assert convert_jobs(settings, 0.5, 1000, 1e9) == 1
    assert convert_jobs(settings, 100.0, 1000, 1e9) == 50  # 4 cores for half an hour: 2 core-hours
    assert convert_jobs(settings, 100.0, 7, 1e9) == 7
    assert convert_jobs(settings, 1e6, 100_000, 1e9) == 1960
    assert convert_jobs(settings, None, 1000, 1e9) == 1  # nobody has measured it: by bytes
    assert convert_jobs(settings, None, 1000, 1e12) == 20
    budget = replace(settings.site.budget, convert_jobs=3)
    forced = replace(settings, site=replace(settings.site, budget=budget))
    assert convert_jobs(forced, 0.001, 1000, 1e9) == 3


def test_a_release_that_was_never_measured_has_no_invented_numbers() -> None:
    settings = configure(["channel=hzz4l", "data=opendata_2020", "solver=reference"], located=False)
    found = make_plan(settings)
    assert found.of_channel.core_hours.value is None
    assert any("ladon plan --measure" in note for note in found.notes)


def test_the_table_names_both_scopes(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(width=160)
    plan(GAMGAM, console)
    said = capsys.readouterr().out
    assert "the channel reads" in said
    assert "the whole release" in said
    assert "36,564,144" in said
    assert "entries of 15 of 16 files are in no source" in said


def test_a_plan_is_written_where_asked(tmp_path: Path) -> None:
    assert main(["plan", *GAMGAM, "--json", "--write", str(tmp_path / "plan.json")]) == 0
    assert json.loads((tmp_path / "plan.json").read_text())["skim"] == "GamGam"


def test_an_option_without_its_file_is_a_sentence() -> None:
    with pytest.raises(SettingsError, match="expected a file after --measure, found None"):
        plan([*GAMGAM, "--measure"], Console())
    with pytest.raises(SettingsError, match=r"found no file nowhere\.root; give one that data="):
        plan([*GAMGAM, "--measure", "nowhere.root"], Console())


@pytest.mark.parametrize("wrong", ["job_minutes=0", "most_jobs=3", "convert_jobs=0"])
def test_a_budget_that_makes_no_sense_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"expected site\.budget\.job_minutes above 0"):
        configure([*GAMGAM, f"site.budget.{wrong}"], located=False)
