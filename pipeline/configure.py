"""From Hydra's configuration and the user's overrides to frozen settings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.combinations import check_combinations
from pipeline.paths import resource
from pipeline.scripted.scripts import SOLVES
from pipeline.settings import (
    RunSettings,
    Settings,
    SettingsError,
    from_dict,
    nearest,
    settings_sha256,
)

GROUPS = ("channel", "data", "model", "solver", "site")


def configure(overrides: Sequence[str]) -> Settings:
    """The settings that `ladon <verb> [overrides]` means.

    Raises SettingsError, one sentence, for a typo in a key, an option that does not exist, a wrong
    type, a missing value, or a combination that makes no sense.
    """
    conf = resource("conf")
    plain = _compose(conf, overrides)
    settings = from_dict(_resolve(plain))
    check_combinations(settings)
    if settings.run.name:
        return settings
    return _named(settings)


def groups(conf: Path) -> dict[str, list[str]]:
    """The options of every configuration group, by group."""
    return {g: sorted(p.stem for p in (conf / g).glob("*.yaml")) for g in GROUPS}


def _compose(conf: Path, overrides: Sequence[str]) -> dict[str, Any]:
    parsed = _parse(overrides)
    overrides = [*overrides, *_implied(conf, parsed)]
    _check_keys(conf, _parse(overrides))
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(config_dir=str(conf), version_base="1.3"):
            cfg = compose("config", overrides=list(overrides))
        plain = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise SettingsError(_sentence(error)) from error
    if not isinstance(plain, dict):
        raise SettingsError(f"expected a mapping in {conf / 'config.yaml'}, found {plain!r}")
    return {str(key): value for key, value in plain.items()}


def _implied(conf: Path, parsed: Sequence[Override]) -> list[str]:
    """The reference solver asks no model: without a word about one there is none."""
    chosen = {**dict(_defaults(conf)), **{o.key_or_group: str(o.value()) for o in parsed}}
    named = any(o.key_or_group == "model" for o in parsed)
    return ["model=none"] if chosen["solver"] == "reference" and not named else []


def _parse(overrides: Sequence[str]) -> list[Override]:
    parser = OverridesParser.create()
    parsed = []
    for text in overrides:
        if "=" not in text and not text.startswith("~"):
            raise SettingsError(f"expected key=value, found {text!r}, e.g. data.mu=2")
        try:
            parsed.append(parser.parse_override(text))
        except HydraException as error:
            raise SettingsError(f"cannot read the override {text!r}: {_sentence(error)}") from error
    return parsed


def _check_keys(conf: Path, parsed: Sequence[Override]) -> None:
    """Every key and option named by the user exists; a sweep is not asked for here."""
    options = groups(conf)
    chosen = dict(_defaults(conf))
    for o in parsed:
        key = o.key_or_group
        if o.is_sweep_override():
            raise SettingsError(
                f"{o.input_line!r} asks for several values at once; this version runs one "
                "configuration per command: give one value and start one run per value"
            )
        if key in options:
            value = str(o.value())
            if value not in options[key]:
                raise SettingsError(
                    f"{key}={value!s} does not exist; {nearest(value, options[key])}"
                )
            chosen[key] = value
    known = _keys(conf, chosen)
    for o in parsed:
        key = o.key_or_group
        if key in options or key in known or o.is_add() or o.is_force_add():
            continue
        raise SettingsError(
            f"unknown key {key!r}; {_nearest_key(key, sorted(known | set(options)))}"
        )


def _nearest_key(key: str, known: list[str]) -> str:
    """Only the keys beside the one that was meant: the whole list would hide it."""
    parent = key.rpartition(".")[0]
    beside = [k for k in known if k.rpartition(".")[0] == parent] or [
        k for k in known if "." not in k
    ]
    hint = nearest(key, known).split("known:")[0]
    return f"{hint}known: {', '.join(beside)}"


def _defaults(conf: Path) -> list[tuple[str, str]]:
    listed = _yaml(conf / "config.yaml")["defaults"]
    return [
        (k, v) for item in listed if isinstance(item, dict) for k, v in item.items() if k in GROUPS
    ]


def _keys(conf: Path, chosen: dict[str, str]) -> set[str]:
    """Dotted names of all keys of the configuration with these groups chosen."""
    root = {k: v for k, v in _yaml(conf / "config.yaml").items() if k != "defaults"}
    for group, option in chosen.items():
        root[group] = _option(conf / group, option)
    found: set[str] = set()

    def walk(node: Any, prefix: str) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                found.add(f"{prefix}{key}")
                walk(value, f"{prefix}{key}.")

    walk(root, "")
    return found


def _option(group: Path, name: str) -> dict[str, Any]:
    """The keys of a group's option, with those of the options that it is made from."""
    found: dict[str, Any] = _yaml(group / f"{name}.yaml")
    for base in found.pop("defaults", []):
        if base != "_self_":
            found = _over(_option(group, base), found)
    return found


