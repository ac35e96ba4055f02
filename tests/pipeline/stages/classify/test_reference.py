"""Our classifier: separates, does not leak, does not know the mass, does not mind the order."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.physics.roc import roc_curve
from pipeline.physics.sculpting import sculpting
from pipeline.stages.classify.contract import CONTRACT
from pipeline.stages.classify.reference import FOLDS, fold_of, scores
from tests.pipeline.stages.tables import Chain, Content, diphoton, settings


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    tables = diphoton(Content(tight=4_000, loose=8_000, simulated=2_500))
    chain = Chain.start(tmp_path_factory.mktemp("chain"), tables, settings())
    chain.run("preprocess")
    return CONTRACT.arguments(chain.context("classify"))


@pytest.fixture(scope="module")
def found(arguments: dict[str, Any]) -> dict[str, np.ndarray]:
    return scores(**arguments)


def area(found: dict[str, np.ndarray], arguments: dict[str, Any]) -> float:
    return roc_curve(
        found["signal"],
        arguments["signal"]["weight"],
        found["background"],
        arguments["background"]["weight"],
    ).area


def test_separates_signal_from_background(
    found: dict[str, np.ndarray], arguments: dict[str, Any]
) -> None:
    assert 0.62 < area(found, arguments) < 0.72
    process = arguments["signal"]["process"].to_numpy()
    means = {name: found["signal"][process == name].mean() for name in ("ggH", "VBF", "ttH")}
    assert means["ttH"] > means["VBF"] > means["ggH"] > found["background"].mean()
    assert all(((s >= 0) & (s <= 1)).all() for s in found.values())


def test_any_order_of_rows_gives_the_same_bits(
    found: dict[str, np.ndarray], arguments: dict[str, Any]
) -> None:
    rng = np.random.default_rng(3)
    mixed, orders = dict(arguments), {}
    for name in ("signal", "background", "data"):
        orders[name] = rng.permutation(len(arguments[name]))
        mixed[name] = arguments[name].iloc[orders[name]].reset_index(drop=True)
    again = scores(**mixed)
    for name, order in orders.items():
        assert (again[name] == found[name][order]).all()


def test_random_labels_give_one_half(arguments: dict[str, Any]) -> None:
    both = pd.concat([arguments["signal"], arguments["background"]], ignore_index=True)
    both = both.assign(weight=1.0, event_number=np.arange(len(both)))
    label = np.random.default_rng(5).random(len(both)) < 0.5
    mixed = {**arguments, "signal": both[label], "background": both[~label]}
    mixed["data"] = both.iloc[:10]
    assert area(scores(**mixed), mixed) == pytest.approx(0.5, abs=0.02)


def test_rows_are_not_scored_by_a_model_that_saw_them(arguments: dict[str, Any]) -> None:
    """A feature that is pure noise, unlike in every row: a model would know its own rows by it."""
    rng = np.random.default_rng(6)
    noisy = {
        name: arguments[name].assign(noise=rng.random(len(arguments[name])))
        for name in ("signal", "background", "data")
    }
    noisy["signal"] = noisy["signal"].assign(weight=1.0)
    found = scores(**noisy, features=["noise"], seed=1)
    assert area(found, {**arguments, **noisy}) == pytest.approx(0.5, abs=0.025)


def test_data_rows_do_not_change_other_scores(
    found: dict[str, np.ndarray], arguments: dict[str, Any]
) -> None:
    fewer = {**arguments, "data": arguments["data"].iloc[::7]}
    again = scores(**fewer)
    assert (again["signal"] == found["signal"]).all()
    assert (again["data"] == found["data"][::7]).all()


def test_control_rows_are_scored_like_background(
    found: dict[str, np.ndarray], arguments: dict[str, Any]
) -> None:
    control = found["data"][arguments["data"]["is_control"].to_numpy()]
    background = found["background"]
    spread = background.std() * (1 / len(control) + 1 / len(background)) ** 0.5
    assert abs(control.mean() - background.mean()) < 3.5 * spread


def test_mass_is_not_sculpted(found: dict[str, np.ndarray], arguments: dict[str, Any]) -> None:
    background = arguments["background"]
    for cut in (0.4, 0.6):
        seen = sculpting(background["m_yy"], found["background"], background["weight"], cut)
        assert seen.p_value > 1e-3


def test_signs_of_weights_do_not_matter_in_training(arguments: dict[str, Any]) -> None:
    signal = arguments["signal"]
    flipped = {**arguments, "signal": signal.assign(weight=signal["weight"].abs())}
    assert (scores(**flipped)["background"] == scores(**arguments)["background"]).all()


def test_folds_are_even_and_depend_on_the_number_alone() -> None:
    folds = fold_of(np.arange(100_000))
    assert np.bincount(folds, minlength=FOLDS) == pytest.approx(np.full(FOLDS, 20_000), rel=0.03)
    assert (fold_of(np.arange(100_000)[::-1]) == folds[::-1]).all()
    assert np.bincount(fold_of(np.arange(1, 100_000, 5))) == pytest.approx(
        np.full(FOLDS, 4_000), rel=0.06
    )


def test_class_without_rows_in_some_fold_is_an_error(arguments: dict[str, Any]) -> None:
    one = {**arguments, "signal": arguments["signal"].iloc[:1]}
    with pytest.raises(ValueError, match="signal and background to train on in every fold"):
        scores(**one)


def test_missing_features_are_taken_as_they_are(arguments: dict[str, Any]) -> None:
    holed = {**arguments, "data": arguments["data"].iloc[:50].assign(pt_yy=np.nan)}
    assert np.isfinite(scores(**holed)["data"]).all()
