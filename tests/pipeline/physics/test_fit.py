"""Fits: the right minimum, from good starts and bad, and the covariance there."""

import numpy as np
import pytest

from pipeline.physics.fit import Minimiser, covariance
from pipeline.physics.likelihood import Likelihood, Observation
from pipeline.physics.model import MU, Model, Uncertainties
from pipeline.physics.profile import asimov
from tests.pipeline.physics.fits import category, typical


def test_asimov_data_give_back_their_parameters() -> None:
    model = typical()
    truth = model.start()
    truth[model.index[MU]] = 2.0
    truth[model.index["a1:category 2"]] = -0.8
    truth[model.index["yield:category 4"]] = 0.3
    truth[model.index["scale"]] = 0.7
    fit = Minimiser(Likelihood(model, asimov(model, truth))).fit()
    assert fit.valid
    assert fit.value == pytest.approx(0.0, abs=1e-4)
    assert fit.values == pytest.approx(truth, abs=5e-3)
    assert fit[MU] == pytest.approx(2.0, abs=1e-3)


def test_flat_start_reaches_the_same_minimum() -> None:
    model = typical()
    minimiser = Minimiser(Likelihood(model, asimov(model, model.start())))
    flat = np.zeros(len(model.names))
    fit = minimiser.fit(start=flat)
    assert fit.valid
    assert fit[MU] == pytest.approx(1.0, abs=5e-3)


def test_one_number_has_its_textbook_answer() -> None:
    """One bin-counting experiment without nuisances: mu = (n - b)/s, error √n/s."""
    one = category("a", 50, 10, width=55.0)
    model = Model([one], Uncertainties())
    held = {"yield:a": 0.0, "a1:a": -1.0}
    likelihood = Likelihood(model, Observation(np.array([75.0]), np.empty(0)))
    minimiser = Minimiser(likelihood, frozen=held)
    fit = minimiser.fit()
    assert fit[MU] == pytest.approx(2.5, abs=1e-3)
    error = covariance(likelihood, fit.values, held)[0, 0] ** 0.5
    assert error == pytest.approx(75**0.5 / 10, rel=1e-4)
    assert fit.n_calls == minimiser.n_calls > 0


def test_held_parameters_stay() -> None:
    model = typical()
    minimiser = Minimiser(Likelihood(model, asimov(model, model.start())), frozen={"scale": 0.4})
    fit = minimiser.fit({MU: 0.0})
    assert (fit[MU], fit["scale"]) == (0.0, 0.4)


@pytest.mark.parametrize("function", ["exponential", "exponential of 2nd order"])
def test_category_without_events_is_fitted_all_the_same(function: str) -> None:
    shape = (-1.0, 0.1)[: 1 if function == "exponential" else 2]
    model = Model([category("a", 30, 3, function=function, shape=shape)], Uncertainties(0.02))
    fit = Minimiser(Likelihood(model, Observation(np.zeros(110), np.zeros(1)))).fit({MU: 1.0})
    assert fit.valid
    assert model.background(fit.values).sum() < 0.01


def test_covariance_of_constrained_parameters_without_information() -> None:
    model = typical()
    likelihood = Likelihood(model, asimov(model, model.start()))
    matrix = covariance(likelihood, model.start(), {"scale": 0.0})
    index = model.index["mc:category 4"]
    assert matrix[index, index] == pytest.approx(1.0, abs=0.01)
    assert (matrix[model.index["scale"]] == 0).all()
    assert matrix == pytest.approx(matrix.T)


def test_what_the_data_do_not_determine_has_a_large_and_finite_error() -> None:
    """An empty category beside a good one: it does not spoil the errors of the others."""
    good = category("good", 3000, 300)
    both = Model([good, category("empty", 1.0, 0.0)], Uncertainties())
    counts = both.expected(both.start())
    counts[both.slices[1]] = 0.0
    likelihood = Likelihood(both, Observation(counts, np.empty(0)))
    fit = Minimiser(likelihood).fit()
    matrix = covariance(likelihood, fit.values, {})
    alone = Model([good], Uncertainties())
    expected = covariance(Likelihood(alone, asimov(alone, alone.start())), alone.start(), {})
    assert matrix[0, 0] == pytest.approx(expected[0, 0], rel=1e-3)
    shape = both.index["a1:empty"]
    assert 1 < matrix[shape, shape] ** 0.5 <= 1000
    assert np.isfinite(matrix).all()
