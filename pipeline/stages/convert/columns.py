"""The columns of converted tables: name, type, unit and meaning, per channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pipeline.stages.contract import ContractError


@dataclass(frozen=True)
class Column:
    """One column of a converted table."""

    name: str
    dtype: str
    """NumPy's name: int64, float32, float64 or bool."""
    unit: str
    description: str


EVENT = (
    Column("run_number", "int64", "", "runNumber"),
    Column("event_number", "int64", "", "eventNumber"),
    Column("channel_number", "int64", "", "channelNumber: the DSID of a simulated sample"),
    Column("weight", "float64", "", "mcWeight times the channel's scale factors; 1 in data"),
    Column("sum_weights", "float64", "", "sum_of_weights of the sample; NaN in data"),
    Column("xsection", "float64", "pb", "xsec * filteff * kfac; NaN in data"),
)
"""Columns that every channel has. An event of data has channelNumber equal to runNumber."""

IDENTITY = ("run_number", "event_number")
"""The columns by which a row is recognised and sorted."""

_ANGLES = {"pt": "GeV", "eta": "", "phi": "rad"}
_MEANING = {"pt": "transverse momentum", "eta": "pseudorapidity", "phi": "azimuthal angle"}


def _photons() -> Iterator[Column]:
    for i, which in ((1, "first"), (2, "second")):
        for q, unit in {**_ANGLES, "e": "GeV"}.items():
            meaning = _MEANING.get(q, "energy")
            yield Column(f"ph{i}_{q}", "float32", unit, f"{which} photon: {meaning}")
        yield Column(f"ph{i}_tight", "bool", "", f"{which} photon passes tight identification")
        yield Column(f"ph{i}_isolated", "bool", "", f"{which} photon is isolated")
        yield Column(f"ph{i}_isolation", "float32", "", f"{which} photon: track cone over its pT")


def _slots(prefix: str, what: str, number: int) -> Iterator[Column]:
    for i in range(1, number + 1):
        for q, unit in _ANGLES.items():
            yield Column(
                f"{prefix}{i}_{q}", "float32", unit,
                f"{what} number {i} in falling pT: {_MEANING[q]}; NaN if there is none",
            )  # fmt: skip


HYY = (
    *EVENT,
    *_photons(),
    *_slots("lep", "lepton with pT > 10 GeV", 2),
    *_slots("jet", "jet with pT > 25 GeV", 6),
    Column("met_pt", "float32", "GeV", "missing transverse momentum"),
    Column("met_phi", "float32", "rad", "azimuthal angle of the missing transverse momentum"),
    Column("n_leptons", "int64", "", "leptons with pT > 10 GeV"),
    Column("n_jets", "int64", "", "jets with pT > 25 GeV"),
    Column("n_jets_central", "int64", "", "jets with pT > 25 GeV and |eta| < 2.5"),
    Column("n_bjets", "int64", "", "jets with pT > 25 GeV that are b-tagged (jet_btag)"),
    Column("ht_jets", "float32", "GeV", "scalar sum of pT of the jets with pT > 25 GeV"),
    Column("pt_yy", "float64", "GeV", "transverse momentum of the two photons together"),
    Column("m_yy", "float64", "GeV", "invariant mass of the two photons"),
    Column("trigger", "bool", "", "trigP"),
)


def _leptons() -> Iterator[Column]:
    for i in range(1, 5):
        for q, unit in {**_ANGLES, "e": "GeV"}.items():
            meaning = _MEANING.get(q, "energy")
            yield Column(f"lep{i}_{q}", "float32", unit, f"lepton {i}, as stored: {meaning}")
        yield Column(f"lep{i}_charge", "int64", "e", f"lepton {i}: charge")
        yield Column(f"lep{i}_type", "int64", "", f"lepton {i}: 11 electron, 13 muon")


HZZ4L = (
    *EVENT,
    *_leptons(),
    Column("final_state", "int64", "", "sum of the four lep_type: 44 4e, 48 2e2mu, 52 4mu"),
    Column("m_4l", "float64", "GeV", "invariant mass of the four leptons"),
    Column("pt_4l", "float64", "GeV", "transverse momentum of the four leptons together"),
    Column(
        "m_z1", "float64", "GeV",
        "mass of the pair of same flavour and opposite charge nearest 91.1876 GeV; NaN if none",
    ),
    Column("m_z2", "float64", "GeV", "mass of the two other leptons; NaN without a first pair"),
    Column("n_jets", "int64", "", "jets with pT > 25 GeV"),
    Column("met_pt", "float32", "GeV", "missing transverse momentum"),
    Column("met_phi", "float32", "rad", "azimuthal angle of the missing transverse momentum"),
)  # fmt: skip

CHANNELS = {"hyy": HYY, "hzz4l": HZZ4L}


@lru_cache
def columns(channel: str) -> tuple[Column, ...]:
    """The columns of a channel's tables, in their order; ContractError for an unknown channel."""
    try:
        return CHANNELS[channel]
    except KeyError:
        raise ContractError(
            f"expected a channel with converted columns ({', '.join(CHANNELS)}), found {channel!r}"
        ) from None


def empty_columns(channel: str) -> dict[str, np.ndarray]:
    """A table of a channel without rows: column name -> array of its type and length 0."""
    return {c.name: np.empty(0, dtype=c.dtype) for c in columns(channel)}
