"""A sweep in a folder: frozen, found again, and extended."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.configure import configure
from pipeline.files import read_json
from pipeline.freeze import FrozenRunError, freeze, freeze_sweep
from pipeline.settings import load
from pipeline.sweep.point import points_of


def asked(trials: int, stages: str = "[inspect]", *more: str) -> list[list[str]]:
    return [
        ["run.name=x", "chain=isolated", f"stages={stages}", f"trial={n}", *more]
        for n in range(trials)
    ]


def test_points_share_reference_and_fileset(tmp_path: Path) -> None:
    layout = freeze_sweep(points_of(asked(3)), tmp_path)
    assert layout.is_sweep
    assert [p.name for p in layout.points] == ["trial000", "trial001", "trial002"]
    assert len(list((tmp_path / "reference").iterdir())) == 1
    assert len(list((tmp_path / "fileset").iterdir())) == 1
    assert load(tmp_path / "points" / "trial002" / "settings.json").trial == 2


def test_the_same_again_changes_nothing(tmp_path: Path) -> None:
    freeze_sweep(points_of(asked(2)), tmp_path)
    before = (tmp_path / "sweep.json").read_bytes()
    freeze_sweep(points_of(asked(2)), tmp_path)
    assert (tmp_path / "sweep.json").read_bytes() == before


def test_a_trial_more_is_one_point_more(tmp_path: Path) -> None:
    freeze_sweep(points_of(asked(1)), tmp_path)  # nothing varies: it is called main
    layout = freeze_sweep(points_of(asked(3)), tmp_path)
    assert [p.name for p in layout.points] == ["main", "trial001", "trial002"]
    assert [p.name for p in layout.wanted] == ["main", "trial001", "trial002"]
    assert read_json(tmp_path / "sweep.json")["choices"]["main"] == {"trial": "0"}


def test_a_stage_more_is_added_to_every_point(tmp_path: Path) -> None:
    freeze_sweep(points_of(asked(2)), tmp_path)
    layout = freeze_sweep(points_of(asked(2, "[categorize]")), tmp_path)
    assert [p.stages for p in layout.points] == [("inspect", "categorize")] * 2
    assert load(tmp_path / "points" / "trial000" / "settings.json").stages == (
        "inspect", "categorize",
    )  # fmt: skip


def test_who_asks_for_less_gets_less_and_loses_nothing(tmp_path: Path) -> None:
    freeze_sweep(points_of(asked(3)), tmp_path)
    layout = freeze_sweep(points_of(asked(2)), tmp_path)
    assert [p.name for p in layout.points] == ["trial000", "trial001", "trial002"]
    assert [p.name for p in layout.wanted] == ["trial000", "trial001"]
    assert layout.results() == [f"points/trial00{n}/results.json" for n in range(2)]


def test_another_point_of_the_same_name_gets_its_own(tmp_path: Path) -> None:
    freeze_sweep(points_of(asked(2)), tmp_path)
    layout = freeze_sweep(points_of(asked(2, "[inspect]", "solver.max_rounds=1")), tmp_path)
    first, second = (p.name for p in layout.wanted)
    assert first.startswith("trial000.")
    assert second.startswith("trial001.")
    assert len(layout.points) == 4


def test_a_run_is_no_sweep(tmp_path: Path) -> None:
    freeze(configure(["run.name=x"]), tmp_path)
    with pytest.raises(FrozenRunError, match="no sweep"):
        freeze_sweep(points_of(asked(2)), tmp_path)


def test_a_sweep_is_no_run(tmp_path: Path) -> None:
    freeze_sweep(points_of(asked(2)), tmp_path)
    with pytest.raises(FrozenRunError, match="a sweep of 2 points"):
        freeze(configure(["run.name=x"]), tmp_path)
