"""A replay is prepared from a finished run that a model solved, and compared with it by hash."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from agents.evidence import Evidence
from pipeline.artefacts import artefacts
from pipeline.configure import configure
from pipeline.files import read_json, write_json, write_table
from pipeline.provenance import versions
from pipeline.replay import ReplayError, compare_runs, prepare_replay, replay_folder
from pipeline.report.export import write_csv
from pipeline.settings import settings_sha256, to_dict
from tests.pipeline.solved_run import ACCEPTS, INSTRUCTS, OK, REVISES, STAGES, SolvedRun, module

FAILED = Evidence(ok=False, exception="KeyError", message="'x'", line=1)
TWO_ROUNDS = [INSTRUCTS, module("x = 1"), REVISES, module("x = 2"), ACCEPTS]
SETTINGS = configure(["run.name=demo"])


def finished(path: Path, at: float = 1.0) -> SolvedRun:
    """A finished run of three stages; `at` is what its clocks show."""
    run = SolvedRun(path).begin()
    point = path / "points" / "main"
    named = replace(SETTINGS.run, name=path.name, outputs=str(path.parent))
    write_json(point / "settings.json", to_dict(replace(SETTINGS, run=named)))
    write_json(
        path / "provenance.json",
        {"code_sha256": "c" * 64, "git": "unknown", "versions": versions(),
         "hardware": {"cores": int(at)}},
    )  # fmt: skip
    for stage in STAGES:
        run.solve(stage, TWO_ROUNDS, [FAILED, OK])
        write_table(run.folder(stage) / "output" / "data.parquet", pd.DataFrame({"m": [125.0]}))
        write_table(run.folder(stage) / "sealed" / "data.parquet", pd.DataFrame({"m": [126.0]}))
        run.record(stage)
        attempts = read_json(run.folder(stage) / "attempts.json")
        write_json(run.folder(stage) / "attempts.json", {**attempts, "wall_s": at, "cost": at})
        run.accepted(stage)
    run.finish()
    results = {"schema": 1, "run": path.name, "measurement": {"mu": 1.09},
               "stages": {"convert": {"wall_s": at, "rounds": 2}},
               "provenance": {"git": f"{at}", "hardware": {"cores": at}}}  # fmt: skip
    write_json(point / "results.json", results)
    columns = {"run": [path.name], "stage": ["convert"], "rounds": [2], "wall_s": [at]}
    write_csv(path / "summary.csv", columns)
    write_json(path / "summary.json", {})
    write_csv(path / "figures" / "data" / "spectrum.csv", {"m": np.array([100.5])})
    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, and the same run under another name, at another time, elsewhere."""
    folder = tmp_path_factory.mktemp("made")
    finished(folder / "demo")
    finished(folder / "demo-replay", at=3.5)
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> SolvedRun:
    return SolvedRun(Path(shutil.copytree(made / "demo", tmp_path / "demo")))


@pytest.fixture
def again(made: Path, tmp_path: Path) -> SolvedRun:
    return SolvedRun(Path(shutil.copytree(made / "demo-replay", tmp_path / "demo-replay")))


def test_a_replay_takes_the_settings_and_says_where_the_replies_are(run: SolvedRun) -> None:
    target = replay_folder(run.path)
    assert target.name == "demo-replay"
    settings = prepare_replay(run.path, target)
    assert read_json(target / "replay.json") == {"schema": 1, "from": "../demo"}
    assert (settings.run.name, settings.run.outputs) == ("demo-replay", str(run.path.parent))
    assert settings_sha256(settings) == settings_sha256(SETTINGS)
    assert prepare_replay(run.path, target) == settings  # given again it changes nothing


