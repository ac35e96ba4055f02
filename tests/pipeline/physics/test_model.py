"""Expected events: their sums, their gradients, and the names of the parameters."""

import numpy as np
import pytest

from pipeline.physics.model import Category, Model, Uncertainties
from tests.pipeline.physics.fits import category, four_lepton, typical


def test_names_of_parameters() -> None:
    model = Model([category("a", 100, 10, spurious=1.0)], Uncertainties(0.02, 0.0, 0.1))
    assert model.names == ("mu", "luminosity", "resolution", "spurious:a", "yield:a", "a1:a")
    assert model.constrained == ("luminosity", "resolution", "spurious:a")
    assert four_lepton().constrained == (
        "luminosity", "scale", "resolution", "background", "mc:inclusive",
    )  # fmt: skip


def test_start_is_the_nominal_expectation() -> None:
    model = typical()
    expected = model.expected(model.start())
    sums = [expected[where].sum() for where in model.slices]
    assert sums == pytest.approx([181_000, 20_300, 840, 68], rel=1e-9)
    assert model.background(model.start()).sum() == pytest.approx(200_860, rel=1e-9)


@pytest.mark.parametrize("model", [typical(), four_lepton()], ids=["functions", "template"])
def test_gradient_is_that_of_the_expectation(model: Model) -> None:
    rng = np.random.default_rng(1)
    values = model.start() + rng.normal(0, 0.2, len(model.names))
    for block in model.blocks:
        gradient = block.evaluate(values)[1]
        for row, k in enumerate(block.used):
            step = np.zeros(len(values))
            step[k] = 1e-5
            up, down = block.evaluate(values + step)[0], block.evaluate(values - step)[0]
            assert gradient[row] == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-6)


def test_nuisances_do_what_their_names_say() -> None:
    model = typical()
    nominal = model.start()
    first = model.slices[0]

    def at(name: str, value: float) -> np.ndarray:
        moved = nominal.copy()
        moved[model.index[name]] = value
        return (model.expected(moved) - model.background(moved))[first]

    signal = at("mu", 1.0)
    middles = np.linspace(105.25, 159.75, 110)
    assert at("mu", -2.0).sum() == pytest.approx(-2000, rel=1e-9)
    assert at("luminosity", 1.0).sum() == pytest.approx(1021, rel=1e-9)
    assert at("mc:category 1", -1.0).sum() == pytest.approx(1000 / 1.01, rel=1e-9)
    assert at("spurious:category 1", 2.0).sum() == pytest.approx(1100, rel=1e-9)
    shift = (middles @ at("scale", 1.0) - middles @ signal) / 1000
    assert shift == pytest.approx(0.25, abs=0.002)
    variance = [((middles - 125) ** 2) @ s / s.sum() for s in (signal, at("resolution", 1.0))]
    assert variance[1] / variance[0] == pytest.approx(1.1**2, rel=0.01)


def test_luminosity_moves_a_simulated_background_too() -> None:
    model = four_lepton()
    values = model.start()
    values[model.index["luminosity"]] = 1.0
    values[model.index["background"]] = -1.0
    assert model.background(values).sum() == pytest.approx(25 * 1.021 / 1.1, rel=1e-9)


@pytest.mark.parametrize("model", [typical(), four_lepton()], ids=["functions", "template"])
def test_densities_integrate_to_the_expectation(model: Model) -> None:
    values = model.start()
    values[model.index["resolution"]] = 0.5
    mass = np.arange(105.0025, 160.0, 0.005)
    background, total = model.blocks[0].densities(mass, values)
    where = model.slices[0]
    assert background.sum() * 0.005 == pytest.approx(
        model.background(values)[where].sum(), rel=1e-5
    )
    assert total.sum() * 0.005 == pytest.approx(model.expected(values)[where].sum(), rel=1e-5)


def test_far_away_parameters_do_not_overflow() -> None:
    model = typical()
    assert np.isfinite(model.expected(model.start() + 1e6)).all()


@pytest.mark.parametrize("names", [["a", "a"], []])
def test_categories_need_names_of_their_own(names: list[str]) -> None:
    categories: list[Category] = [category(name, 10, 1) for name in names]
    with pytest.raises(ValueError, match="different names"):
        Model(categories, Uncertainties())
