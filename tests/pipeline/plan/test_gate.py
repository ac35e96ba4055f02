"""The gate: a budget that is not passed, and shares that have to be green one after the other."""

from __future__ import annotations

import itertools
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.configure import configure
from pipeline.files import sha256_file, write_json
from pipeline.freeze import fileset_key, freeze
from pipeline.plan import promotions
from pipeline.plan.amount import Amount
from pipeline.plan.estimate import make_plan
from pipeline.plan.gate import GateError, check_gate
from pipeline.plan.promotions import keep_step, promotion_key, record_path
from pipeline.plan.throughput import calibration_of
from pipeline.settings import Settings, SettingsError, reference_key, settings_sha256
from pipeline.stages.registry import reference_path

FULL = ["data=opendata_2024", "solver=reference", "site=perlmutter", "site.executor=processes"]


def given(tmp_path: Path, *more: str) -> Settings:
    return configure([*FULL, f"run.outputs={tmp_path}", *more], located=False)


def finished(settings: Settings, outputs: Path, **changed: Any) -> dict[str, Any]:
    """A step as a run that went as planned leaves it, but for what is `changed`."""
    run = outputs / f"run-{settings.data.share.rstrip('%')}"
    freeze(replace(settings, run=replace(settings.run, name=run.name)), run)
    known = calibration_of(settings)
    assert known is not None
    work = (9_000, 3, 2, 1)
    seconds = known.seconds(*(Amount.exact(n, "") for n in work)).value or 0.0
    point = run / "points" / "main"
    reference = run / "reference" / reference_key(settings)
    stage = (point if "convert" in settings.stages else reference) / "convert"
    chunks = {
        **dict(zip(("events", "chunks", "files", "processes"), work, strict=True)),
        "cpu_s": seconds * changed.get("cost", 1.0), "max_rss_mb": changed.get("memory", 900),
        **changed.get("took", {}),
    }  # fmt: skip
    write_json(stage / "timing.json", {"max_rss_mb": 300, "chunks": chunks})
    ours = sha256_file(reference_path(settings, "convert"))
    write_json(stage / "record.json", {"solution_sha256": changed.get("solution", ours)})
    if "convert" in settings.stages:
        write_json(stage / "verdict.json", {"outcome": changed.get("outcome", "reference")})
    write_json(point / "measure" / "verdict.json", {"outcome": "not_reached"})
    sample = {"entries_expected": 9_000, "entries_done": 9_000, "quarantined": 0}
    sample |= changed.get("ledger", {})
    write_json(stage / "output" / "ledger.json", {"samples": {"data15": sample}})
    files = [{"problem": changed.get("problem")}]
    write_json(
        run / "fileset" / f"{fileset_key(settings)}.json", {"samples": {"a": {"files": files}}}
    )
    return keep_step(settings, run, "main")


def test_a_run_above_the_budget_is_refused(tmp_path: Path) -> None:
    settings = given(tmp_path, "site.budget.core_hours=100", "site.budget.gate_core_hours=null")
    assert (make_plan(settings).of_channel.core_hours.value or 0) > 100
    with pytest.raises(GateError, match=r"at most site\.budget\.core_hours=100 core-hours"):
        check_gate([settings])
    check_gate([given(tmp_path, "site.budget.core_hours=100", "site.budget.override=true")])


