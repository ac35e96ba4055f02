"""The official selections of 2025, written out for the tests from physics.md."""

from pathlib import Path

import awkward as ak
import numpy as np
import uproot

PHOTON = ["photon_pt", "photon_eta", "photon_phi", "photon_ptcone20", "photon_isTightID"]


def diphoton(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mass in GeV of the two leading photons, mask of the kinematic cuts, mask tight+isolated."""
    with uproot.open(path) as file:
        events = file["analysis"].arrays(PHOTON)
    two = {name[7:]: ak.to_numpy(events[name][:, :2]).astype(float) for name in PHOTON}
    pt, eta, phi = two["pt"], two["eta"], two["phi"]
    angle = np.cosh(eta[:, 0] - eta[:, 1]) - np.cos(phi[:, 0] - phi[:, 1])
    mass = np.sqrt(2 * pt[:, 0] * pt[:, 1] * angle)
    crack = (np.abs(eta) > 1.37) & (np.abs(eta) < 1.52)
    cuts = ((np.abs(eta) < 2.37) & ~crack).all(axis=1) & (pt[:, 0] > 50) & (pt[:, 1] > 30)
    cuts &= (pt / mass[:, None] > 0.35).all(axis=1)
    good = (two["isTightID"] > 0).all(axis=1) & (two["ptcone20"] / pt < 0.055).all(axis=1)
    return mass, cuts, good


def selected_diphoton(path: Path) -> np.ndarray:
    """Masses in GeV of the events that the official selection keeps in 100-160 GeV."""
    mass, cuts, good = diphoton(path)
    return mass[cuts & good & (mass > 100) & (mass < 160)]


def selected_four_lepton(path: Path) -> np.ndarray:
    """Four-lepton masses in GeV of the events that the official selection keeps."""
    with uproot.open(path) as file:
        e = file["analysis"].arrays()
    if len(e) == 0:
        return np.zeros(0)
    muon = e.lep_type == 13
    good = ak.where(muon, e.lep_isMediumID, e.lep_isLooseID) & e.lep_isLooseIso
    flavour = ak.sum(e.lep_type, axis=1)
    kept = (
        (e.trigE | e.trigM)
        & ak.any(e.lep_isTrigMatched, axis=1)
        & (e.lep_pt[:, 0] > 20)
        & (e.lep_pt[:, 1] > 15)
        & (e.lep_pt[:, 2] > 10)
        & (ak.sum(good, axis=1) == 4)
        & ((flavour == 44) | (flavour == 48) | (flavour == 52))
        & (ak.sum(e.lep_charge, axis=1) == 0)
    )
    e = e[kept]
    x, y, z = (
        ak.sum(e.lep_pt * part, axis=1)
        for part in (np.cos(e.lep_phi), np.sin(e.lep_phi), np.sinh(e.lep_eta))
    )
    square = ak.sum(e.lep_e, axis=1) ** 2 - x**2 - y**2 - z**2
    return ak.to_numpy(np.sqrt(np.maximum(square, 0)))
