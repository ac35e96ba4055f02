"""The likelihood: its value, its derivatives, and its wall at negative expectations."""

import numpy as np
import pytest

from pipeline.physics.likelihood import Likelihood, Observation
from pipeline.physics.model import Model, Uncertainties
from pipeline.physics.profile import asimov
from pipeline.physics.pseudo import pseudo_data
from tests.pipeline.physics.fits import category, four_lepton, typical


def numerical(likelihood: Likelihood, values: np.ndarray, step: float = 1e-5) -> np.ndarray:
    moves = step * np.eye(len(values))
    rises = [likelihood.value(values + m) - likelihood.value(values - m) for m in moves]
    return np.array(rises) / (2 * step)


def test_zero_where_expectation_and_data_agree() -> None:
    model = typical()
    likelihood = Likelihood(model, asimov(model, model.start()))
    assert likelihood.value(model.start()) == pytest.approx(0.0, abs=1e-7)
    assert np.abs(likelihood.gradient(model.start())).max() < 1e-8


def test_is_the_poisson_probability_ratio() -> None:
    model = Model([category("a", 30, 3, width=5.0)], Uncertainties())
    counts = np.array([5.0, 0.0, 7.0, 2.0, 1.0, 4.0, 0.0, 3.0, 1.0, 0.0, 2.0])
    likelihood = Likelihood(model, Observation(counts, np.empty(0)))
    nu = model.expected(model.start())
    expected = sum(v - n + (n * np.log(n / v) if n else 0) for n, v in zip(counts, nu, strict=True))
    assert likelihood.value(model.start()) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("model", [typical(), four_lepton()], ids=["functions", "template"])
def test_gradient(model: Model) -> None:
    rng = np.random.default_rng(2)
    likelihood = Likelihood(model, pseudo_data(model, model.start(), rng))
    values = model.start() + rng.normal(0, 0.05, len(model.names))
    found, expected = likelihood.gradient(values), numerical(likelihood, values)
    assert found == pytest.approx(expected, rel=2e-5, abs=1e-3)


def test_wall_is_continuous_and_pushes_back() -> None:
    model = Model([category("a", 2, 1, width=5.0)], Uncertainties())
    likelihood = Likelihood(model, Observation(np.zeros(11), np.empty(0)))
    values = model.start()
    peak = np.diff(model.categories[0].signal.cdf(model.categories[0].edges)).max()
    values[0] = -2 * model.background(values)[4] / peak
    assert model.expected(values).min() < 0
    assert likelihood.gradient(values)[0] < 0
    expected = numerical(likelihood, values, 1e-4)
    assert likelihood.gradient(values) == pytest.approx(expected, rel=1e-3)
    higher = values.copy()
    higher[0] /= 4
    assert likelihood.value(higher) < likelihood.value(values)


def test_information_is_the_curvature_at_asimov_data() -> None:
    model = typical()
    likelihood = Likelihood(model, asimov(model, model.start()))
    moves = 1e-4 * np.eye(len(model.names))
    curvature = np.array(
        [
            (likelihood.gradient(model.start() + m) - likelihood.gradient(model.start() - m)) / 2e-4
            for m in moves
        ]
    )
    information = likelihood.information(model.start())
    unit = np.sqrt(np.diag(information))
    assert curvature / np.outer(unit, unit) == pytest.approx(
        information / np.outer(unit, unit), abs=1e-4
    )


def test_bins_that_are_not_used_do_not_count() -> None:
    model = Model([category("a", 300, 30)], Uncertainties())
    used = np.arange(110) % 2 == 0
    counts = model.expected(model.start())
    other = np.where(used, counts, 1e6)
    likelihood = Likelihood(model, Observation(other, np.empty(0)), used)
    assert likelihood.value(model.start()) == pytest.approx(0.0, abs=1e-9)
    assert np.abs(likelihood.gradient(model.start())).max() < 1e-9


@pytest.mark.parametrize("counts", [np.ones(3), np.full(110, -1.0), np.full(110, np.nan)])
def test_impossible_counts_are_an_error(counts: np.ndarray) -> None:
    model = Model([category("a", 300, 30)], Uncertainties())
    with pytest.raises(ValueError, match="expected counts"):
        Likelihood(model, Observation(counts, np.empty(0)))
