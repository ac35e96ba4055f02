"""Converted tables drawn at random, in the columns of both channels, and stages run on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from pipeline.configure import configure
from pipeline.files import write_json, write_table
from pipeline.settings import Settings
from pipeline.stages.contract import StageContext
from pipeline.stages.order import SEALED, reads

DATA = "data15_periodD"
LUMINOSITY = 36.1
CROSS_SECTIONS = {
    "343981": ("ggH", 0.1103),
    "346214": ("VBF", 0.00858),
    "345319": ("ZH", 0.00173),
    "346525": ("ttH", 0.00115),
}
"""DSID -> process and cross-section times branching ratio in pb."""
EFFICIENCY = 0.36
"""Share of the produced signal that is in a table."""


@dataclass(frozen=True)
class Content:
    """How many events there are."""

    tight: int = 20_000
    """TI continuum between 105 and 160 GeV."""
    loose: int = 20_000
    """NTI events there."""
    simulated: int = 6_000
    """Rows of each signal sample."""
    luminosity: float = LUMINOSITY
    mu: float = 1.0


def diphoton(content: Content, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Converted hyy tables by sample; the data hold `content.mu` times the signal."""
    rng = np.random.default_rng([seed, 1])
    tables = {}
    peaks = []
    for sample, (process, cross_section) in CROSS_SECTIONS.items():
        n = content.simulated
        produced = cross_section * 1000 * content.luminosity
        weight = np.where(rng.random(n) < 0.05, -1.0, 1.0) * rng.normal(1.0, 0.05, n)
        tables[sample] = _events(rng, n, process, weight=weight, dsid=int(sample)).assign(
            sum_weights=weight.sum() / EFFICIENCY, xsection=cross_section
        )
        expected = produced * EFFICIENCY * content.mu
        peaks.append(_events(rng, int(rng.poisson(expected)), process, weight=None, dsid=0))
    continuum = _events(rng, int(rng.poisson(content.tight)), "continuum", weight=None, dsid=0)
    loose = _events(rng, int(rng.poisson(content.loose)), "continuum", weight=None, dsid=0)
    bad = rng.integers(0, 4, len(loose))
    for k, flag in enumerate(("ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated")):
        loose[flag] = bad != k
    data = pd.concat([continuum, loose, *peaks], ignore_index=True)
    data["event_number"] = rng.permutation(np.arange(len(data), dtype=np.int64)) + 1
    tables[DATA] = data.assign(sum_weights=np.nan, xsection=np.nan)
    return tables


def _events(
    rng: np.random.Generator, n: int, process: str, weight: np.ndarray | None, dsid: int
) -> pd.DataFrame:
    """`n` TI events of one process; features overlap between processes, but not fully."""
    jets = {"continuum": 0.5, "ggH": 0.7, "VBF": 2.2, "ZH": 1.6, "ttH": 5.0}[process]
    pt_yy = {"continuum": 22.0, "ggH": 30.0, "VBF": 70.0, "ZH": 60.0, "ttH": 90.0}[process]
    met = {"continuum": 14.0, "ggH": 15.0, "VBF": 20.0, "ZH": 40.0, "ttH": 45.0}[process]
    n_jets = rng.poisson(jets, n)
    m_yy = falling(rng, n) if process == "continuum" else rng.normal(125.0, 1.6, n)
    flags = {f"ph{k}_{name}": np.ones(n, bool) for k in (1, 2) for name in ("tight", "isolated")}
    return pd.DataFrame(
        {
            "run_number": np.full(n, 284500 if dsid else 276262, dtype=np.int64),
            "event_number": np.arange(1, n + 1, dtype=np.int64),
            "channel_number": np.full(n, dsid, dtype=np.int64),
            "weight": np.ones(n) if weight is None else weight,
            **flags,
            "n_jets_central": n_jets.astype(np.int64),
            "n_bjets": rng.binomial(n_jets, 0.3 if process == "ttH" else 0.03).astype(np.int64),
            "ht_jets": (n_jets * (25 + rng.gamma(2.0, 20.0, n))).astype(np.float32),
            "met_pt": rng.gamma(2.0, met / 2, n).astype(np.float32),
            "pt_yy": rng.gamma(1.6, pt_yy / 1.6, n),
            "m_yy": m_yy,
        }
    )


def falling(rng: np.random.Generator, n: int) -> np.ndarray:
    """`n` masses from 105 to 160 GeV that fall exponentially by 27 GeV per factor e."""
    share = rng.random(n)
    return 105.0 - 27.0 * np.log1p(-share * (1 - np.exp(-55.0 / 27.0)))


