"""How fast sandboxed events are, against the same function in the same process."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from executors.sandbox import Limits
from tests.executors.sandbox.conftest import made

pytestmark = [pytest.mark.sandbox, pytest.mark.benchmark]

EVENTS, CALLS = 100_000, 10
SOLUTION = '''
import awkward as ak
import numpy as np


def convert(events):
    """Events with two photons as the channel wants them, and m_yy of the leading two."""
    order = ak.argsort(events.photon_pt, ascending=False)
    pt, eta, phi = (events[f"photon_{name}"][order] for name in ("pt", "eta", "phi"))
    two = ak.num(pt) >= 2
    (pt1, pt2), (eta1, eta2), (phi1, phi2) = (
        [ak.to_numpy(values[two][:, i]).astype(np.float64) for i in (0, 1)]
        for values in (pt, eta, phi)
    )
    m_yy = np.sqrt(2 * pt1 * pt2 * (np.cosh(eta1 - eta2) - np.cos(phi1 - phi2)))
    kept = (pt1 > 50) & (pt2 > 30) & (np.minimum(pt1, pt2) / m_yy > 0.1)
    return {
        "m_yy": m_yy[kept],
        "ph1_pt": pt1[kept].astype(np.float32),
        "ph2_pt": pt2[kept].astype(np.float32),
        "met_pt": ak.to_numpy(events.met[two])[kept],
        "event_number": ak.to_numpy(events.eventNumber[two])[kept],
    }
'''


def events() -> ak.Array:
    """100,000 events with twelve branches: four lists of photons, eight numbers."""
    rng = np.random.default_rng(12)
    counts = rng.poisson(0.7, EVENTS) + 2

    def photons(low: float, high: float) -> ak.Array:
        return ak.unflatten(rng.uniform(low, high, counts.sum()).astype(np.float32), counts)

    fields: dict[str, Any] = {
        "photon_pt": photons(25, 150),
        "photon_eta": photons(-2.4, 2.4),
        "photon_phi": photons(-np.pi, np.pi),
        "photon_e": photons(25, 300),
        "eventNumber": np.arange(EVENTS),
        "runNumber": np.full(EVENTS, 355_000),
    }
    for name in ("met", "met_phi", "mcWeight", "ScaleFactor_PHOTON", "xsec", "kfac"):
        fields[name] = rng.uniform(0, 100, EVENTS).astype(np.float32)
    return ak.zip(fields, depth_limit=1)


def duration(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def test_sandboxed_convert_keeps_up(
    tmp_path: Path, record_property: Callable[[str, Any], None]
) -> None:
    path = tmp_path / "solution.py"
    path.write_text(SOLUTION)
    spec = importlib.util.spec_from_file_location("solution_of_this_test", path)
    assert spec
    assert spec.loader
    here = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(here)
    chunk = events()
    with made("bubblewrap", Limits()).open(path) as worker:
        expected, found = here.convert(chunk), worker.call("convert", [chunk]).value
        assert expected["m_yy"].size > 10_000
        for name, column in expected.items():
            assert np.array_equal(found[name], column)
        # A million events each, in turn, and the best of each: the machine may be busy.
        pairs = [
            (
                duration(lambda: here.convert(chunk)),
                duration(lambda: worker.call("convert", [chunk])),
            )
            for _ in range(CALLS)
        ]
    outside, inside = np.min(pairs, axis=0)
    ratio = outside / inside
    record_property("sandbox_throughput_ratio", float(ratio))
    print(f"{EVENTS / outside:.0f} events/s here, {EVENTS / inside:.0f} sandboxed: {ratio:.2f}")
    assert ratio >= 0.8
