"""The frozen settings of one point: what every step reads, and nothing else."""

from __future__ import annotations

import difflib
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pipeline.agent_settings import (
    EVALUATED_PRICES,
    PLACE_OF_MODEL,
    ModelSettings,
    SolverSettings,
)
from pipeline.data_settings import WAY_OF_DATA, DataSettings
from pipeline.files import read_json, sha256_json
from pipeline.site_settings import SiteSettings

STAGES = ("inspect", "convert", "preprocess", "classify", "categorize", "measure")
MADE_BY_CONVERT = ("inspect", "convert")
"""Stages that read ROOT files; a skim takes their place."""
SETTINGS_SCHEMA = 1


class SettingsError(ValueError):
    """A setting is unknown, missing, of another type, or makes no sense with the others."""


@dataclass(frozen=True)
class ProcessSettings:
    """One physics process of a channel: which samples make it and what it is for."""

    role: Literal["signal", "background", "data"]
    samples: tuple[str, ...]
    """Sample names of the manifest: DSIDs for simulation, periods for data."""
    label: str = ""


@dataclass(frozen=True)
class CategorizeSettings:
    """Stopping rule of the greedy boundaries."""

    min_gain: float = 0.05
    min_background: float = 0.8
    max_boundaries: int = 5


@dataclass(frozen=True)
class MeasureSettings:
    """What the fit needs to know beyond the tables."""

    background: Literal["functions", "template"] = "functions"
    """functions are fitted to data; a template comes from simulation."""
    signal_mass: float = 125.0
    luminosity_uncertainty: float = 0.021
    scale_uncertainty: float = 0.002
    resolution_uncertainty: float = 0.10


@dataclass(frozen=True)
class ChannelSettings:
    """A measurement: its stages, observable, windows, samples and features."""

    name: str
    title: str
    stages: tuple[str, ...]
    observable: str
    observable_label: str
    skim: str
    tree: str
    selection: str
    """Name of the official selection for this release, e.g. `official_2025`."""
    fit_range: tuple[float, float]
    sidebands: tuple[tuple[float, float], ...]
    signal_window: tuple[float, float]
    blind: tuple[float, float]
    scale_factors: tuple[str, ...]
    features: tuple[str, ...]
    processes: dict[str, ProcessSettings]
    categorize: CategorizeSettings = field(default_factory=CategorizeSettings)
    measure: MeasureSettings = field(default_factory=MeasureSettings)


@dataclass(frozen=True)
class RunSettings:
    """Name of the run and where runs are kept."""

    name: str
    outputs: str
    accept_code_change: bool = False
    skims: bool = True
    """Whether what convert makes is kept below `outputs`/skims, and looked for there."""


@dataclass(frozen=True)
class Settings:
    """One fully resolved configuration."""

    channel: ChannelSettings
    data: DataSettings
    model: ModelSettings
    solver: SolverSettings
    site: SiteSettings
    run: RunSettings
    stages: tuple[str, ...]
    chain: Literal["chained", "isolated"] = "chained"
    classifier: Literal["gradient_boosting", "tabpfn"] = "gradient_boosting"
    trial: int = 0
    seed: int = 42
    unblind: bool = False
    schema: int = SETTINGS_SCHEMA


def to_dict(settings: Settings) -> dict[str, Any]:
    """Settings as plain JSON types."""
    plain: dict[str, Any] = asdict(settings)
    return plain


def from_dict(data: Any) -> Settings:
    """Settings from plain JSON types; SettingsError names what is wrong."""
    settings: Settings = _build(Settings, data, "")
    return settings


def load(path: Path | str) -> Settings:
    """Settings from a frozen `settings.json`."""
    return from_dict(read_json(path))


def settings_sha256(settings: Settings) -> str:
    """Hash of what decides the result: everything but where and under which name it runs."""
    return sha256_json(deciding(settings))