def four_lepton(seed: int = 2, simulated: int = 3_000) -> dict[str, pd.DataFrame]:
    """Converted hzz4l tables: data with about 50 ZZ* and 12 signal events, and simulation."""
    rng = np.random.default_rng([seed, 2])

    def events(mass: np.ndarray, sample: int, total: float) -> pd.DataFrame:
        n = len(mass)
        return pd.DataFrame(
            {
                "run_number": np.full(n, 284500 if sample else 276262, dtype=np.int64),
                "event_number": np.arange(1, n + 1, dtype=np.int64),
                "channel_number": np.full(n, sample, dtype=np.int64),
                "weight": np.where(rng.random(n) < 0.03, -1.0, 1.0) if sample else np.ones(n),
                "sum_weights": np.full(n, total),
                "xsection": np.full(n, np.nan),
                "m_4l": mass,
            }
        )

    def continuum(n: int) -> np.ndarray:
        return np.concatenate([rng.normal(91.2, 2.0, n // 3), rng.uniform(80, 170, n - n // 3)])

    tables = {
        DATA: pd.concat(
            [
                events(continuum(rng.poisson(60)), 0, np.nan),
                events(rng.normal(125, 1.8, rng.poisson(12)), 0, np.nan),
            ],
            ignore_index=True,
        ).assign(event_number=lambda t: np.arange(1, len(t) + 1)),
        "345060": events(rng.normal(125, 1.8, simulated), 345060, 0.0),
        "700600": events(continuum(simulated), 700600, 0.0),
    }
    for name in ("345060", "700600"):
        tables[name]["sum_weights"] = tables[name]["weight"].sum() * 4
    return tables


FOUR_LEPTON = {
    DATA: ("data", "data", 0.0),
    "345060": ("ggH", "signal", 12 * 4 / (1000 * LUMINOSITY)),
    "700600": ("ZZ", "background", 60 * 4 / (1000 * LUMINOSITY)),
}


def samples(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The fileset's facts about the samples of `tables`, all complete."""
    known = {name: (process, "signal", xsec) for name, (process, xsec) in CROSS_SECTIONS.items()}
    known |= {DATA: ("data", "data", 0.0)} if "345060" not in tables else FOUR_LEPTON
    found = {}
    for name, table in tables.items():
        process, role, cross_section = known[name]
        data = role == "data"
        found[name] = {
            "kind": "data" if data else "mc",
            "process": process,
            "role": role,
            "dsid": None if data else int(name),
            "xsec_pb": None if data else cross_section,
            "filter_efficiency": None if data else 1.0,
            "k_factor": None if data else 1.0,
            "sum_of_weights": None if data else float(table["sum_weights"].iloc[0]),
            "complete": True,
            "normalisable": not data,
            "reason": None,
            "files": [{"uri": f"{name}.root"}],
        }
    return found


def settings(*overrides: str, channel: str = "hyy") -> Settings:
    """Settings of a channel in 2025."""
    chosen = [f"channel={channel}", "data=opendata_2025", "data.location=nowhere", "run.name=test"]
    return configure([*chosen, *overrides])


@dataclass(frozen=True)
class Chain:
    """A folder in which the stages after convert are run one after the other."""

    folder: Path
    settings: Settings
    fileset: dict[str, Any]

    @classmethod
    def start(
        cls,
        folder: Path,
        tables: Mapping[str, pd.DataFrame],
        chosen: Settings,
        described: Mapping[str, Any] | None = None,
        ledger: Mapping[str, Any] | None = None,
    ) -> Chain:
        """Convert's files: tables with the blinded rows removed in `output/`, all in `sealed/`."""
        facts = dict(described or samples(tables))
        convert = folder / "convert"
        for name, table in tables.items():
            if facts[name]["kind"] == "data":
                write_table(convert / "sealed" / f"{name}.parquet", table)
                table = table[~_blinded(table, chosen)].reset_index(drop=True)
            write_table(convert / "output" / f"{name}.parquet", table)
        write_json(convert / "output" / "ledger.json", {"samples": dict(ledger or {})})
        return cls(folder, chosen, {"samples": facts})

    def context(self, stage: str, sealed: bool = False) -> StageContext:
        upstream = {s: self.folder / s for s in reads(stage, self.settings.channel.stages)}
        return StageContext(self.settings, self.fileset, upstream, sealed)

    def run(self, *stages: str) -> None:
        """Run our own solutions as the step `execute` does: the plain pass, then the sealed one."""
        for stage in stages:
            for sealed in (False, True) if stage in SEALED else (False,):
                self.product(stage, sealed)

    def product(self, stage: str, sealed: bool = False) -> Any:
        """What the reference gives in one pass; it is kept, too."""
        contract = module(stage, "contract").CONTRACT
        arguments = contract.arguments(self.context(stage, sealed))
        result = contract.call(module(stage, "reference"), arguments)
        product = contract.accept(result, arguments)
        contract.write(product, self.folder / stage / ("sealed" if sealed else "output"))
        return product


def _blinded(table: pd.DataFrame, chosen: Settings) -> np.ndarray:
    """TI data in the blinded range; four-lepton data are not blinded."""
    if "m_yy" not in table:
        return np.zeros(len(table), bool)
    flags = table[["ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated"]].to_numpy()
    low, high = chosen.channel.blind
    mass = table["m_yy"].to_numpy()
    return flags.all(axis=1) & (mass > low) & (mass < high) & (not chosen.unblind)


def module(stage: str, name: str) -> ModuleType:
    return import_module(f"pipeline.stages.{stage}.{name}")


def shuffled(tables: Mapping[str, pd.DataFrame], seed: int) -> dict[str, pd.DataFrame]:
    """The same tables with their rows in another order."""
    rng = np.random.default_rng(seed)
    return {
        name: table.iloc[rng.permutation(len(table))].reset_index(drop=True)
        for name, table in tables.items()
    }


def without(described: Mapping[str, Any], names: Sequence[str], reason: str) -> dict[str, Any]:
    """The samples' facts with some that are not complete."""
    lost = {"complete": False, "normalisable": False, "reason": reason}
    return {name: {**facts, **(lost if name in names else {})} for name, facts in described.items()}


def with_luminosity(chosen: Settings, luminosity: float) -> Settings:
    """The settings with another luminosity in fb^-1."""
    return replace(chosen, data=replace(chosen.data, luminosity=luminosity))
