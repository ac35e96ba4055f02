"""Which few distributions stand for a stage's output, and in which of its tables they are."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.sweep_page.histogram import Observable

LEADING = {"hyy": ("ph1_pt", "p_{T}(γ_{1})"), "hzz4l": ("lep1_pt", "p_{T}(ℓ_{1})")}
"""Channel -> column and label of its leading object's transverse momentum."""
TABLES = ("signal", "background", "control", "data")
"""Tables that preprocess and classify write, where the channel has them."""
WEIGHT = {"signal": "weight", "background": "weight", "control": "control_weight", "data": ""}
MASS_BINS, MOMENTUM_BINS, SCORE_BINS = 44, 40, 25
DATA_FILE = re.compile(r"data.*")


@dataclass(frozen=True)
class ChannelAxes:
    """What the axes of a channel's figures need."""

    name: str
    observable: str
    label: str
    low: float
    high: float
    data: frozenset[str]
    """Names of the samples that are data."""
    blind: tuple[float, float] | None
    """Range of the observable in which selected data are kept from solvers; None if none are."""
    observed: bool = False
    """With unblind=true a solver's fit is to the data, not to expected ones."""

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> ChannelAxes:
        """From the content of a `settings.json`; KeyError, TypeError, ValueError or ImportError
        where it is none."""
        channel = settings["channel"]
        low, high = channel["fit_range"]
        roles = channel.get("processes", {})
        data = {s for p in roles.values() if p["role"] == "data" for s in p["samples"]}
        return cls(
            channel["name"], channel["observable"], plain_label(channel["observable_label"]),
            float(low), float(high), frozenset(data),
            _blind(settings), bool(settings.get("unblind", False)),
        )  # fmt: skip


def _blind(settings: Mapping[str, Any]) -> tuple[float, float] | None:
    """The range that is kept from solvers: not in an unblinded run, nor where a channel states a
    range and has no rule that hides it (H→4ℓ)."""
    channel = settings["channel"]
    rules = importlib.import_module(f"pipeline.channels.{channel['name']}")
    if settings.get("unblind", False) or channel["selection"] not in rules.BLINDING_BRANCHES:
        return None
    low, high = channel["blind"]
    return float(low), float(high)


def plain_label(text: str) -> str:
    r"""A label of matplotlib as text that keeps `_{...}`: `m_{\gamma\gamma}` -> `m_{γγ}`."""
    for name, sign in (("\\gamma", "γ"), ("\\ell", "ℓ"), ("\\mu", "μ"), ("\\tau", "τ")):
        text = text.replace(name, sign)
    return text.replace("$", "").replace(" ", "") if "\\" not in text else text.replace("\\", "")


def observables(stage: str, channel: ChannelAxes) -> Mapping[str, tuple[Observable, ...]]:
    """Kind of a stage's tables -> what is drawn of them; empty for a stage without tables."""
    if stage == "convert":
        return _converted(channel)
    if stage == "preprocess":
        return {t: (_mass(t, f"{t}: mass", channel, WEIGHT[t]),) for t in TABLES}
    if stage == "classify":
        return {t: (_score(t),) for t in TABLES if t != "control"}
    return {}


def kind_of(stage: str, name: str, channel: ChannelAxes) -> str:
    """Of which kind the table `name` (a Parquet file's stem) of a stage is."""
    if stage != "convert":
        return name
    is_data = name in channel.data if channel.data else DATA_FILE.fullmatch(name) is not None
    return "data" if is_data else "mc"


def _converted(channel: ChannelAxes) -> dict[str, tuple[Observable, ...]]:
    column, label = LEADING.get(channel.name, ("", ""))
    low, high = channel.low, channel.high
    leading = Observable(
        "mc_leading", "simulation: leading object, unweighted", column, label, "GeV", 0, 200,
        MOMENTUM_BINS, quantity="simulated events",
    )  # fmt: skip
    normalised = Observable(
        "mc_xsec", "simulation: by the files' own cross-sections", channel.observable,
        channel.label, "GeV", low, high, MASS_BINS, "weight", per_generated=True,
        quantity="cross-section [pb]",
    )  # fmt: skip
    return {
        "mc": (
            _mass("mc", "simulation: mass, unweighted", channel, ""),
            *((leading,) if column else ()),
            normalised,
        ),
        "data": (_mass("data", "data: mass", channel, ""),),
    }


def _mass(key: str, title: str, channel: ChannelAxes, weight: str) -> Observable:
    return Observable(
        f"{key}_mass", title, channel.observable, channel.label, "GeV", channel.low, channel.high,
        MASS_BINS, weight, quantity="simulated events" if key == "mc" else "events",
        hidden=channel.blind if key == "data" else None,
    )  # fmt: skip


def _score(table: str) -> Observable:
    weight = WEIGHT[table]
    return Observable(
        f"{table}_score", f"{table}: score", "score", "classifier score", "", 0.0, 1.0,
        SCORE_BINS, weight, density=True, quantity="share of events",
    )  # fmt: skip
