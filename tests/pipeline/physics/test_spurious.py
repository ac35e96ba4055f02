"""The choice of the background function, and the signal that it can fake."""

import numpy as np
import pytest

from pipeline.physics.background import FAMILIES
from pipeline.physics.regions import bin_edges, bins_inside
from pipeline.physics.signal import DoubleCrystalBall
from pipeline.physics.spurious import Choice, Spectrum, choose_background, fit_background
from tests.pipeline.physics.fits import family

RANGE = (105.0, 160.0)
EDGES = bin_edges(RANGE, 0.5)
MIDDLE = (EDGES[1:] + EDGES[:-1]) / 2
SIDEBAND = bins_inside(EDGES, [(105.0, 120.0), (130.0, 160.0)])
SIGNAL = DoubleCrystalBall(125.0, 1.6)
WINDOW = (123.0, 127.0)


def straight(mass: np.ndarray) -> np.ndarray:
    return np.exp(-(mass - 105) / 27)


def curved(mass: np.ndarray) -> np.ndarray:
    return np.exp(-(mass - 105) / 20 + 0.5 * ((mass - 105) / 40) ** 2)


def spectrum(shape=straight, data=20_000.0, template=200_000.0, seed: int | None = 1) -> Spectrum:  # type: ignore[no-untyped-def]
    share = shape(MIDDLE) / shape(MIDDLE).sum()
    expected, looser = data * share, template * share
    if seed is not None:
        rng = np.random.default_rng(seed)
        expected, looser = rng.poisson(expected) + 0.0, rng.poisson(looser) + 0.0
    return Spectrum(EDGES, expected * SIDEBAND, SIDEBAND, 0.3 * looser, 0.09 * looser)


def choose(given: Spectrum, signal: float = 120.0) -> Choice:
    return choose_background(given, SIGNAL, signal, WINDOW)


def test_sideband_fit_extrapolates_to_the_whole_range() -> None:
    given = spectrum(seed=None)
    fitted, valid = fit_background(given, family("exponential"))
    assert valid
    assert fitted.background_yield == pytest.approx(20_000, rel=2e-3)
    assert fitted.shape == (pytest.approx(-27.5 / 27, rel=2e-3),)


def test_exponential_is_chosen_for_an_exponential() -> None:
    choice = choose(spectrum())
    assert choice.chosen.family.name == "exponential"
    assert choice.chosen.accepted
    assert len(choice.candidates) == len(FAMILIES)
    power = next(c for c in choice.candidates if c.family.name == "power law")
    assert power.spurious_signal > 3 * power.template_error


def test_more_parameters_for_a_curved_spectrum() -> None:
    choice = choose(spectrum(curved, data=200_000.0, template=2_000_000.0), signal=1_200.0)
    simple = next(c for c in choice.candidates if c.family.name == "exponential")
    assert simple.sideband.probability < 0.01
    assert not simple.accepted
    assert choice.chosen.family.n_parameters == 2
    assert choice.chosen.accepted


def test_spurious_signal_without_fluctuations_is_the_function_s_own() -> None:
    choice = choose(spectrum(seed=None))
    straight_on = next(c for c in choice.candidates if c.family.name == "exponential")
    assert abs(straight_on.spurious_signal) < 0.005 * straight_on.signal_error
    assert straight_on.tolerance == pytest.approx(max(12.0, 0.2 * straight_on.signal_error))
    assert choice.spurious == pytest.approx(abs(choice.chosen.spurious_signal))


def test_template_error_is_the_spread_of_the_spurious_signal() -> None:
    quick = (family("exponential"),)
    found = [
        choose_background(
            spectrum(template=20_000.0, seed=seed), SIGNAL, 120.0, (125.0, 125.0), quick
        ).chosen
        for seed in range(60)
    ]
    spread = np.std([c.spurious_signal for c in found])
    assert spread == pytest.approx(np.mean([c.template_error for c in found]), rel=0.25)
    assert np.mean([c.template_error for c in found]) == pytest.approx(
        np.mean([c.signal_error for c in found]), rel=0.1
    )


def test_size_of_the_nuisance_is_bounded_by_the_tolerance_when_accepted() -> None:
    for seed in range(4):
        choice = choose(spectrum(template=10_000.0, seed=seed))
        if choice.chosen.accepted:
            assert choice.spurious <= choice.chosen.tolerance
        else:
            assert choice.spurious == choice.chosen.excess > choice.chosen.tolerance


def test_bias_enters_in_full_where_no_function_passes() -> None:
    def bumpy(mass: np.ndarray) -> np.ndarray:
        return straight(mass) + 0.2 * np.exp(-(((mass - 125) / 1.6) ** 2) / 2)

    choice = choose(spectrum(bumpy))
    assert not any(c.accepted for c in choice.candidates)
    assert choice.spurious == choice.chosen.excess > 5 * choice.chosen.tolerance


@pytest.mark.parametrize(
    ("data", "tried"), [(0.0, 2), (8.0, 2), (18.0, 5), (40.0, 7), (2_000.0, 7)]
)
def test_few_events_get_few_parameters(data: float, tried: int) -> None:
    choice = choose(spectrum(data=data / SIDEBAND_SHARE, seed=None), signal=0.5)
    assert len(choice.candidates) == tried
    assert choice.chosen.family.n_parameters == 1
    assert np.isfinite(choice.spurious)


SIDEBAND_SHARE = float(straight(MIDDLE)[SIDEBAND].sum() / straight(MIDDLE).sum())


def test_without_a_template_all_that_is_tolerated_is_assumed() -> None:
    choice = choose(spectrum(template=0.0), signal=50.0)
    assert choice.chosen.accepted
    assert choice.spurious == pytest.approx(5.0)
