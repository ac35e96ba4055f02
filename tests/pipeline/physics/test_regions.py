"""Regions, their edges, and the scale factors of physics.md."""

import numpy as np
import pytest

from pipeline.physics.regions import (
    ScaleFactors,
    between,
    bin_edges,
    bins_inside,
    inside,
    inside_any,
    scale_factors,
    tight_isolated,
)

SIDEBANDS = [(105.0, 120.0), (130.0, 160.0)]


def test_worked_example() -> None:
    factors = ScaleFactors(n_ti_sideband=512, n_nti_sideband=15771, n_nti_window=1537)
    assert factors.sf1 == 512 / 15771
    assert factors.sf2 == 1537 / 15771
    assert round(factors.expected_in_window, 1) == 49.9


def test_no_loose_events_give_no_estimate_and_no_crash() -> None:
    assert ScaleFactors(512, 0, 0).expected_in_window == 0.0


def test_edges_belong_to_the_sidebands_and_not_to_the_blinded_range() -> None:
    mass = np.array([105.0, 120.0, 120.001, 125.0, 130.0, 160.0, 160.001, np.nan])
    assert inside_any(mass, SIDEBANDS).tolist() == [1, 1, 0, 0, 1, 1, 0, 0]
    assert between(mass, (120.0, 130.0)).tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    assert not (inside_any(mass, SIDEBANDS) & between(mass, (120.0, 130.0))).any()
    assert inside(mass, (105.0, 160.0)).tolist() == [1, 1, 1, 1, 1, 1, 0, 0]


def test_tight_isolated_needs_every_flag() -> None:
    flags = [[True, True], [True, True], [True, False], [True, True]]
    assert tight_isolated(*flags).tolist() == [True, False]


def test_counting() -> None:
    mass = np.array([110.0, 110.0, 150.0, 125.0, 122.0, 124.0, 90.0])
    tight = np.array([True, False, False, False, False, True, False])
    assert scale_factors(mass, tight, SIDEBANDS, (123.0, 127.0)) == ScaleFactors(1, 2, 1)


def test_bins() -> None:
    edges = bin_edges((105.0, 160.0), 2.5)
    assert (len(edges), edges[0], edges[-1]) == (23, 105.0, 160.0)
    assert bins_inside(edges, SIDEBANDS).sum() == 18
    assert bins_inside(edges, [(120.0, 130.0)]).sum() == pytest.approx(4)
