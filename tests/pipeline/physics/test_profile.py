"""Profile likelihood: intervals, scans, significances."""

import math

import numpy as np
import pytest

from pipeline.physics.fit import covariance
from pipeline.physics.likelihood import Likelihood, Observation
from pipeline.physics.model import MU, Model, Uncertainties
from pipeline.physics.profile import NINETY_FIVE, Profile, asimov, expected_significance
from pipeline.physics.significance import asimov_z, combine
from tests.pipeline.physics.fits import category, four_lepton, typical

COUNTING = Model([category("a", 50, 10, width=55.0)], Uncertainties())
HELD = {"yield:a": 0.0, "a1:a": -1.0}


def counting(n: float) -> Profile:
    """A counting experiment: 10 mu + 50 events expected, n seen."""
    return Profile(Likelihood(COUNTING, Observation(np.array([n]), np.empty(0))), HELD)


@pytest.fixture(scope="module")
def at_asimov() -> Profile:
    model = typical()
    return Profile(Likelihood(model, asimov(model, model.start())))


def two_delta(mu: float, n: float) -> float:
    nu = 50 + 10 * mu
    return 2 * (nu - n + n * math.log(n / nu))


def test_counting_experiment_follows_the_formula() -> None:
    profile = counting(75.0)
    points = [0.0, 1.0, 2.5, 4.0]
    assert profile.scan(points) == pytest.approx(
        [two_delta(mu, 75) for mu in points], rel=1e-3, abs=1e-5
    )
    assert profile.significance() == pytest.approx(asimov_z(25, 50), rel=2e-4)
    for rise in (1.0, NINETY_FIVE):
        low, high = profile.interval(rise)
        assert two_delta(low, 75) == pytest.approx(rise, rel=2e-3)
        assert two_delta(high, 75) == pytest.approx(rise, rel=2e-3)
        assert low < 2.5 < high


def test_deficit_has_no_significance_and_a_negative_mu() -> None:
    profile = counting(40.0)
    assert profile.best[MU] == pytest.approx(-1.0, abs=1e-3)
    assert profile.significance() == 0.0


def test_expected_significance_is_near_that_of_the_peak_s_bins() -> None:
    """With shape and yield of the background known well, bins add up as categories do."""
    one = category("a", 1e4, 200)
    model = Model([one], Uncertainties())
    values = model.start()
    profile = Profile(Likelihood(model, asimov(model, values)))
    background = model.background(values)
    signal = model.expected(values) - background
    bins = [asimov_z(s, b) for s, b in zip(signal, background, strict=True)]
    assert expected_significance(profile) == pytest.approx(combine(bins), rel=0.1)
    assert expected_significance(profile) < combine(bins)


def test_interval_is_where_the_likelihood_has_risen(at_asimov: Profile) -> None:
    for rise in (1.0, NINETY_FIVE):
        low, high = at_asimov.interval(rise)
        assert at_asimov.scan([low, high]) == pytest.approx([rise, rise], rel=5e-3)
    low, high = at_asimov.interval()
    matrix = covariance(at_asimov.likelihood, at_asimov.best.values, {})
    assert (high - low) / 2 == pytest.approx(matrix[0, 0] ** 0.5, rel=0.03)
    assert at_asimov.mu_error == pytest.approx(matrix[0, 0] ** 0.5, rel=0.01)
    assert high - 1 > 1 - low


def test_expected_equals_observed_on_asimov_data(at_asimov: Profile) -> None:
    assert at_asimov.significance() == pytest.approx(expected_significance(at_asimov), rel=1e-3)


def test_scan_is_lowest_at_the_best_value(at_asimov: Profile) -> None:
    points = np.linspace(0.5, 1.5, 11)
    found = at_asimov.scan(points)
    assert points[found.argmin()] == pytest.approx(1.0)
    assert (np.diff(found[:6]) < 0).all()
    assert (np.diff(found[5:]) > 0).all()


def test_freezing_nuisances_makes_the_interval_shorter(at_asimov: Profile) -> None:
    best = at_asimov.best
    nuisances = {name: best[name] for name in at_asimov.likelihood.model.constrained}
    low, high = Profile(at_asimov.likelihood, nuisances, best.values).interval()
    wide = at_asimov.interval()
    assert wide[0] < low < 1 < high < wide[1]


def test_few_events_and_simulated_background() -> None:
    model = four_lepton()
    profile = Profile(Likelihood(model, asimov(model, model.start())))
    low, high = profile.interval()
    assert (1 - low, high - 1) == (pytest.approx(0.31, abs=0.05), pytest.approx(0.37, abs=0.05))
    assert expected_significance(profile) == pytest.approx(4.7, abs=0.4)


def test_no_events_at_all_push_mu_to_the_wall() -> None:
    model = four_lepton(background=2.0, signal=3.0)
    places = np.zeros(len(model.constrained))
    profile = Profile(Likelihood(model, Observation(np.zeros(22), places)))
    assert profile.best[MU] < 0
    assert model.expected(profile.best.values).min() > -1e-3
    assert profile.interval()[1] > profile.best[MU]
    assert profile.significance() == 0.0