def deciding(settings: Settings) -> dict[str, Any]:
    """The settings that decide the result, as plain JSON types."""
    plain = to_dict(settings)
    del plain["site"], plain["run"]
    plain["data"] = deciding_data(settings)
    for name in PLACE_OF_MODEL:
        del plain["model"][name]
    for name in EVALUATED_PRICES:
        del plain["model"]["prices"][name]
    if not settings.model.deterministic:
        del plain["model"]["deterministic"]  # hashes from before there was the choice still hold
    return plain


def deciding_data(settings: Settings) -> dict[str, Any]:
    """The settings of the data that decide the result, as plain JSON types."""
    plain: dict[str, Any] = asdict(settings.data)
    for name in WAY_OF_DATA:
        del plain[name]
    # Where nothing is chosen, hashes from before there was the choice still hold.
    if settings.data.manifest is None:
        del plain["manifest"], plain["synthetic_manifest"]
    if settings.data.share == "all":
        del plain["share"]
    if settings.data.skim is None:
        del plain["skim"]
    return plain


def reference_key(settings: Settings) -> str:
    """Sixteen hex digits that name the reference outputs these settings need.

    Two points share a reference exactly if it would come out with the same bits. The trial is not
    part of it: repetitions of a model are judged against one reference.
    """
    plain = to_dict(settings)
    kept = {key: plain[key] for key in ("channel", "classifier", "seed", "unblind")}
    return sha256_json({**kept, "data": deciding_data(settings)})[:16]


def nearest(name: str, known: list[str]) -> str:
    """The end of an error sentence: what `name` may have meant, and what there is."""
    begins = [k for k in known if name and k.startswith(name)]
    close = begins or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}known: {', '.join(known)}"


def _build(cls: type[Any], data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise SettingsError(f"expected a mapping at {where}, found {data!r}")
    hints = get_type_hints(cls)
    known = [f.name for f in fields(cls)]
    for key in data:
        if key not in known:
            raise SettingsError(f"unknown key {_join(where, key)!r}; {nearest(str(key), known)}")
    for f in fields(cls):
        required = f.default is MISSING and f.default_factory is MISSING
        if required and f.name not in data:
            raise SettingsError(f"missing value for {_join(where, f.name)!r}")
    return cls(**{name: _convert(hints[name], data[name], _join(where, name)) for name in data})


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _convert(hint: Any, value: Any, where: str) -> Any:
    """`value` as the type `hint` says; SettingsError says what was expected instead."""
    if hint is Any:
        return value
    if is_dataclass(hint) and isinstance(hint, type):
        return _build(hint, value, where)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        if value in args:
            return value
        raise SettingsError(
            f"expected one of {', '.join(map(str, args))} for {where!r}, found {value!r}; "
            f"{nearest(str(value), [str(a) for a in args])}"
        )
    if origin in (Union, UnionType):
        if value is None:
            return None
        return _convert(next(a for a in args if a is not type(None)), value, where)
    if origin is tuple:
        return _tuple(args, value, where)
    if origin is dict:
        if not isinstance(value, dict):
            raise SettingsError(f"expected a mapping for {where!r}, found {value!r}")
        return {key: _convert(args[1], item, _join(where, key)) for key, item in value.items()}
    return _scalar(hint, value, where)


def _tuple(args: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise SettingsError(f"expected a list for {where!r}, found {value!r}")
    if args[-1] is not Ellipsis and len(args) != len(value):
        raise SettingsError(f"expected {len(args)} values for {where!r}, found {value!r}")
    return tuple(_convert(args[0], item, f"{where}[{i}]") for i, item in enumerate(value))


_NAMES = {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}


def _scalar(hint: type[Any], value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, hint) and not (hint is not bool and isinstance(value, bool)):
        return value
    found = "nothing" if value is None else repr(value)
    raise SettingsError(f"expected {_NAMES.get(hint, hint.__name__)} for {where!r}, found {found}")
