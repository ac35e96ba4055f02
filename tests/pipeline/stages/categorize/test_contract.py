"""What categorize gets, what it accepts, and the significances that we compute ourselves."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.files import write_table
from pipeline.physics.significance import SignificanceRule, asimov_z, combine
from pipeline.stages.categorize.contract import CONTRACT
from pipeline.stages.categorize.reference import boundaries
from pipeline.stages.contract import ContractError, StageContext
from tests.pipeline.stages.tables import settings


def tables(folder: Path) -> StageContext:
    """Scored tables: signal inside and outside of the window, sideband background."""
    rng = np.random.default_rng(1)
    signal = pd.DataFrame(
        {
            "score": rng.beta(4, 2, 3000),
            "weight": np.where(rng.random(3000) < 0.05, -0.02, 0.02),
            "m_yy": rng.normal(125, 1.6, 3000),
        }
    )
    background = pd.DataFrame(
        {"score": rng.beta(2, 4, 8000), "weight": 0.05, "m_yy": rng.uniform(105, 120, 8000)}
    )
    write_table(folder / "classify" / "output" / "signal.parquet", signal)
    write_table(folder / "classify" / "output" / "background.parquet", background)
    return StageContext(settings(), {}, {"classify": folder / "classify"}, sealed=False)


@pytest.fixture
def arguments(tmp_path: Path) -> dict[str, Any]:
    return CONTRACT.arguments(tables(tmp_path))


def test_signal_is_that_of_the_window_and_background_stands_for_it(
    arguments: dict[str, Any], tmp_path: Path
) -> None:
    assert len(arguments["signal"]) == pytest.approx(3000 * 0.789, abs=60)
    assert len(arguments["background"]) == 8000
    assert list(arguments["signal"].columns) == ["score", "weight"]
    assert arguments["significance"] == SignificanceRule(0.05, 0.8, 5)
    sealed = StageContext(settings(), {}, {"classify": tmp_path / "classify"}, sealed=True)
    pd.testing.assert_frame_equal(CONTRACT.arguments(sealed)["signal"], arguments["signal"])


def test_significances_are_ours(arguments: dict[str, Any], tmp_path: Path) -> None:
    product = CONTRACT.accept([0.4, 0.7], arguments)
    signal, background = arguments["signal"], arguments["background"]
    cuts = [(0.0, 0.4), (0.4, 0.7), (0.7, 1.01)]
    expected = []
    for low, high in cuts:
        s, b = (
            t.loc[(t["score"] >= low) & (t["score"] < high), "weight"].sum()
            for t in (signal, background)
        )
        expected.append(asimov_z(s, b))
    assert product["significances"] == pytest.approx(expected)
    assert product["combined"] == pytest.approx(combine(expected))
    assert product["inclusive"] == pytest.approx(
        asimov_z(signal["weight"].sum(), background["weight"].sum())
    )
    assert [c["range"] for c in product["categories"]] == [[0.0, 0.4], [0.4, 0.7], [0.7, 1.0]]
    assert [c["name"] for c in product["categories"]] == ["category 1", "category 2", "category 3"]
    assert sum(c["signal"] for c in product["categories"]) == pytest.approx(signal["weight"].sum())
    accepted = [step for step in product["steps"] if step["accepted"]]
    assert sorted(step["boundary"] for step in accepted) == [0.4, 0.7]
    assert accepted[-1]["combined"] == pytest.approx(product["combined"])
    CONTRACT.write(product, tmp_path)
    assert CONTRACT.read(tmp_path) == product


def test_reference_gains_and_stops_where_the_rule_says(arguments: dict[str, Any]) -> None:
    product = CONTRACT.accept(boundaries(**arguments), arguments)
    assert product["combined"] > 1.05 * product["inclusive"]
    assert all(c["background"] >= 0.8 for c in product["categories"])
    *accepted, last = product["steps"]
    assert all(step["gain"] >= 0.05 for step in accepted)
    assert not last["accepted"]
    assert last["gain"] < 0.05


def test_order_of_rows_does_not_matter(arguments: dict[str, Any]) -> None:
    mixed = {
        name: arguments[name].sample(frac=1, random_state=1).reset_index(drop=True)
        for name in ("signal", "background")
    }
    again = boundaries(**mixed, significance=arguments["significance"])
    assert again == boundaries(**arguments)


def test_settings_change_the_rule(tmp_path: Path) -> None:
    context = tables(tmp_path)
    strict = StageContext(
        settings("channel.categorize.max_boundaries=1"), {}, context.upstream, sealed=False
    )
    assert len(boundaries(**CONTRACT.arguments(strict))) == 1


def test_no_boundaries_is_one_category(arguments: dict[str, Any]) -> None:
    product = CONTRACT.accept([], arguments)
    assert [c["range"] for c in product["categories"]] == [[0.0, 1.0]]
    assert product["combined"] == product["inclusive"]


@pytest.mark.parametrize("answer", [np.array([0.4, 0.7]), (0.4, 0.7), [np.float64(0.4), 0.7]])
def test_any_sequence_of_numbers_will_do(arguments: dict[str, Any], answer: Any) -> None:
    product = CONTRACT.accept(answer, arguments)
    assert product["boundaries"] == [0.4, 0.7]
    assert all(type(b) is float for b in product["boundaries"])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "a list of numbers, found NoneType"),
        ("0.4", "a list of numbers, found str"),
        (["0.4"], "numbers as boundaries, found '0.4'"),
        ([float("nan")], "numbers as boundaries, found nan"),
        ([0.7, 0.4], "in ascending order"),
        ([0.4, 0.4], "in ascending order"),
        ([0.0, 0.4], "between 0 and 1"),
        ([1.2], "between 0 and 1"),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "at most 5 boundaries, found 6"),
    ],
)
def test_says_what_is_wrong(arguments: dict[str, Any], answer: Any, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        CONTRACT.accept(answer, arguments)
