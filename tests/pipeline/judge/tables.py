"""A converted table small enough to spoil by hand: 2,000 events with the columns of hyy's kinds."""

from __future__ import annotations

import numpy as np
import pandas as pd


def converted(rows: int = 2000, seed: int = 1) -> pd.DataFrame:
    """Events of one MC sample: identity, signed weight, floats of both sizes, counts and flags."""
    draw = np.random.default_rng(seed)
    pt = draw.exponential(40, rows).astype(np.float32) + np.float32(50)
    lepton = np.where(draw.random(rows) < 0.1, draw.exponential(30, rows) + 10, np.nan)
    return pd.DataFrame(
        {
            "run_number": np.full(rows, 284500),
            "event_number": np.arange(1, rows + 1) * 7,
            "channel_number": np.full(rows, 343981),
            "weight": draw.normal(1.0, 0.05, rows) * np.where(draw.random(rows) < 0.08, -1, 1),
            "ph1_pt": pt,
            "ph1_phi": draw.uniform(-np.pi, np.pi, rows).astype(np.float32),
            "ph1_tight": draw.random(rows) < 0.8,
            "lep1_pt": lepton.astype(np.float32),
            "n_bjets": (draw.random(rows) < 0.05).astype(np.int64),
            "m_yy": draw.normal(125.0, 2.0, rows),
        }
    )
