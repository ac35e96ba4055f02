"""Run numbers of the data periods, and numbers of synthetic events within the runs."""

from __future__ import annotations

import numpy as np

from pipeline.data.synthetic.streams import Random

RUNS: dict[str, tuple[int, int]] = {
    "data15_periodD": (276262, 276954),
    "data15_periodE": (278727, 279928),
    "data15_periodF": (279932, 280422),
    "data15_periodG": (280423, 281075),
    "data15_periodH": (281130, 281411),
    "data15_periodJ": (282625, 284484),
    "data16_periodA": (296939, 300287),
    "data16_periodB": (300345, 300908),
    "data16_periodC": (301912, 302393),
    "data16_periodD": (302737, 303560),
    "data16_periodE": (303638, 303892),
    "data16_periodF": (303943, 304494),
    "data16_periodG": (305291, 306714),
    "data16_periodI": (307124, 308084),
    "data16_periodK": (309311, 309759),
    "data16_periodL": (310015, 311481),
}
"""First and last run of each period (ATLAS data periods of 2015 and 2016)."""
SIMULATED_RUN = 284500
"""Run number that the simulation of 2015 and 2016 carries."""
_RUNS_PER_PERIOD = 8


def data_numbers(random: Random, period: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Run (uint32) and event (uint64) numbers of `n` events, each pair once, runs ascending.

    At most eight runs of the period are used, the first and the last among them.
    """
    first, last = RUNS[period]
    runs = np.linspace(first, last, _RUNS_PER_PERIOD).astype(np.uint32)
    run = np.sort(runs[random.integers(0, len(runs), n)])
    # Event numbers grow within a file; gaps are the events that no skim kept.
    event = np.cumsum(random.integers(1, 2000, n)).astype(np.uint64) + np.uint64(100_000)
    return run, event
