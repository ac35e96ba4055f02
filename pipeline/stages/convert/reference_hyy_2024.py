"""H→γγ of release 2024 (PHYSLITE): the official selection of 2025, one row per diphoton event.

The 2025 ntuples were made from these files. What their publisher had cut before is cut here:
photons are candidates with loose identification, cleaning and pT > 25 GeV, in falling pT; leptons
with loose identification; jets from the hard collision; and neither of these within 0.4 of a photon
of the pair. What PHYSLITE cannot give is not made up: missing transverse momentum is NaN, and the
only scale factor is that of pile-up. There is no list of good lumi blocks in the files.
"""

from typing import Any

import awkward as ak
import numpy as np

Columns = dict[str, np.ndarray]
FLAT = [
    "runNumber", "eventNumber", "channelNumber", "mcWeight", "ScaleFactor_PILEUP", "xsec",
    "filteff", "kfac", "sum_of_weights", "trigP",
]  # fmt: skip
PHOTON = ["pt", "eta", "phi", "e", "isTightID", "ptcone20"]
BRANCHES = [
    *FLAT, *(f"photon_{q}" for q in PHOTON), "photon_isLooseID", "photon_isClean",
    "lep_pt", "lep_eta", "lep_phi", "lep_isLooseID",
    "jet_pt", "jet_eta", "jet_phi", "jet_jvt", "jet_btag",
]  # fmt: skip
OVERLAP = 0.4
"""Distance within which a jet or a lepton is a photon of the pair once more."""


def convert(events: ak.Array) -> dict[str, Any]:
    """Columns of the diphoton events that pass the preselection, and the cut flow."""
    rows, photon = photon_pairs(events)
    pt, tight = photon["pt"], photon["isTightID"].astype(bool)
    isolated = photon["ptcone20"] < 0.055 * pt
    m_yy, pt_yy = mass_and_pt(pt, photon["eta"], photon["phi"], photon["e"])
    hard = (pt[0] > 50) & (pt[1] > 30)
    central = outside_crack(photon["eta"]).all(axis=0)
    massive = m_yy > 0  # not where it is NaN: some pairs have a negative mass squared
    balanced = pt.min(axis=0) > 0.35 * m_yy

    cutflow = [("all", len(events)), ("two_photons", len(rows))]
    passed = np.ones(len(rows), dtype=bool)
    for name, cut in (
        ("tight", tight.all(axis=0)), ("pt", hard), ("isolation", isolated.all(axis=0)),
        ("crack", central), ("mass", massive), ("pt_over_m", balanced),
    ):  # fmt: skip
        passed = passed & cut
        cutflow.append((name, passed.sum()))

    kept = np.flatnonzero(hard & central & massive & balanced)  # tight, isolated stay flags
    quantities = {
        "pt": pt, "eta": photon["eta"], "phi": photon["phi"], "e": photon["e"], "tight": tight,
        "isolated": isolated, "isolation": photon["ptcone20"] / pt,
    }  # fmt: skip
    pair = {q: photon[q].take(kept, axis=1) for q in ("eta", "phi")}
    return {
        **event_columns(events, rows[kept]),
        **{f"ph{i + 1}_{q}": values[i, kept] for q, values in quantities.items() for i in (0, 1)},
        **lepton_columns(events, rows[kept], pair),
        **jet_columns(events, rows[kept], pair),
        "pt_yy": pt_yy[kept],
        "m_yy": m_yy[kept],
        "cutflow": cutflow,
    }


def photon_pairs(events: ak.Array) -> tuple[np.ndarray, Columns]:
    """Events with two candidates, and the quantities of the two hardest of each, shape (2, n)."""
    flat = {q: ak.to_numpy(ak.flatten(events[f"photon_{q}"])) for q in PHOTON}
    candidate = flat["pt"] > 25
    for flag in ("photon_isLooseID", "photon_isClean"):
        candidate &= ak.to_numpy(ak.flatten(events[flag]))
    _, number = first_and_number(events["photon_pt"])
    used = np.flatnonzero(candidate)
    event = np.repeat(np.arange(len(events)), number)[used]
    order = np.lexsort((-flat["pt"][used], event))
    used, event = used[order], event[order]
    rank = np.arange(len(event)) - np.searchsorted(event, event)
    second = np.flatnonzero(rank == 1)
    place = np.stack([used[second - 1], used[second]])
    return event[second], {q: v[place].astype(np.float64) for q, v in flat.items()}


def first_and_number(values: ak.Array) -> tuple[np.ndarray, np.ndarray]:
    """Place of each event's first object among the objects of all events, and their number."""
    number = ak.to_numpy(ak.num(values))
    return np.cumsum(number) - number, number


def outside_crack(eta: np.ndarray) -> np.ndarray:
    """Photons in the fiducial region: |eta| < 2.37 and not in 1.37-1.52."""
    eta = np.abs(eta)
    return (eta < 2.37) & ((eta < 1.37) | (eta > 1.52))


