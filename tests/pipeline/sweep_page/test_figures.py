"""Figures compare a solution's output with the reference's, and hold no blinded event."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.configure import configure
from pipeline.files import read_json, write_json
from pipeline.settings import to_dict
from pipeline.sweep_page.figures import Figures
from pipeline.sweep_page.observables import ChannelAxes, plain_label
from tests.pipeline.evaluation.made import REFERENCE
from tests.pipeline.sweep_page.folders import STAGES, write_output

HYY = ChannelAxes("hyy", "m_yy", "m_{γγ}", 105.0, 160.0, frozenset(), (120.0, 130.0))


def _stage(run: Path, folder: str, stage: str, seed: int) -> str:
    write_json(run / folder / stage / "record.json", {"schema": 1, "files": {}})
    write_output(run / folder / stage, stage, seed)
    return f"{folder}/{stage}"


def test_axes_come_from_the_settings(filled: Path) -> None:
    settings = next((filled / "points").iterdir()) / "settings.json"
    found = ChannelAxes.of(read_json(settings))
    assert (found.name, found.observable, found.label) == ("hyy", "m_yy", "m_{γγ}")
    assert (found.low, found.high, found.blind) == (105, 160, (120, 130))
    assert "data15_periodD" in found.data


def test_what_is_not_hidden_is_not_called_blinded(filled: Path) -> None:
    """An unblinded run hides nothing, and H→4ℓ states a range that nothing hides."""
    settings = read_json(next((filled / "points").iterdir()) / "settings.json")
    assert (ChannelAxes.of(settings).blind, ChannelAxes.of(settings).observed) == (
        (120, 130),
        False,
    )
    opened = ChannelAxes.of({**settings, "unblind": True})
    assert (opened.blind, opened.observed) == (None, True)
    four_leptons = ChannelAxes.of(to_dict(configure(["channel=hzz4l", "run.name=made"])))
    assert (four_leptons.blind, four_leptons.observed) == (None, False)


def test_labels_lose_their_markup() -> None:
    assert plain_label(r"m_{\gamma\gamma}") == "m_{γγ}"
    assert plain_label(r"m_{4\ell}") == "m_{4ℓ}"


def test_every_stage_has_its_figures(tmp_path: Path) -> None:
    titles = {}
    for stage in STAGES:
        ours = _stage(tmp_path, f"reference/{REFERENCE}", stage, 0)
        theirs = _stage(tmp_path, "points/p", stage, 1)
        drawn, note = Figures(tmp_path).of(theirs, ours, stage, HYY)
        assert note == ""
        titles[stage] = [head.get("title", head["kind"]) for head, _ in drawn]
    assert titles == {
        "convert": [
            "simulation: mass, unweighted", "simulation: leading object, unweighted",
            "simulation: by the files' own cross-sections", "data: mass",
        ],
        "preprocess": ["signal: mass", "background: mass", "control: mass", "data: mass"],
        "classify": ["signal: score", "background: score", "data: score"],
        "categorize": ["scan", "categories"],
        "measure": ["strength", "profile"],
    }  # fmt: skip


def test_the_same_output_gives_the_same_numbers(tmp_path: Path) -> None:
    ours = _stage(tmp_path, f"reference/{REFERENCE}", "preprocess", 0)
    theirs = _stage(tmp_path, "points/p", "preprocess", 0)
    drawn, _ = Figures(tmp_path).of(theirs, ours, "preprocess", HYY)
    for head, solution in drawn:
        assert head["reference"] == solution
    head, solution = drawn[-1]
    assert solution is not None
    edges = np.linspace(head["low"], head["high"], head["bins"] + 1)
    inside = (edges[:-1] >= 120) & (edges[1:] <= 130)
    assert head["hidden"] == (120, 130)
    assert not np.array(solution["y"])[inside].any()
    assert np.allclose(np.square(solution["e"]), solution["y"], rtol=1e-3)


def test_sealed_files_are_not_read(tmp_path: Path) -> None:
    theirs = _stage(tmp_path, "points/p", "preprocess", 1)
    record = read_json(tmp_path / theirs / "record.json")
    record["files"] = {k.replace("output", "sealed"): v for k, v in record["files"].items()}
    write_json(tmp_path / theirs / "record.json", record)
    drawn, note = Figures(tmp_path).of(theirs, "reference/none/preprocess", "preprocess", HYY)
    assert drawn == []
    assert note == "No figures: the output has no table with the columns that are drawn."


def test_what_cannot_be_drawn_says_why(tmp_path: Path) -> None:
    figures = Figures(tmp_path)
    write_json(tmp_path / "points/p/convert/record.json", {"files": {}, "status": "failed"})
    assert "ended without an output" in figures.of("points/p/convert", "r", "convert", HYY)[1]
    (tmp_path / "points/p/convert/record.json").unlink()
    assert "was not run" in figures.of("points/p/convert", "r", "convert", HYY)[1]
    theirs = _stage(tmp_path, "points/p", "categorize", 1)
    write_json(tmp_path / theirs / "output" / "categories.json", {"inclusive": "<script>"})
    assert "cannot be read" in figures.of(theirs, "r", "categorize", HYY)[1]
    theirs = _stage(tmp_path, "points/p", "classify", 1)
    (tmp_path / theirs / "output" / "data.parquet").write_bytes(b"no Parquet")
    assert "cannot be read" in figures.of(theirs, "r", "classify", HYY)[1]
    assert "makes no distributions" in figures.of(theirs, "r", "inspect", HYY)[1]
