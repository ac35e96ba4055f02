"""H→ZZ*→4ℓ of release 2016 (8 TeV), one row per selected four-lepton event.

The event cuts (trigger, good run, good vertex) and the isolation of good leptons are those of the
release's own analysis code, which has no H→ZZ* but a ZZ example with exactly four good leptons.
"""

from typing import Any

import awkward as ak
import numpy as np

Z_MASS = 91.1876
"""GeV (Particle Data Group)."""
ISOLATION = 0.15
"""Share of a lepton's pT that its track cone and its calorimeter cone must be below."""
FLAT = [
    "runNumber", "eventNumber", "channelNumber", "mcWeight", "ScaleFactor_ELE", "ScaleFactor_MUON",
    "ScaleFactor_TRIGGER", "ScaleFactor_PILEUP", "ScaleFactor_ZVERTEX", "xsec", "filteff", "kfac",
    "sum_of_weights", "met", "met_phi",
]  # fmt: skip
LEPTON = ["pt", "eta", "phi", "e", "charge", "type", "ptcone30", "etcone20"]
BRANCHES = [
    *FLAT, "trigE", "trigM", "passGRL", "hasGoodVertex", *(f"lep_{q}" for q in LEPTON), "jet_pt",
]  # fmt: skip


def convert(events: ak.Array) -> dict[str, Any]:
    """Columns of the selected four-lepton events, and the cut flow."""
    triggered = ak.to_numpy(events["trigE"] | events["trigM"])
    good = triggered & ak.to_numpy(events["passGRL"] & events["hasGoodVertex"])
    rows, lepton = four_good_leptons(events)
    cutflow = [
        ("all", len(events)), ("trigger", int(triggered.sum())), ("quality", int(good.sum())),
    ]  # fmt: skip
    passed = good[rows]
    for name, cut in (
        ("good_leptons", True),
        ("flavour", np.isin(lepton["type"].sum(axis=0), (44, 48, 52))),
        ("charge", lepton["charge"].sum(axis=0) == 0),
    ):
        passed = passed & cut
        cutflow.append((name, int(passed.sum())))
    rows = rows[passed]
    lepton = {q: values[:, passed] for q, values in lepton.items()}
    kept = ("pt", "eta", "phi", "e", "charge", "type")
    return {
        **event_columns(events, rows),
        **{f"lep{i + 1}_{q}": lepton[q][i] for i in range(4) for q in kept},
        **mass_columns(lepton),
        "final_state": lepton["type"].sum(axis=0),
        "n_jets": ak.to_numpy(ak.sum(events["jet_pt"][rows] > 25, axis=1)),
        "cutflow": cutflow,
    }


def four_good_leptons(events: ak.Array) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Events with exactly four isolated leptons, and the leptons' quantities of shape (4, n)."""
    number = ak.to_numpy(ak.num(events["lep_pt"]))
    flat = {q: ak.to_numpy(ak.flatten(events[f"lep_{q}"])) for q in LEPTON}
    limit = ISOLATION * flat["pt"]
    good = (flat["ptcone30"] < limit) & (flat["etcone20"] < limit)
    event = np.repeat(np.arange(len(events)), number)
    four = np.bincount(event[good], minlength=len(events)) == 4
    place = np.flatnonzero(good & four[event]).reshape(-1, 4).T
    lepton = {q: values[place] for q, values in flat.items()}
    for quantity in ("charge", "type"):
        lepton[quantity] = lepton[quantity].astype(np.int64)
    return np.flatnonzero(four), lepton


def event_columns(events: ak.Array, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Identity, weights and missing transverse momentum of the events `rows`."""
    flat = {name: ak.to_numpy(events[name])[rows] for name in FLAT}
    data = flat["channelNumber"] == flat["runNumber"]  # simulation has a DSID there
    factors = [name for name in FLAT if name.startswith("ScaleFactor_")]
    weight = product(flat, "mcWeight", *factors)
    return {
        "run_number": flat["runNumber"].astype(np.int64),
        "event_number": flat["eventNumber"].astype(np.int64),
        "channel_number": flat["channelNumber"].astype(np.int64),
        "weight": np.where(data, 1.0, weight),
        "sum_weights": np.where(data, np.nan, flat["sum_of_weights"]),
        "xsection": np.where(data, np.nan, product(flat, "xsec", "filteff", "kfac")),
        "met_pt": flat["met"],
        "met_phi": flat["met_phi"],
    }


def product(values: dict[str, np.ndarray], *names: str) -> np.ndarray:
    """The product of some of the values, in float64."""
    result = np.ones(len(values[names[0]]))
    for name in names:
        result *= values[name]
    return result


def mass_columns(lepton: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Mass and pT of the four leptons, and the masses of the two Z candidates, shape (n,)."""
    pt, eta, phi, e = (lepton[q].astype(np.float64) for q in ("pt", "eta", "phi", "e"))
    momentum = np.stack([e, pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
    total = momentum.sum(axis=1)
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    masses = np.stack([mass(momentum[:, [i, j]].sum(axis=1)) for i, j in pairs])
    allowed = np.stack(
        [
            (lepton["type"][i] == lepton["type"][j]) & (lepton["charge"][i] != lepton["charge"][j])
            for i, j in pairs
        ]
    )
    distance = np.where(allowed & np.isfinite(masses), np.abs(masses - Z_MASS), np.inf)
    best = distance.argmin(axis=0)
    events = np.arange(pt.shape[1])
    has_pair = np.isfinite(distance[best, events])
    opposite = len(pairs) - 1 - best  # the pair of the two others: (0, 1) first, (2, 3) last
    return {
        "m_4l": mass(total),
        "pt_4l": np.hypot(total[1], total[2]),
        "m_z1": np.where(has_pair, masses[best, events], np.nan),
        "m_z2": np.where(has_pair, masses[opposite, events], np.nan),
    }


def mass(momentum: np.ndarray) -> np.ndarray:
    """Invariant mass of four-momenta (E, px, py, pz), shape (4, n); NaN where m² < 0."""
    squared = momentum[0] ** 2 - (momentum[1:] ** 2).sum(axis=0)
    return np.sqrt(np.where(squared >= 0, squared, np.nan))