def _over(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """`base` with what `own` says instead."""
    both = {k: (base[k], v) for k, v in own.items() if k in base}
    merged = {
        k: _over(*p) if all(isinstance(x, dict) for x in p) else p[1] for k, p in both.items()
    }
    return {**base, **own, **merged}


def _yaml(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def _sentence(error: Exception) -> str:
    """The first line that says something, without Hydra's decoration."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kept = [
        line for line in lines if not re.match(r"(full_key|object_type|reference_type)\b", line)
    ]
    return (kept or [type(error).__name__])[0].rstrip(".")


def _resolve(plain: dict[str, Any]) -> dict[str, Any]:
    """Pick the part of the channel that belongs to the release of the data."""
    plain = dict(plain)
    plain.pop("hydra", None)
    channel, data = dict(plain["channel"]), dict(plain["data"])
    releases = channel.pop("releases")
    release = data.get("release")
    if release not in releases:
        raise SettingsError(
            f"channel={channel['name']} is not defined for release {release!r}; "
            f"defined: {', '.join(releases)}"
        )
    of_release = dict(releases[release])
    measure = dict(channel["measure"])
    measure["luminosity_uncertainty"] = of_release.pop("luminosity_uncertainty")
    channel.update(of_release, measure=measure)
    if data.get("synthetic"):
        channel["processes"] = _synthetic_processes(channel)
    plain["channel"] = channel
    if plain.get("stages") is None:
        plain["stages"] = list(channel["stages"])
    run = dict(plain["run"])
    run["name"] = "" if run["name"] is None else str(run["name"])
    plain["run"] = run
    plain["data"] = _from_here(data, "location")
    plain["model"] = _from_here(plain["model"], "recorded", "api_key_file")
    if "serve" in plain["model"]:
        plain["model"]["serve"] = _from_here(plain["model"]["serve"], "weights")
    site = _from_here(plain["site"], "container", "sandbox_image")
    site["serve"] = _from_here(site["serve"], "venv", "image", "hub")
    plain["site"] = site
    return plain


def _from_here(given: dict[str, Any], *names: str) -> dict[str, Any]:
    """Paths of the user made absolute: the steps of a run work in another folder."""
    paths = {n: given[n] for n in names if isinstance(given.get(n), str) and "://" not in given[n]}
    return given | {name: str(Path(path).expanduser().absolute()) for name, path in paths.items()}


def _synthetic_processes(channel: dict[str, Any]) -> dict[str, Any]:
    """The processes of a channel for which synthetic samples can be made."""
    from pipeline.data.synthetic import sample_names

    made = set(sample_names(channel["name"]))
    kept = {}
    for name, process in channel["processes"].items():
        samples = [s for s in process["samples"] if s in made]
        if samples:
            kept[name] = {**process, "samples": samples}
    return kept


def _named(settings: Settings) -> Settings:
    """Settings with a run name made from what they are, so that the same command finds its run."""
    from dataclasses import replace

    digest = settings_sha256(settings)[:8]
    model, solver = settings.model, settings.solver
    writer = solver.name if solver.name == "reference" else model.name
    if model.provider == "scripted" and model.script not in (SOLVES, model.name):
        writer = f"{writer}-{model.script}"
    name = f"{settings.channel.name}-{settings.data.name}-{writer}-{digest}"
    return replace(
        settings, run=RunSettings(name, settings.run.outputs, settings.run.accept_code_change)
    )
