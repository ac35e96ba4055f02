"""Points of a sweep: which there are, how they are called, and what makes two of them one."""

from __future__ import annotations

import pytest

from pipeline.configure import Composer, configure
from pipeline.settings import SettingsError
from pipeline.sweep.point import Point, points_of, run_of_sweep, with_stages

ISOLATED = ("chain=isolated", "run.name=x")


def batch(**axes: list[str]) -> list[list[str]]:
    """All combinations, as Hydra's sweeper makes them."""
    jobs: list[list[str]] = [list(ISOLATED)]
    for key, values in axes.items():
        jobs = [[*job, f"{key.replace('__', '.')}={v}"] for job in jobs for v in values]
    return jobs


def test_names_say_what_was_chosen() -> None:
    points = points_of(batch(model__script=["solves", "mev"], trial=["0", "11"]))
    assert [p.name for p in points] == [
        "script_solves-trial000", "script_solves-trial011",
        "script_mev-trial000", "script_mev-trial011",
    ]  # fmt: skip
    assert points[1].choices == {"model.script": "solves", "trial": "11"}
    assert points[1].settings.trial == 11


def test_the_model_is_in_the_name_also_where_it_is_the_only_one() -> None:
    points = points_of(batch(model=["scripted"], trial=["0", "1"]))
    assert [p.name for p in points] == ["scripted-trial000", "scripted-trial001"]
    assert points[0].choices == {"trial": "0"}


def test_one_point_of_nothing_is_main() -> None:
    assert [p.name for p in points_of([list(ISOLATED)])] == ["main"]


def test_stages_one_by_one_are_one_point() -> None:
    points = points_of(batch(trial=["0", "1"], stages=["[classify]", "[inspect]"]))
    assert [(p.name, p.settings.stages) for p in points] == [
        ("trial000", ("inspect", "classify")), ("trial001", ("inspect", "classify")),
    ]  # fmt: skip


def test_names_that_signs_would_make_one_are_told_apart() -> None:
    odd = [[*ISOLATED, "model.stop=[a/b]"], [*ISOLATED, "model.stop=[a:b]"]]
    names = [p.name for p in points_of(odd)]
    assert len(set(names)) == 2
    assert all(name.startswith("stop_a_b.") for name in names)


def test_one_run_at_one_site() -> None:
    with pytest.raises(SettingsError, match="one run at one site"):
        points_of([["run.name=x", "site.workers=1"], ["run.name=x", "site.workers=2"]])


def test_composed_once_is_composed_right() -> None:
    composer = Composer()
    for overrides in (
        ["run.name=x", "trial=3", "stages=[inspect,convert]"],
        ["run.name=x", "trial=4"],
        ["run.name=x", "stages=null"],
        ["run.name=x", "trial=5", "channel=hzz4l"],
    ):
        assert composer(overrides) == configure(overrides)
    with pytest.raises(SettingsError, match="a whole number for 'trial'"):
        composer(["run.name=x", "trial=many"])
    with pytest.raises(SettingsError, match="unknown stage"):
        composer(["run.name=x", "stages=[converted]"])


def test_more_stages_are_the_same_point() -> None:
    some = configure([*ISOLATED, "stages=[inspect]"])
    more = with_stages(some, ("convert", "inspect"))
    assert more.stages == ("inspect", "convert")
    assert Point("a", some).identity == Point("b", more).identity
    other = configure([*ISOLATED, "stages=[inspect]", "trial=1"])
    assert Point("a", other).identity != Point("a", some).identity


def test_an_unnamed_sweep_keeps_its_name_when_it_grows() -> None:
    few = points_of([["trial=0"], ["trial=1"]])
    many = points_of([[f"trial={n}", f"solver.max_rounds={r}"] for n in range(3) for r in (1, 2)])
    name = run_of_sweep(few, None).name
    assert name.startswith("sweep-hyy-synthetic-")
    assert run_of_sweep(many, None).name == name
    assert run_of_sweep(few, "paper").name.startswith("paper-hyy-synthetic-")
    other = points_of([["data.mu=2", "trial=0"], ["data.mu=2", "trial=1"]])
    assert run_of_sweep(other, None).name != name