def test_a_cost_that_nobody_has_measured_is_not_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a new channel or selection: the bytes of 2024 are known to be too many."""
    monkeypatch.setattr("pipeline.plan.throughput.STORED", tmp_path / "none.json")
    settings = given(tmp_path, "site.budget.core_hours=100")
    assert make_plan(settings).of_channel.core_hours.value is None
    with pytest.raises(GateError, match=r"at most site\.budget\.core_hours=100 core-hours"):
        check_gate([settings])
    with pytest.raises(GateError, match=r"green run with data\.share=10% before data\.share=all"):
        check_gate([given(tmp_path)])
    small = ["data=opendata_2025", "solver=reference", "site=perlmutter"]
    check_gate([configure([*small, f"run.outputs={tmp_path}"], located=False)])


def test_points_of_a_sweep_share_the_budget(tmp_path: Path) -> None:
    """And one reference converts for all points that have the same."""
    hours = make_plan(given(tmp_path)).of_channel.core_hours.value or 0.0
    agent, reference = ("solver=agent", "model=scripted"), ("solver=reference",)
    cases = [
        ([agent], 2),
        ([agent] * 3, 4),
        ([reference] * 3, 1),
        ([(*agent, "chain=isolated", "stages=[preprocess]")] * 3, 1),
        ([reference, (*reference, "seed=43")], 2),
    ]
    for points, times in cases:
        for of_them, refused in ((1.05, False), (0.95, True)):
            budget = f"site.budget.core_hours={of_them * times * hours}"
            more = ("site.budget.gate_core_hours=null", budget)
            asked = [given(tmp_path, *more, *point) for point in points]
            expected = pytest.raises(GateError, match="planned are") if refused else nullcontext()
            with expected:
                check_gate(asked)


def test_the_whole_of_2024_needs_its_steps_one_by_one(tmp_path: Path) -> None:
    steps = [given(tmp_path, f"data.share={share}") for share in ("one", "1%", "10%", "all")]
    check_gate(steps[:1])
    for before, step in itertools.pairwise(steps):
        sentence = f"expected a green run with data.share={before.data.share} before"
        with pytest.raises(GateError, match=sentence):
            check_gate([step])
        assert finished(before, tmp_path)["green"]
        check_gate([step])
    assert len(list((tmp_path / promotions.FOLDER).iterdir())) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"outcome": "failed"}, "judge: convert failed"),
        ({"ledger": {"quarantined": 1, "entries_done": 8_000}}, "ledger: sample data15: 8000 of"),
        ({"problem": {"kind": "file", "message": "a.root is no ROOT file"}}, "ledger: a.root is"),
        ({"memory": 5_000}, "memory: 5243 of 1600 MB"),
        ({"memory": 1_550}, "memory: 1625 of 1600 MB"),
        ({"cost": 1.4}, "cost: predicted"),
        ({"cost": 0.6}, "cost: predicted"),
    ],
)
def test_what_was_not_green_is_named(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    assert not finished(given(tmp_path, "data.share=one"), tmp_path, **changed)["green"]
    with pytest.raises(GateError) as refused:
        check_gate([given(tmp_path, "data.share=1%")])
    assert said in str(refused.value)
    assert "ladon run channel=hyy data=opendata_2024 data.share=one" in str(refused.value)


def test_a_green_run_of_another_solution_is_none(tmp_path: Path) -> None:
    """As after a change of our own: nobody has seen what this one gives, and costs."""
    assert finished(given(tmp_path, "data.share=one"), tmp_path, solution="cd" * 32)["green"]
    more = given(tmp_path, "data.share=1%")
    with pytest.raises(GateError, match=r"found run-one by another one of convert; run again"):
        check_gate([more])
    assert finished(given(tmp_path, "data.share=one"), tmp_path)["green"]
    check_gate([more])


def test_stages_after_convert_can_be_promoted_alone(tmp_path: Path) -> None:
    """With chain=isolated the reference converts: there is no verdict on it."""
    alone = given(tmp_path, "data.share=one", "chain=isolated", "stages=[measure]")
    step = finished(alone, tmp_path)
    assert step["green"], step["checks"]
    check_gate([replace(alone, data=replace(alone.data, share="1%"))])


NOTHING = {"events": 0, "chunks": 0, "files": 0, "processes": 0, "cpu_s": 0.0, "max_rss_mb": 0.0}


def test_a_step_whose_chunks_a_skim_had_is_judged_by_the_run_that_made_them(
    tmp_path: Path,
) -> None:
    one, more = given(tmp_path, "data.share=one"), given(tmp_path, "data.share=1%")
    assert not finished(one, tmp_path, took=NOTHING)["green"]
    assert finished(one, tmp_path)["green"]
    taken = finished(more, tmp_path, took=NOTHING)
    assert taken["green"]
    assert "by the run run-one; a skim had the chunks" in str(taken["checks"])
    other = finished(more, tmp_path, took=NOTHING, solution="cd" * 32)
    assert not other["green"]
    assert "run once more with run.skims=false" in str(other["checks"])
    # Nothing was converted in the step before it either: one file says too little of a tenth.
    last = finished(given(tmp_path, "data.share=10%"), tmp_path, took=NOTHING)
    assert "run once more with run.skims=false" in str(last["checks"])


def test_cost_within_thirty_percent_is_green(tmp_path: Path) -> None:
    settings = given(tmp_path, "data.share=one")
    assert finished(settings, tmp_path, cost=1.29)["green"]
    assert finished(settings, tmp_path, cost=0.71)["green"]


def test_small_data_and_a_laptop_have_no_gate(tmp_path: Path) -> None:
    here = [f"run.outputs={tmp_path}", "solver=reference"]
    check_gate([configure(here)])
    check_gate([configure([*here, "data=opendata_2025"], located=False)])
    check_gate([configure([*here, "data=opendata_2025", "site=perlmutter"], located=False)])
    assert not (tmp_path / promotions.FOLDER).exists()


def test_a_skim_has_no_gate(tmp_path: Path) -> None:
    """Its events were converted before, when the gate let that through."""
    whole = ["data.skim=kept", "stages=[preprocess]", "site.budget.core_hours=1"]
    settings = given(tmp_path, *whole)
    check_gate([settings])
    assert any("converts nothing" in note for note in make_plan(settings).notes)


def test_a_share_is_another_run_of_one_promotion(tmp_path: Path) -> None:
    whole, part = given(tmp_path), given(tmp_path, "data.share=1%")
    assert promotion_key(whole) == promotion_key(part)
    assert promotion_key(whole) != promotion_key(given(tmp_path, "seed=43"))
    assert settings_sha256(whole) != settings_sha256(part)
    assert reference_key(whole) != reference_key(part)
    assert fileset_key(whole) != fileset_key(part)
    folder = tmp_path / promotions.FOLDER / promotion_key(whole)
    assert record_path(whole, "1%") == folder / "1_percent.json"


def test_a_step_at_one_site_opens_no_gate_at_another(tmp_path: Path) -> None:
    """Its memory and its cost are those of that site."""
    finished(given(tmp_path, "data.share=one"), tmp_path)
    check_gate([given(tmp_path, "data.share=1%")])
    with pytest.raises(GateError, match=r"found none at this site .*; run first: .*site=generic"):
        check_gate([given(tmp_path, "data.share=1%", "site=generic")])


@pytest.mark.parametrize(("more_s", "green"), [(0.45, True), (0.55, False)])
def test_a_cost_of_less_than_a_second_is_not_held_to_a_third(
    tmp_path: Path, more_s: float, green: bool
) -> None:
    settings = given(tmp_path, "data.share=one")
    work = {"events": 100, "chunks": 1, "files": 0, "processes": 0}
    known = calibration_of(settings)
    assert known is not None
    predicted = known.seconds(*(Amount.exact(n, "") for n in work.values())).value or 0.0
    assert 0.3 * predicted < 0.5
    took = {**work, "cpu_s": predicted + more_s}
    step = finished(settings, tmp_path, took=took)
    assert step["green"] is green


def test_the_plan_of_a_share_is_that_part(tmp_path: Path) -> None:
    found = make_plan(given(tmp_path, "data.share=1%")).of_channel
    data = next(p for p in found.parts if p.kind == "data")
    assert data.files == 557
    assert data.events.value == pytest.approx(7_078_004_211 * 557 / 55_620)
    small = make_plan(configure(["data=opendata_2025", "data.share=10%"], located=False))
    assert next(p for p in small.of_channel.parts if p.kind == "data").files == 2
    # Samples of which the share has no file are listed all the same.
    assert not any("no file is listed" in note for note in small.notes)


def test_a_share_stays_blinded() -> None:
    with pytest.raises(SettingsError, match=r"data\.share=10% is a step .* stays blinded"):
        configure(["data.share=10%", "unblind=true"])


def test_hashes_from_before_shares_still_hold() -> None:
    settings = configure(["solver=reference"])
    assert "share" not in str(promotions.deciding(settings)["data"])
