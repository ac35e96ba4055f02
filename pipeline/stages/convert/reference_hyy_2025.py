"""H→γγ of release 2025: the official selection, one row per preselected diphoton event."""

from typing import Any

import awkward as ak
import numpy as np

Columns = dict[str, np.ndarray]
FLAT = [
    "runNumber", "eventNumber", "channelNumber", "mcWeight", "ScaleFactor_PHOTON",
    "ScaleFactor_PILEUP", "xsec", "filteff", "kfac", "sum_of_weights", "trigP", "met", "met_phi",
]  # fmt: skip
BRANCHES = [
    *FLAT,
    "photon_pt", "photon_eta", "photon_phi", "photon_e", "photon_isTightID", "photon_ptcone20",
    "lep_pt", "lep_eta", "lep_phi",
    "jet_pt", "jet_eta", "jet_phi", "jet_btag",
]  # fmt: skip


def convert(events: ak.Array) -> dict[str, Any]:
    """Columns of the diphoton events that pass the preselection, and the official cut flow."""
    first, photons = first_and_number(events["photon_pt"])
    rows = np.flatnonzero(photons >= 2)
    pt, tight = (pairs(events, q, first[rows]) for q in ("pt", "isTightID"))
    n_tight = (tight[0] & tight[1]).sum()

    # Whatever comes now is needed only where both photons are hard.
    hard = np.flatnonzero((pt[0] > 50) & (pt[1] > 30))
    rows, pt, tight = rows[hard], pt.take(hard, axis=1), tight.take(hard, axis=1)
    eta, phi, e, cone = (pairs(events, q, first[rows]) for q in ("eta", "phi", "e", "ptcone20"))
    pt, eta, phi, e, cone = (values.astype(np.float64) for values in (pt, eta, phi, e, cone))
    isolated = cone < 0.055 * pt
    m_yy, pt_yy = mass_and_pt(pt, eta, phi, e)
    central = outside_crack(eta).all(axis=0)
    massive = m_yy > 0  # not where it is NaN: some pairs have a negative mass squared
    balanced = pt.min(axis=0) > 0.35 * m_yy

    cutflow = [("all", len(events)), ("tight", n_tight)]
    passed = tight.all(axis=0)
    for name, cut in (
        ("pt", True), ("isolation", isolated.all(axis=0)), ("crack", central), ("mass", massive),
        ("pt_over_m", balanced),
    ):  # fmt: skip
        passed = passed & cut
        cutflow.append((name, passed.sum()))

    kept = np.flatnonzero(central & massive & balanced)  # tight and isolated stay flags
    quantities = {
        "pt": pt, "eta": eta, "phi": phi, "e": e, "tight": tight, "isolated": isolated,
        "isolation": cone / pt,
    }  # fmt: skip
    return {
        **event_columns(events, rows[kept]),
        **{f"ph{i + 1}_{q}": values[i][kept] for q, values in quantities.items() for i in (0, 1)},
        **lepton_columns(events, rows[kept]),
        **jet_columns(events, rows[kept]),
        "pt_yy": pt_yy[kept],
        "m_yy": m_yy[kept],
        "cutflow": cutflow,
    }


def first_and_number(values: ak.Array) -> tuple[np.ndarray, np.ndarray]:
    """Place of each event's first object among the objects of all events, and their number."""
    lists = ak.to_layout(values)
    if isinstance(lists, ak.contents.ListOffsetArray) and lists.offsets[0] == 0:
        offsets = np.asarray(lists.offsets.data)
        return offsets[:-1], np.diff(offsets)
    number = ak.to_numpy(ak.num(values))
    return np.cumsum(number) - number, number


def flat(values: ak.Array) -> np.ndarray:
    """The objects of all events, one after the other."""
    lists = ak.to_layout(values)
    if isinstance(lists, ak.contents.ListOffsetArray) and lists.content.is_numpy:
        content = np.asarray(lists.content.data)
        return content[lists.offsets[0] : lists.offsets[-1]]  # as they are, not copied
    return np.asarray(ak.flatten(values))


def pairs(events: ak.Array, quantity: str, first: np.ndarray) -> np.ndarray:
    """A quantity of the photons at `first` and next to it, shape (2, n), as in the file."""
    values = flat(events[f"photon_{quantity}"])
    return np.stack([values[first], values[first + 1]])


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
    """Identity, weights, trigger and missing transverse momentum of the events `rows`."""
    given = {name: ak.to_numpy(events[name])[rows] for name in FLAT}
    data = given["channelNumber"] == given["runNumber"]  # simulation has a DSID there
    weight = product(given, "mcWeight", "ScaleFactor_PHOTON", "ScaleFactor_PILEUP")
    return {
        "run_number": given["runNumber"].astype(np.int64),
        "event_number": given["eventNumber"].astype(np.int64),
        "channel_number": given["channelNumber"].astype(np.int64),
        "weight": np.where(data, 1.0, weight),
        "sum_weights": np.where(data, np.nan, given["sum_of_weights"]),
        "xsection": np.where(data, np.nan, product(given, "xsec", "filteff", "kfac")),
        "trigger": given["trigP"],
        "met_pt": given["met"],
        "met_phi": given["met_phi"],
    }


def product(values: Columns, *names: str) -> np.ndarray:
    """The product of some of the values, in float64."""
    result = np.ones(len(values[names[0]]))
    for name in names:
        result *= values[name]
    return result


def lepton_columns(events: ak.Array, rows: np.ndarray) -> Columns:
    """The two hardest leptons above 10 GeV, and their number."""
    event, lepton = objects(events, rows, "lep", 10.0, ("pt", "eta", "phi"))
    n_leptons = np.bincount(event, minlength=len(rows))
    return {**in_slots("lep", event, lepton, len(rows), 2), "n_leptons": n_leptons}


def jet_columns(events: ak.Array, rows: np.ndarray) -> Columns:
    """The six hardest jets above 25 GeV, their numbers and the sum of their pT."""
    n = len(rows)
    event, jet = objects(events, rows, "jet", 25.0, ("pt", "eta", "phi", "btag"))
    central, tagged = np.abs(jet["eta"]) < 2.5, jet.pop("btag")
    return {
        **in_slots("jet", event, jet, n, 6),
        "n_jets": np.bincount(event, minlength=n),
        "n_jets_central": np.bincount(event[central], minlength=n),
        "n_bjets": np.bincount(event[tagged], minlength=n),
        "ht_jets": np.bincount(event, weights=jet["pt"], minlength=n),
    }


def objects(
    events: ak.Array, rows: np.ndarray, prefix: str, minimum: float, quantities: tuple[str, ...]
) -> tuple[np.ndarray, Columns]:
    """Objects of the events `rows` above `minimum` GeV: which of `rows`, and the quantities.

    In falling pT within an event; the same pT stays in the order of the file.
    """
    given = {q: flat(events[f"{prefix}_{q}"]) for q in quantities}
    first, number = (x[rows] for x in first_and_number(events[f"{prefix}_pt"]))
    event = np.repeat(np.arange(len(rows)), number)
    place = np.arange(len(event)) + np.repeat(first - np.cumsum(number) + number, number)
    above = given["pt"][place] > minimum
    event, place = event[above], place[above]
    pt = given["pt"][place]
    rising = (event[1:] == event[:-1]) & (pt[1:] > pt[:-1])
    if rising.any():  # nearly all events are in order already: sort the others
        again = np.flatnonzero(np.isin(event, event[1:][rising]))
        place[again] = place[again][np.lexsort((-pt[again], event[again]))]
    return event, {q: values[place] for q, values in given.items()}


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
