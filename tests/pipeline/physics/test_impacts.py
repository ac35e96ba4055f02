"""Where the error of mu comes from."""

import math

import pytest

from pipeline.physics.impacts import error_budget, impacts
from pipeline.physics.likelihood import Likelihood
from pipeline.physics.model import Model, Uncertainties
from pipeline.physics.profile import Profile, asimov
from tests.pipeline.physics.fits import category, typical


def at_asimov(model: Model) -> Profile:
    return Profile(Likelihood(model, asimov(model, model.start())))


def test_parts_add_up_in_quadrature() -> None:
    budget = error_budget(at_asimov(typical()))
    for side in (0, 1):
        parts = (budget.statistical, budget.systematic, budget.luminosity)
        total = math.sqrt(sum(part[side] ** 2 for part in parts))
        assert total == pytest.approx(abs(budget.total[side]), rel=1e-9)
        assert all(part[side] * (-1, 1)[side] > 0 for part in parts)


def test_luminosity_error_is_that_of_the_luminosity() -> None:
    budget = error_budget(at_asimov(typical()))
    mean = (budget.luminosity[1] - budget.luminosity[0]) / 2
    assert mean == pytest.approx(0.021, rel=0.15)


def test_without_nuisances_everything_is_statistics() -> None:
    budget = error_budget(at_asimov(Model([category("a", 2000, 200)], Uncertainties())))
    assert budget.systematic == (0.0, 0.0)
    assert budget.luminosity == (0.0, 0.0)
    assert budget.statistical == budget.total


def test_impacts_have_their_sign_and_size() -> None:
    profile = at_asimov(typical())
    model = profile.likelihood.model
    found = impacts(profile, dict.fromkeys(model.constrained, 1.0))
    # More luminosity means more expected signal, hence a smaller mu; a wider peak a larger one.
    assert found["luminosity"][1] == pytest.approx(1 / 1.021 - 1, rel=0.02)
    assert found["luminosity"][0] == pytest.approx(1.021 - 1, rel=0.02)
    assert found["resolution"][0] < 0 < found["resolution"][1]
    assert found["spurious:category 1"][1] < 0
    assert set(found) == set(model.constrained)
