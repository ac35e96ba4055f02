"""What classify gets and what it accepts."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.files import read_table, write_table
from pipeline.stages.classify.contract import CONTRACT, blocked, reference_path
from pipeline.stages.classify.scored import IS_CONTROL
from pipeline.stages.contract import ContractError
from tests.pipeline.stages.tables import DATA, Chain, Content, diphoton, samples, settings, without

FEW = diphoton(Content(tight=600, loose=900, simulated=80))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    made = Chain.start(tmp_path_factory.mktemp("chain"), FEW, settings())
    made.run("preprocess")
    return made


def honest(arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        name: np.linspace(0, 1, len(arguments[name])) for name in ("signal", "background", "data")
    }


def test_data_rows_come_before_control_rows(chain: Chain) -> None:
    arguments = CONTRACT.arguments(chain.context("classify"))
    marks = arguments["data"][IS_CONTROL].to_numpy()
    assert 0 < marks.sum() < len(marks)
    assert (np.diff(marks.astype(int)) >= 0).all()
    assert arguments["features"] == ["n_jets_central", "n_bjets", "ht_jets", "met_pt", "pt_yy"]
    assert arguments["seed"] == 42


def test_scores_are_joined_to_their_rows(chain: Chain, tmp_path: Path) -> None:
    arguments = CONTRACT.arguments(chain.context("classify"))
    scores = honest(arguments)
    product = CONTRACT.accept(scores, arguments)
    assert list(product) == ["signal", "background", "control", "data"]
    both = np.concatenate([product["data"]["score"], product["control"]["score"]])
    assert (both == scores["data"]).all()
    assert IS_CONTROL not in product["data"].columns
    assert "control_weight" not in product["data"].columns
    assert product["control"]["control_weight"].notna().all()
    CONTRACT.write(product, tmp_path)
    for name, table in CONTRACT.read(tmp_path).items():
        pd.testing.assert_frame_equal(table, product[name])


def learned(**tables: pd.DataFrame) -> dict[str, Any]:
    """Scores of nothing but the event's number."""
    return {name: (table["event_number"] % 97 / 97).to_numpy() for name, table in tables.items()}


@pytest.mark.parametrize("empty", [None, "data", "control"])
def test_the_same_files_whatever_a_solution_asks_for(tmp_path: Path, empty: str | None) -> None:
    chain = Chain.start(tmp_path / "chain", FEW, settings())
    chain.product("preprocess")
    if empty:
        path = chain.folder / "preprocess" / "output" / f"{empty}.parquet"
        write_table(path, read_table(path).iloc[:0])
    found, seen = [], []
    for stored in (False, True):
        for names in (None, ["event_number"]):
            arguments = CONTRACT.arguments(replace(chain.context("classify"), stored=stored))

            def scores(signal: Any, background: Any, data: Any, *rest: Any) -> dict[str, Any]:
                seen.append(list(data.columns))
                return learned(signal=signal, background=background, data=data)

            solution: Any = SimpleNamespace(scores=scores, COLUMNS=names)
            folder = tmp_path / f"{stored}-{names}"
            CONTRACT.write(CONTRACT.accept(CONTRACT.call(solution, arguments), arguments), folder)
            found.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert len(found[0]) == 4
    assert found[0] == found[1] == found[2] == found[3]
    assert set(seen[1]) == set(seen[3]) == {"event_number", IS_CONTROL, *arguments["features"]}
    assert set(seen[0]) == set(seen[2]) > {"m_yy", *seen[1]}


def test_sealed_pass_reads_the_blinded_rows(chain: Chain) -> None:
    plain = CONTRACT.arguments(chain.context("classify"))["data"]
    sealed = CONTRACT.arguments(chain.context("classify", sealed=True))["data"]
    assert len(sealed) > len(plain)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: s.pop("data"), "expected scores to return a dict of"),
        (lambda s: s.update(signal=s["signal"][1:]), "scores of 'signal', one per row"),
        (lambda s: s.update(signal=s["signal"] + 1.5), r"'signal' from 0 to 1, found 1\.5"),
        (lambda s: s.update(data=s["data"] * np.nan), "'data' from 0 to 1, found nan"),
        (lambda s: s.update(background=["a"]), "numbers as the scores of 'background'"),
    ],
)
def test_says_what_is_wrong(chain: Chain, spoil: Any, message: str) -> None:
    arguments = CONTRACT.arguments(chain.context("classify"))
    scores = honest(arguments)
    spoil(scores)
    with pytest.raises(ContractError, match=message):
        CONTRACT.accept(scores, arguments)


def test_classifier_of_the_settings() -> None:
    assert reference_path(settings()).name == "reference.py"
    path = reference_path(settings("classifier=tabpfn"))
    assert path.name == "tabpfn.py"
    assert path.exists()


def test_blocked_without_signal_says_which_sample(tmp_path: Path) -> None:
    facts = without(samples(FEW), [name for name in FEW if name != DATA], "no file was found")
    chain = Chain.start(tmp_path, FEW, settings(), facts)
    chain.run("preprocess")
    reason = blocked(chain.context("classify"))
    assert reason is not None
    assert reason.startswith("no simulated signal sample is complete: ggH (343981): no file")


def test_blocked_without_loose_data(tmp_path: Path) -> None:
    tables = dict(FEW)
    flags = ["ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated"]
    tables[DATA] = tables[DATA][tables[DATA][flags].all(axis=1)].reset_index(drop=True)
    chain = Chain.start(tmp_path, tables, settings())
    chain.run("preprocess")
    assert blocked(chain.context("classify")) == (
        "no non-tight or non-isolated data to train a classifier on: the table 'background' has "
        "no rows"
    )


def test_not_blocked_with_both(chain: Chain) -> None:
    assert blocked(chain.context("classify")) is None
    assert blocked(chain.context("classify", sealed=True)) is None
