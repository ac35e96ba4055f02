"""TabPFN: the sentences where it is missing, and the splitting around it.

The package needs a gigabyte of PyTorch, and weights that this project does not ship: where the code
around the model is tested, one of scikit-learn takes its place.
"""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from pipeline.physics.roc import roc_curve
from pipeline.stages.classify import tabpfn
from pipeline.stages.classify.contract import CONTRACT
from tests.pipeline.stages.tables import Chain, Content, diphoton, settings


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    tables = diphoton(Content(tight=800, loose=1_500, simulated=500))
    chain = Chain.start(tmp_path_factory.mktemp("chain"), tables, settings("classifier=tabpfn"))
    chain.run("preprocess")
    return CONTRACT.arguments(chain.context("classify"))


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """A module `tabpfn` whose classifier is a logistic regression; gives what it was made with."""
    made: list[dict[str, Any]] = []

    class TabPFNClassifier(LogisticRegression):
        def __init__(self, **options: Any) -> None:
            made.append(options)
            super().__init__(max_iter=2000)

        def fit(self, x: np.ndarray, y: np.ndarray) -> Any:
            made[-1].update(rows=len(x), signal=int(y.sum()), dtype=x.dtype)
            return super().fit(x / 100, y)

        def predict_proba(self, x: np.ndarray) -> np.ndarray:
            return super().predict_proba(x / 100)

    module = ModuleType("tabpfn")
    module.TabPFNClassifier = TabPFNClassifier  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tabpfn", module)
    monkeypatch.setenv("TABPFN_MODEL_CACHE_DIR", str(tmp_path))
    (tmp_path / "tabpfn-v2-classifier.ckpt").write_bytes(b"")
    return made


def test_missing_package_is_one_clear_sentence(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any]
) -> None:
    monkeypatch.setitem(sys.modules, "tabpfn", None)
    with pytest.raises(tabpfn.TabPFNMissingError) as caught:
        tabpfn.scores(**arguments)
    assert isinstance(caught.value, ModuleNotFoundError)
    assert "expected the package tabpfn for classifier=tabpfn, found none" in str(caught.value)
    assert "classifier=gradient_boosting" in str(caught.value)


def test_missing_weights_are_one_clear_sentence(
    package: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TABPFN_MODEL_CACHE_DIR", str(tmp_path / "empty"))
    with pytest.raises(tabpfn.TabPFNWeightsMissingError) as caught:
        tabpfn.load_model(42)
    assert isinstance(caught.value, FileNotFoundError)
    assert f"in {tmp_path / 'empty'}, found none" in str(caught.value)
    assert "TABPFN_MODEL_CACHE_DIR" in str(caught.value)


def test_weights_are_looked_for_where_the_package_keeps_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TABPFN_MODEL_CACHE_DIR", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "tabpfn"
    folder.mkdir()
    for name in ("tabpfn-v2-regressor.ckpt", "tabpfn-v2-classifier.ckpt"):
        (folder / name).write_bytes(b"")
    assert tabpfn.find_weights() == folder / "tabpfn-v2-classifier.ckpt"


def test_each_half_is_scored_by_the_model_of_the_other(
    package: list[dict[str, Any]], arguments: dict[str, Any]
) -> None:
    found = tabpfn.scores(**arguments)
    assert [made["dtype"] for made in package] == [np.float32, np.float32]
    assert [made["random_state"] for made in package] == [42, 42]
    assert all(made["device"] == "cpu" for made in package)
    total = len(arguments["signal"]) + len(arguments["background"])
    assert sum(made["rows"] for made in package) == pytest.approx(total, abs=2)
    product = CONTRACT.accept(found, arguments)
    curve = roc_curve(
        product["signal"]["score"],
        product["signal"]["weight"],
        product["background"]["score"],
        product["background"]["weight"],
    )
    assert 0.58 < curve.area < 0.75


def test_any_order_of_rows_gives_the_same_scores(
    package: list[dict[str, Any]], arguments: dict[str, Any]
) -> None:
    found = tabpfn.scores(**arguments)
    order = np.random.default_rng(1).permutation(len(arguments["signal"]))
    mixed = {**arguments, "signal": arguments["signal"].iloc[order].reset_index(drop=True)}
    again = tabpfn.scores(**mixed)
    assert (again["signal"] == found["signal"][order]).all()
    assert (again["data"] == found["data"]).all()


def test_context_is_no_larger_than_the_model_was_made_for(
    package: list[dict[str, Any]], arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tabpfn, "TRAINING_ROWS", 200)
    tabpfn.scores(**arguments)
    assert [(made["rows"], made["signal"]) for made in package] == [(200, 100), (200, 100)]


def test_missing_values_are_zero(package: list[dict[str, Any]], arguments: dict[str, Any]) -> None:
    some = arguments["data"].iloc[:20]
    holed = {**arguments, "data": some.assign(pt_yy=np.nan, met_pt=np.nan)}
    zeros = {**arguments, "data": some.assign(pt_yy=0.0, met_pt=0.0)}
    assert (tabpfn.scores(**holed)["data"] == tabpfn.scores(**zeros)["data"]).all()


def test_nothing_to_score_is_no_fault(
    package: list[dict[str, Any]], arguments: dict[str, Any]
) -> None:
    none = {**arguments, "data": pd.DataFrame(arguments["data"].iloc[:0])}
    assert tabpfn.scores(**none)["data"].shape == (0,)