def mass_and_pt(
    pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, e: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Invariant mass (NaN where m² < 0) and transverse momentum of photon pairs, shape (n,)."""
    pz = (pt * np.sinh(eta)).sum(axis=0)
    pt_squared = (pt**2).sum(axis=0) + 2 * pt[0] * pt[1] * np.cos(phi[0] - phi[1])
    m_squared = e.sum(axis=0) ** 2 - pt_squared - pz**2
    return (
        np.sqrt(np.where(m_squared >= 0, m_squared, np.nan)),
        np.sqrt(np.maximum(pt_squared, 0.0)),  # rounding, where the two are back to back
    )


def event_columns(events: ak.Array, rows: np.ndarray) -> Columns:
    """Identity, weights and trigger of the events `rows`; no missing transverse momentum."""
    flat = {name: ak.to_numpy(events[name])[rows] for name in FLAT}
    data = flat["channelNumber"] == flat["runNumber"]  # simulation has a DSID there
    weight = product(flat, "mcWeight", "ScaleFactor_PILEUP")
    return {
        "run_number": flat["runNumber"].astype(np.int64),
        "event_number": flat["eventNumber"].astype(np.int64),
        "channel_number": flat["channelNumber"].astype(np.int64),
        "weight": np.where(data, 1.0, weight),
        "sum_weights": np.where(data, np.nan, flat["sum_of_weights"]),
        "xsection": np.where(data, np.nan, product(flat, "xsec", "filteff", "kfac")),
        "trigger": flat["trigP"],
        "met_pt": np.full(len(rows), np.nan),
        "met_phi": np.full(len(rows), np.nan),
    }


def product(values: Columns, *names: str) -> np.ndarray:
    """The product of some of the values, in float64."""
    result = np.ones(len(values[names[0]]))
    for name in names:
        result *= values[name]
    return result


def lepton_columns(events: ak.Array, rows: np.ndarray, pair: Columns) -> Columns:
    """The two hardest leptons above 10 GeV, and their number."""
    event, lepton = objects(events, rows, pair, "lep", 10.0, ("pt", "eta", "phi", "isLooseID"))
    n_leptons = np.bincount(event, minlength=len(rows))
    return {**in_slots("lep", event, lepton, len(rows), 2), "n_leptons": n_leptons}


def jet_columns(events: ak.Array, rows: np.ndarray, pair: Columns) -> Columns:
    """The six hardest jets above 25 GeV, their numbers and the sum of their pT."""
    n = len(rows)
    event, jet = objects(events, rows, pair, "jet", 25.0, ("pt", "eta", "phi", "jvt", "btag"))
    central, tagged = np.abs(jet["eta"]) < 2.5, jet.pop("btag")
    return {
        **in_slots("jet", event, jet, n, 6),
        "n_jets": np.bincount(event, minlength=n),
        "n_jets_central": np.bincount(event[central], minlength=n),
        "n_bjets": np.bincount(event[tagged], minlength=n),
        "ht_jets": np.bincount(event, weights=jet["pt"], minlength=n),
    }


def objects(
    events: ak.Array,
    rows: np.ndarray,
    pair: Columns,
    prefix: str,
    minimum: float,
    quantities: tuple[str, ...],
) -> tuple[np.ndarray, Columns]:
    """Objects of the events `rows` above `minimum` GeV: which of `rows`, and the quantities.

    The fourth of the quantities is a flag that they must have. Those that are a photon of the pair
    are left out. In falling pT within an event; the same pT stays in the order of the file.
    """
    flag = quantities[3]
    flat = {q: ak.to_numpy(ak.flatten(events[f"{prefix}_{q}"])) for q in quantities}
    first, number = (x[rows] for x in first_and_number(events[f"{prefix}_pt"]))
    event = np.repeat(np.arange(len(rows)), number)
    place = np.arange(len(event)) + np.repeat(first - np.cumsum(number) + number, number)
    good = np.flatnonzero((flat["pt"][place] > minimum) & flat[flag][place])
    event, place = event[good], place[good]
    apart = distance(flat["eta"][place], flat["phi"][place], pair, event) > OVERLAP
    event, place = event[apart], place[apart]
    order = np.lexsort((-flat["pt"][place], event))
    place = place[order]
    return event[order], {q: values[place] for q, values in flat.items() if q != flag}


def distance(eta: np.ndarray, phi: np.ndarray, pair: Columns, event: np.ndarray) -> np.ndarray:
    """Distance in (eta, phi) of each object to the nearer photon of its event's pair."""
    d_eta = eta - pair["eta"][:, event]
    d_phi = np.remainder(phi - pair["phi"][:, event] + np.pi, 2 * np.pi) - np.pi
    return np.asarray(np.hypot(d_eta, d_phi).min(axis=0))


def in_slots(prefix: str, event: np.ndarray, values: Columns, n: int, slots: int) -> Columns:
    """Columns <prefix>1_pt … of the first objects of each event, NaN where there is none."""
    rank = np.arange(len(event)) - np.searchsorted(event, event)
    columns = {}
    for i in range(slots):
        here = np.flatnonzero(rank == i)
        for quantity, value in values.items():
            column = np.full(n, np.nan, dtype=np.float32)
            column[event[here]] = value[here]
            columns[f"{prefix}{i + 1}_{quantity}"] = column
    return columns
