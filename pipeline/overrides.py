"""What a user overrides on the command line: read, and checked against the keys that there are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from pipeline.settings import SettingsError, nearest

GROUPS = ("channel", "data", "model", "solver", "site")
SWEEP = "sweep"
"""The group of files that say what a sweep is over; none is chosen by default."""


def groups(conf: Path) -> dict[str, list[str]]:
    """The options of every configuration group, by group."""
    return {g: sorted(p.stem for p in (conf / g).glob("*.yaml")) for g in GROUPS}


def parse(overrides: Sequence[str]) -> list[Override]:
    """The overrides as Hydra reads them; SettingsError for one that it cannot read."""
    parser = OverridesParser.create()
    parsed = []
    for text in overrides:
        if "=" not in text and not text.startswith("~"):
            raise SettingsError(f"expected key=value, found {text!r}, e.g. data.mu=2")
        try:
            parsed.append(parser.parse_override(text))
        except HydraException as error:
            raise SettingsError(f"cannot read the override {text!r}: {sentence(error)}") from error
    return parsed


def check_keys(conf: Path, parsed: Sequence[Override], sweep: bool = False) -> None:
    """Every key and option named by the user exists; several values at once need a `sweep`."""
    options = {**groups(conf), SWEEP: sweeps(conf)}
    chosen = {group: [option] for group, option in defaults(conf)}
    for o in parsed:
        key = o.key_or_group
        if o.is_sweep_override() and not sweep:
            raise SettingsError(
                f"{o.input_line!r} asks for several values at once, and this verb works on one "
                f"configuration; for a sweep over them: ladon sweep {o.input_line} ..."
            )
        if key in options:
            chosen[key] = [_existing(key, value, options[key]) for value in values_of(o)]
    known = set().union(*(_keys(conf, group, tuple(names)) for group, names in chosen.items()))
    known |= _keys(conf, "", ())
    for o in parsed:
        key = o.key_or_group
        if key in options or key in known or o.is_add() or o.is_force_add():
            continue
        raise SettingsError(
            f"unknown key {key!r}; {_nearest_key(key, sorted(known | set(options)))}"
        )


def values_of(override: Override) -> list[str]:
    """The values that an override gives one after the other; one, if it is no sweep."""
    if override.is_discrete_sweep():
        return [str(value) for value in override.sweep_string_iterator()]
    return [override.get_value_element_as_str()]


def sweeps(conf: Path) -> list[str]:
    """Names of the sweeps of conf/sweep."""
    return sorted(path.stem for path in (conf / SWEEP).glob("*.yaml"))


def _existing(group: str, value: str, options: list[str]) -> str:
    if value not in options:
        raise SettingsError(f"{group}={value!s} does not exist; {nearest(value, options)}")
    return value


def _nearest_key(key: str, known: list[str]) -> str:
    """Only the keys beside the one that was meant: the whole list would hide it."""
    parent = key.rpartition(".")[0]
    beside = [k for k in known if k.rpartition(".")[0] == parent] or [
        k for k in known if "." not in k
    ]
    hint = nearest(key, known).split("known:")[0]
    return f"{hint}known: {', '.join(beside)}"


def defaults(conf: Path) -> list[tuple[str, str]]:
    """(group, option) that are chosen where nobody says otherwise."""
    listed = _yaml(conf / "config.yaml")["defaults"]
    return [
        (k, v) for item in listed if isinstance(item, dict) for k, v in item.items() if k in GROUPS
    ]


@cache
def _keys(conf: Path, group: str, options: tuple[str, ...]) -> frozenset[str]:
    """Dotted names of all keys of a group with these options; of the root for the group ''."""
    found: set[str] = set()

    def walk(node: Any, prefix: str) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                found.add(f"{prefix}{key}")
                walk(value, f"{prefix}{key}.")

    if not group:
        walk({k: v for k, v in _yaml(conf / "config.yaml").items() if k != "defaults"}, "")
    elif group != SWEEP:
        found.add(group)
        for option in options:
            walk(option_of(conf / group, option), f"{group}.")
    return frozenset(found)


def option_of(group: Path, name: str) -> dict[str, Any]:
    """The keys of a group's option, with those of the options that it is made from."""
    found = dict(_yaml(group / f"{name}.yaml"))
    for base in found.pop("defaults", []):
        if base != "_self_":
            found = _over(option_of(group, base), found)
    return found


def _over(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """`base` with what `own` says instead."""
    both = {k: (base[k], v) for k, v in own.items() if k in base}
    merged = {
        k: _over(*p) if all(isinstance(x, dict) for x in p) else p[1] for k, p in both.items()
    }
    return {**base, **own, **merged}


@cache
def _yaml(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def sentence(error: Exception) -> str:
    """The first line that says something, without Hydra's decoration."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kept = [
        line for line in lines if not re.match(r"(full_key|object_type|reference_type)\b", line)
    ]
    return (kept or [type(error).__name__])[0].rstrip(".")
