"""What convert accepts from a solution, and the sentence for everything else."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import awkward as ak
import jinja2
import numpy as np
import pytest

from pipeline.configure import configure
from pipeline.data.schema import door
from pipeline.stages.contract import ContractError, StageContext
from pipeline.stages.convert.columns import CHANNELS, columns, empty_columns
from pipeline.stages.convert.contract import CONTRACT, reference_path, task_variables
from pipeline.stages.solution import load_solution
from tests.pipeline.stages.convert.conftest import DATA
from tests.pipeline.stages.convert.events import back_to_back, record_of, solution
from tests.pipeline.stages.convert.files import fileset

ARGUMENTS = {
    "events": record_of(solution("hyy", "2025").BRANCHES, [{"photon": back_to_back()}] * 2),
    "channel": "hyy",
}


def result(**changed: Any) -> dict[str, Any]:
    found = CONTRACT.call(solution("hyy", "2025"), ARGUMENTS)
    return {name: value for name, value in {**found, **changed}.items() if value is not None}


def test_the_reference_is_accepted_in_the_order_and_types_of_the_columns() -> None:
    found = CONTRACT.accept(result(), ARGUMENTS)
    assert list(found.columns) == [c.name for c in columns("hyy")]
    assert [str(v.dtype) for v in found.columns.values()] == [c.dtype for c in columns("hyy")]
    assert len(found) == 2
    assert found.table["m_yy"].to_list() == pytest.approx([125.0, 125.0])


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"m_yy": None}, "expected column 'm_yy'"),
        ({"m_xy": np.ones(2)}, "unknown column 'm_xy'; did you mean 'm_yy'"),
        (
            {"m_yy": np.ones(3)},
            "expected columns of one length, found 2 rows in 'run_number' and 3",
        ),
        ({"m_yy": np.ones((2, 1))}, "expected a 1-d array of numbers in 'm_yy', found shape"),
        ({"m_yy": np.array(["a", "b"])}, "expected a 1-d array of numbers in 'm_yy'"),
        ({"m_yy": ak.Array([[1.0], []])}, "expected a 1-d array in 'm_yy'"),
        ({"n_jets": np.array([0.5, 1.0])}, "expected int64 in 'n_jets', found float64 with values"),
        ({"n_jets": np.array([np.nan, 1.0])}, "expected int64 in 'n_jets'"),
        ({"ph1_tight": np.array([2, 1])}, "expected bool in 'ph1_tight'"),
        ({"event_number": np.array([1, 99])}, "event_number 99, which is none of them"),
        ({"event_number": np.array([1, 1])}, "event_number 1, which is none of them or was there"),
        ({"run_number": np.array([1, 1])}, "found run_number 1 with event_number 1"),
        ({"cutflow": None}, "expected key 'cutflow'"),
        ({"cutflow": []}, r"to begin with \('all', 2\)"),
        ({"cutflow": [("all", 3)]}, r"to begin with \('all', 2\), found \[\('all', 3\)\]"),
        ({"cutflow": [("all", 2), ("pt", 1.5)]}, "expected a whole number after 'pt'"),
        ({"cutflow": [("all", 2), "pt"]}, r"expected \(name, events left\)"),
    ],
)
def test_what_is_wrong_is_one_sentence(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ContractError, match=sentence):
        CONTRACT.accept(result(**changed), ARGUMENTS)


def test_something_else_than_a_dict() -> None:
    with pytest.raises(
        ContractError, match="expected convert to return a dict of columns, found l"
    ):
        CONTRACT.accept([1], ARGUMENTS)


def test_more_rows_than_events() -> None:
    twice = {
        name: np.repeat(np.asarray(values), 2) if name != "cutflow" else values
        for name, values in result().items()
    }
    with pytest.raises(ContractError, match="at most one row for each event"):
        CONTRACT.accept(twice, ARGUMENTS)


def test_numbers_of_other_types_are_cast() -> None:
    found = CONTRACT.accept(
        result(
            n_jets=np.array([1.0, 2.0]), trigger=np.array([0, 1]), m_yy=ak.Array([1, 2]),
            cutflow=[["all", 2], ["tight", np.uint32(1)]],
        ),
        ARGUMENTS,
    )  # fmt: skip
    assert found.columns["n_jets"].tolist() == [1, 2]
    assert found.columns["trigger"].tolist() == [False, True]
    assert found.columns["m_yy"].dtype == np.float64
    assert found.cutflow == (("all", 2), ("tight", 1))


@pytest.mark.parametrize(
    ("branches", "sentence"),
    [
        (["photn_pt"], "unknown branch 'photn_pt' in BRANCHES; did you mean 'photon_pt'"),
        ([], "expected at least one name in BRANCHES"),
        ("photon_pt", "expected BRANCHES to be a list of names, found 'photon_pt'"),
        ([1], "expected BRANCHES to be a list of names"),
    ],
)
def test_branches_that_do_not_exist(branches: Any, sentence: str) -> None:
    module = SimpleNamespace(BRANCHES=branches)
    with pytest.raises(ContractError, match=sentence):
        CONTRACT.branches(module, list(door("2025e-13tev-beta").fields))


def test_a_solution_gets_exactly_its_branches() -> None:
    seen: list[str] = []
    module = SimpleNamespace(
        BRANCHES=["met", "eventNumber", "met"], convert=lambda events: seen.extend(events.fields)
    )
    CONTRACT.call(module, ARGUMENTS)
    assert seen == ["met", "eventNumber"]


def test_written_and_read_again(tmp_path: Path) -> None:
    found = CONTRACT.accept(result(), ARGUMENTS)
    CONTRACT.write(found, tmp_path)
    again = CONTRACT.read(tmp_path)
    assert again.cutflow == found.cutflow
    assert again.table.equals(found.table)


def test_arguments_are_the_first_events_with_every_variable(
    tmp_path: Path, files: dict[str, list[Path]]
) -> None:
    settings = configure([])
    listed = {"data_gone": [tmp_path / "gone.root"], DATA: files[DATA]}
    content = fileset(listed, entries={"gone.root": 10})
    given = CONTRACT.arguments(StageContext(settings, content, {}))
    assert given["channel"] == "hyy"
    assert len(given["events"]) == content["samples"][DATA]["files"][0]["entries"]
    module = load_solution(reference_path(settings), CONTRACT.defines)
    found = CONTRACT.accept(CONTRACT.call(module, given), given)
    assert found.cutflow[0] == ("all", len(given["events"]))
    gone = fileset({"data_gone": [tmp_path / "gone.root"]}, entries={"gone.root": 10})
    with pytest.raises(FileNotFoundError, match="expected a readable file in the fileset"):
        CONTRACT.arguments(StageContext(settings, gone, {}))


def test_every_channel_and_release_has_a_reference() -> None:
    for channel in ("hyy", "hzz4l"):
        for year in ("2025", "2020"):
            options = [f"channel={channel}", f"data=opendata_{year}", "data.location=x"]
            path = reference_path(configure(options))
            assert path.name == f"reference_{channel}_{year}.py"
            module = load_solution(path, CONTRACT.defines)
            CONTRACT.branches(module, list(door(configure(options).data.release).fields))


@pytest.mark.parametrize("channel", CHANNELS)
def test_columns(channel: str) -> None:
    named = columns(channel)
    assert len({c.name for c in named}) == len(named)
    assert {c.dtype for c in named} <= {"int64", "float32", "float64", "bool"}
    assert all(c.description for c in named)
    assert [len(v) for v in empty_columns(channel).values()] == [0] * len(named)
    assert set(configure([f"channel={channel}"]).channel.features) <= {c.name for c in named}
    with pytest.raises(ContractError, match="expected a channel with converted columns"):
        columns("hww")


@pytest.mark.parametrize("channel", ["hyy", "hzz4l"])
@pytest.mark.parametrize("year", ["2025", "2020"])
def test_the_task_is_complete(channel: str, year: str) -> None:
    chosen = configure([f"channel={channel}", f"data=opendata_{year}", "data.location=x"])
    text = reference_path(chosen).with_name("task.md").read_text(encoding="utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    shown = environment.from_string(text).render(task_variables(chosen))
    module = load_solution(reference_path(chosen), CONTRACT.defines)
    for name in [*module.BRANCHES, *(c.name for c in columns(channel))]:
        assert f"| `{name}` |" in shown
    arguments = {"events": record_of(module.BRANCHES, []), "channel": channel}
    for step, _ in CONTRACT.accept(CONTRACT.call(module, arguments), arguments).cutflow:
        assert f". `{step}`: " in shown
    for word in ("{{", "{%", "reference_", "pipeline"):
        assert word not in shown