def test_the_recording_is_found_from_the_replays_folder(
    run: SolvedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps work in the run's folder, from which the path in replay.json leads."""
    prepare_replay(run.path, replay_folder(run.path))
    monkeypatch.chdir(replay_folder(run.path))
    there = Path(read_json("replay.json")["from"])
    assert (there / "points" / "main" / "convert" / "trajectory.jsonl").is_file()


def test_only_a_finished_run_of_a_model_is_replayed(run: SolvedRun) -> None:
    (run.path / "report.html").unlink()
    with pytest.raises(ReplayError, match=r"1 files missing, first report\.html"):
        prepare_replay(run.path, replay_folder(run.path))
    run.finish()
    for stage in STAGES:
        (run.folder(stage) / "trajectory.jsonl").write_bytes(b"")
    with pytest.raises(ReplayError, match="expected a run whose stages a model solved"):
        prepare_replay(run.path, replay_folder(run.path))
    (run.folder("convert") / "trajectory.jsonl").unlink()
    with pytest.raises(ReplayError, match="found no such file"):
        prepare_replay(run.path, replay_folder(run.path))
    with pytest.raises(ReplayError, match=r"found no sweep\.json"):
        prepare_replay(run.path / "nothing", replay_folder(run.path))
    assert not replay_folder(run.path).exists()


def test_another_run_is_not_overwritten(run: SolvedRun, again: SolvedRun) -> None:
    with pytest.raises(ReplayError, match="found another run"):
        prepare_replay(run.path, again.path)
    with pytest.raises(ReplayError, match="expected another folder"):
        prepare_replay(run.path, run.path)


def test_the_same_run_at_another_time_is_identical(run: SolvedRun, again: SolvedRun) -> None:
    found = compare_runs(run.path, again.path)
    assert found.differences == ()
    assert found.same
    assert found.counts == {
        "settings and data": 3, "dialogues": 3, "solutions": 3, "attempts": 3, "records": 6,
        "outputs": 6, "verdicts": 3, "results": 1, "tables of the report": 2,
    }  # fmt: skip
    assert found.sentence == "identical: 30 files; different: none"


def _other_row(run: SolvedRun) -> None:
    table = pd.DataFrame({"m": [np.nextafter(125.0, 126.0)]})
    write_table(run.folder("convert") / "output" / "data.parquet", table)


def _other_reply(run: SolvedRun) -> None:
    path = run.folder("convert") / "trajectory.jsonl"
    path.write_text(path.read_text().replace("it does not run", "it does not walk"))


def _other_mu(run: SolvedRun) -> None:
    path = run.path / "points" / "main" / "results.json"
    write_json(path, {**read_json(path), "measurement": {"mu": 1.09 + 1e-15}})


def _other_seed(run: SolvedRun) -> None:
    path = run.path / "points" / "main" / "settings.json"
    write_json(path, {**read_json(path), "seed": 43})


def _other_rounds(run: SolvedRun) -> None:
    path = run.folder("convert") / "attempts.json"
    write_json(path, {**read_json(path), "rounds": 3})


def _more_rounds(run: SolvedRun) -> None:
    write_csv(run.path / "summary.csv", {"run": ["x"], "rounds": [9], "wall_s": [0.0]})


def _no_verdict(run: SolvedRun) -> None:
    (run.folder("convert") / "verdict.json").unlink()


def _one_more_file(run: SolvedRun) -> None:
    (run.folder("convert") / "sealed" / "more.json").write_text("{}")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (_other_row, "points/main/convert/output/data.parquet"),
        (_other_reply, "points/main/convert/trajectory.jsonl"),
        (_other_mu, "points/main/results.json"),
        (_other_seed, "settings of main"),
        (_other_rounds, "points/main/convert/attempts.json"),
        (_more_rounds, "summary.csv"),
        (_no_verdict, "points/main/convert/verdict.json"),
        (_one_more_file, "points/main/convert/sealed/more.json"),
    ],
)
def test_the_smallest_change_is_found_and_named(
    run: SolvedRun, again: SolvedRun, change: Callable[[SolvedRun], None], name: str
) -> None:
    change(again)
    found = compare_runs(run.path, again.path)
    assert [d.name for d in found.differences] == [name]
    assert not found.same
    [difference] = found.differences
    assert (difference.second is None) == (change is _no_verdict)
    assert (difference.first is None) == (change is _one_more_file)
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(found)
    assert isinstance(console.file, io.StringIO)
    assert name in console.file.getvalue()
    assert console.file.getvalue().rstrip().endswith("different: 1")


def test_what_a_run_was_made_with_is_noted_and_no_difference(
    run: SolvedRun, again: SolvedRun
) -> None:
    made = read_json(again.path / "provenance.json")
    made["versions"]["numpy"] = "0.1"
    write_json(again.path / "provenance.json", made)
    found = compare_runs(run.path, again.path)
    assert found.same
    assert found.notes == (f"note: numpy was {np.__version__} and is 0.1",)


def test_every_file_of_a_stage_counts_once(run: SolvedRun) -> None:
    before = artefacts(run.path)
    shutil.rmtree(run.folder("convert"))
    lost = [name for name in before if name not in artefacts(run.path)]
    files = ("solution.py", "trajectory.jsonl", "attempts.json", "record.json",
             "output/data.parquet", "sealed/data.parquet", "verdict.json")  # fmt: skip
    assert lost == [f"points/main/convert/{name}" for name in files]
