"""Every file of conf/sweep means the points that it says, and every point is valid settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest

from pipeline import launcher
from pipeline.overrides import sweeps
from pipeline.paths import resource
from pipeline.settings import Settings, SettingsError
from pipeline.sweep.point import Point

PAPER = ("inspect", "convert", "preprocess", "classify", "categorize")
ALL = (*PAPER, "measure")
OPEN_WEIGHTS = (
    "qwen2_5_coder_7b", "gpt_oss_20b", "devstral_small_2", "qwen3_8_27b", "qwen3_coder_30b",
    "qwen3_coder_next", "glm_4_5_air", "gpt_oss_120b", "minimax_m2_5", "qwen3_coder_480b",
    "deepseek_v3_2",
)  # fmt: skip
ONE = ("qwen3_coder_30b",)
READ: Mapping[str, Callable[[Settings], Any]] = {
    "model": lambda s: s.model.name,
    "chain": lambda s: s.chain,
    "hints": lambda s: s.solver.hints,
    "max_rounds": lambda s: s.solver.max_rounds,
    "temperature": lambda s: s.model.temperature,
    "trial": lambda s: s.trial,
}
"""What the files vary, where settings have it."""


@dataclass(frozen=True)
class Meant:
    """What a file is to say: axis -> values, and what is the same for all points."""

    axes: Mapping[str, Sequence[Any]]
    stages: tuple[str, ...] = ALL
    fixed: Mapping[str, Any] = field(default_factory=lambda: {"chain": "isolated"})
    luminosity: float = 36.1
    site: str = "perlmutter"
    """One that can serve the models."""


MEANT = {
    "hints_on_off": Meant({"model": ONE, "hints": (True, False), "trial": range(20)}),
    "open_weights": Meant(
        {"model": OPEN_WEIGHTS, "chain": ("isolated", "chained"), "trial": range(10)},
        fixed={"max_rounds": 3},
    ),
    "paper": Meant(
        {"model": ONE, "trial": range(20)}, PAPER, {"chain": "isolated", "max_rounds": 3}
    ),
    "rounds": Meant({"model": ONE, "max_rounds": (1, 2, 3, 5), "trial": range(20)}),
    "smoke": Meant(
        {"model": ("expert", "student", "novice"), "trial": range(10)},
        PAPER, {"chain": "isolated", "max_rounds": 3}, luminosity=0.05, site="laptop",
    ),
    "temperature": Meant(
        {"model": ONE, "temperature": (0.0, 0.3, 0.7, 1.0), "trial": range(20)}
    ),
}  # fmt: skip
COUNTS = {
    "hints_on_off": 40, "open_weights": 220, "paper": 20, "rounds": 80, "smoke": 30,
    "temperature": 80,
}  # fmt: skip

Sweep = Callable[..., list[Point]]


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """What `ladon sweep ...` would run: Hydra, its sweeper and our launcher, up to the graph."""
    caught: list[Point] = []

    def catch(found: Sequence[Point]) -> int:
        caught.extend(found)
        return 0

    def sweep(*overrides: str) -> list[Point]:
        caught.clear()
        assert launcher.multirun(overrides) == 0
        return list(caught)

    monkeypatch.setattr(launcher, "run_points", catch)
    return sweep


def told(found: Sequence[Point], axes: Mapping[str, Sequence[Any]]) -> list[tuple[Any, ...]]:
    return [tuple(READ[axis](p.settings) for axis in axes) for p in found]


def test_every_file_is_known_here() -> None:
    assert sweeps(resource("conf")) == sorted(MEANT) == sorted(COUNTS)


@pytest.mark.parametrize("name", sorted(MEANT))
def test_its_points_are_those_that_it_says(name: str, points: Sweep) -> None:
    meant = MEANT[name]
    found = points(f"sweep={name}", f"site={meant.site}")
    assert len(found) == COUNTS[name]
    assert len({p.name for p in found}) == len({p.identity for p in found}) == len(found)
    assert told(found, meant.axes) == list(product(*meant.axes.values()))
    assert {p.settings.stages for p in found} == {meant.stages}
    assert {p.settings.data.luminosity for p in found} == {meant.luminosity}
    for axis, value in meant.fixed.items():
        assert {READ[axis](p.settings) for p in found} == {value}
    [run] = {p.settings.run.name for p in found}
    assert run.startswith(f"{name}-hyy-synthetic-")
    assert {p.settings.site.name for p in found} == {meant.site}


def test_the_command_line_goes_before_the_file(points: Sweep) -> None:
    found = points(
        "sweep=paper", "site=perlmutter", "model=gpt_oss_20b,expert", "trial=0,7",
        "stages=[inspect]", "solver.max_rounds=1", "run.name=mine",
    )  # fmt: skip
    axes = {"model": ("gpt_oss_20b", "expert"), "trial": (0, 7)}
    assert told(found, axes) == list(product(*axes.values()))
    assert [p.name for p in found][:2] == ["gpt_oss_20b-trial000", "gpt_oss_20b-trial007"]
    assert {p.settings.stages for p in found} == {("inspect",)}
    assert {p.settings.solver.max_rounds for p in found} == {1}
    assert {p.settings.run.name for p in found} == {"mine"}


def test_a_file_that_is_not_there(points: Sweep) -> None:
    with pytest.raises(SettingsError, match="sweep=papers does not exist; did you mean 'paper'"):
        points("sweep=papers")
