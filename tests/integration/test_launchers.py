"""Hydra's own launchers, in place of ours: each point is a run of its own, one after the other or
as a job of submitit. The model is SCRIPTED, the data synthetic and little.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.files import read_json
from pipeline.scripted.truth import expected
from pipeline.settings import load
from tests.command import Ladon

KEPT = {"basic": 0, "submitit_local": 2}
"""Launcher -> jobs that submitit keeps a result of."""
POINTS = (
    "stages=[inspect]", "chain=isolated", "data.luminosity=0.05", "model=scripted", "trial=0,1",
)  # fmt: skip


@pytest.mark.parametrize(("launcher", "name"), [("basic", None), ("submitit_local", "mine")])
def test_each_point_is_a_run_of_its_own(tmp_path: Path, launcher: str, name: str | None) -> None:
    named = () if name is None else (f"run.name={name}",)
    Ladon(tmp_path)("run", "-m", f"hydra/launcher={launcher}", *POINTS, *named)
    outputs = tmp_path / "outputs"
    pages = sorted(outputs.glob("*/report.html"))
    runs = [page.parent for page in pages if not page.parent.is_symlink()]  # `latest` is one
    if name is not None:
        assert [run.name for run in runs] == [f"{name}-0", f"{name}-1"]
    found = [load(run / "points" / "main" / "settings.json") for run in runs]
    assert sorted(settings.trial for settings in found) == [0, 1]
    stated = expected("solves", "inspect")
    for run in runs:
        stage = run / "points" / "main" / "inspect"
        assert read_json(stage / "attempts.json")["api_calls"] == stated.api_calls
        assert read_json(stage / "verdict.json")["outcome"] == stated.outcome
    assert len(list(outputs.glob(".hydra/*/.submitit/*/*_result.pkl"))) == KEPT[launcher]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", sorted(KEPT))
def test_a_point_that_fails_stops_no_other_and_is_told(tmp_path: Path, launcher: str) -> None:
    """The first point asks an endpoint that is not there."""
    child = Ladon(tmp_path).start(
        "run", "-m", f"hydra/launcher={launcher}", *POINTS[:3], "model=endpoint,scripted",
        "model.repository=nobody/nothing", "model.base_url=http://127.0.0.1:9/v1",
        "model.max_retries=0",
    )  # fmt: skip
    text, _ = child.communicate()
    assert child.returncode == 1, text
    outcomes = {
        read_json(path.parents[1] / "settings.json")["model"]["name"]: read_json(path)["outcome"]
        for path in (tmp_path / "outputs").glob("hyy-*/points/main/inspect/verdict.json")
    }
    assert outcomes == {"scripted": "passed"}
