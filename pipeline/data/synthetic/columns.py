"""The flat branches that say where an event comes from and what it weighs."""

from __future__ import annotations

import numpy as np

from pipeline.data.synthetic.periods import SIMULATED_RUN
from pipeline.data.synthetic.samples import HIGGS, SyntheticSample

Columns = dict[str, np.ndarray | str]
"""Arrays of shape (n,), or one value for all events: shape () or a text."""

_SCALE_FACTORS = (
    "ScaleFactor_PILEUP", "ScaleFactor_FTAG", "ScaleFactor_BTAG", "ScaleFactor_JVT",
    "ScaleFactor_ELE", "ScaleFactor_MUON", "ScaleFactor_PHOTON", "ScaleFactor_TAU",
    "ScaleFactor_LepTRIGGER", "ScaleFactor_MuTRIGGER", "ScaleFactor_ElTRIGGER",
    "ScaleFactor_MLTRIGGER", "ScaleFactor_TauTRIGGER", "ScaleFactor_DiTauTRIGGER",
)  # fmt: skip
_EMPTY_COLLECTIONS = ("tau_n", "largeRJet_n")


def data_columns(made: SyntheticSample, run: np.ndarray, event: np.ndarray) -> Columns:
    """Branches of data as the release fills them: weights 1, cross-section 0."""
    return {
        **_metadata(made, made.name[:6], 1.0, 1.0, 1.0),
        "mcWeight": np.asarray(1.0, dtype=np.float32),
        "channelNumber": run,
        "eventNumber": event,
        "runNumber": run,
    }


def simulated_columns(
    made: SyntheticSample,
    weights: np.ndarray,
    kept: np.ndarray,
    factors: dict[str, np.ndarray],
) -> Columns:
    """Branches of simulation.

    `weights` are those of all generated events, and so are the sums, as the release has it: events
    that never reach the file count. `kept` are the numbers of the events in the file.
    """
    total, squared = sums_of_weights(weights)
    category = "Higgs" if made.process in HIGGS else "Diboson"
    return {
        **_metadata(made, category, float(made.generated), total, squared),
        **factors,
        "mcWeight": weights[kept],
        "channelNumber": np.asarray(made.real.dsid, dtype=np.uint32),
        "eventNumber": (kept + 1).astype(np.uint64),
        "runNumber": np.asarray(SIMULATED_RUN, dtype=np.uint32),
    }


def sums_of_weights(weights: np.ndarray) -> tuple[float, float]:
    """Signed sum of weights and sum of their squares, in double precision."""
    double = weights.astype(np.float64)
    return float(double.sum()), float((double**2).sum())


def _metadata(
    made: SyntheticSample, category: str, events: float, total: float, squared: float
) -> Columns:
    real = made.real
    double = {"num_events": events, "sum_of_weights": total, "sum_of_weights_squared": squared}
    single = {
        "xsec": real.cross_section_pb or 0.0,
        "filteff": real.filter_efficiency or 0.0,
        "kfac": real.k_factor or 0.0,
        "TriggerMatch_DILEPTON": 0.0,
        **dict.fromkeys(_SCALE_FACTORS, 1.0),
    }
    return {
        "category": category,
        **{k: np.asarray(v, dtype=np.float64) for k, v in double.items()},
        **{k: np.asarray(v, dtype=np.float32) for k, v in single.items()},
        **{k: np.asarray(0, dtype=np.int32) for k in _EMPTY_COLLECTIONS},
    }
