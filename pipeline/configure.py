"""From Hydra's configuration and the user's overrides to frozen settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.combinations import check_combinations
from pipeline.data.manifest_choice import labelled
from pipeline.overrides import check_keys, defaults, parse, sentence
from pipeline.paths import resource
from pipeline.scripted.scripts import SOLVES
from pipeline.settings import (
    MADE_BY_CONVERT,
    Settings,
    SettingsError,
    from_dict,
    settings_sha256,
)

PLAIN = frozenset({"trial", "stages"})
"""Keys that nothing else in the configuration depends on: points that differ in these alone are
composed once."""


def configure(overrides: Sequence[str], located: bool = True) -> Settings:
    """The settings that `ladon <verb> [overrides]` means; `located`: they must say where data lie.

    Raises SettingsError, one sentence, for a typo in a key, an option that does not exist, a wrong
    type, a missing value, or a combination that makes no sense.
    """
    settings = _checked(_resolve(_compose(resource("conf"), overrides)), located)
    return settings if settings.run.name else _named(settings)


def release_named(choice: str) -> str | None:
    """The official key of the release that `data=<choice>` is; None if there is no such choice."""
    path = resource("conf") / "data" / f"{choice}.yaml"
    return str(OmegaConf.select(OmegaConf.load(path), "release")) if path.is_file() else None


class Composer:
    """Composes many points of a sweep, each group of those that differ in PLAIN keys once."""

    def __init__(self) -> None:
        self._composed: dict[tuple[str, ...], dict[str, Any]] = {}

    def __call__(self, overrides: Sequence[str]) -> Settings:
        """The settings of one point; raises what `configure` raises. An unnamed run stays so."""
        parsed = parse(overrides)
        plain = [o for o in parsed if o.key_or_group in PLAIN and not o.is_delete()]
        rest = tuple(str(o.input_line) for o in parsed if o not in plain)
        if rest not in self._composed:
            self._composed[rest] = _resolve(_compose(resource("conf"), rest))
        own = {o.key_or_group: o.value() for o in plain if o.value() is not None}
        return _checked({**self._composed[rest], **own})


def _checked(plain: dict[str, Any], located: bool = True) -> Settings:
    settings = from_dict(plain)
    check_combinations(settings, located)
    return settings


def _compose(conf: Path, overrides: Sequence[str]) -> dict[str, Any]:
    parsed = parse(overrides)
    overrides = [*overrides, *_implied(conf, parsed)]
    check_keys(conf, parse(overrides))
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(config_dir=str(conf), version_base="1.3"):
            cfg = compose("config", overrides=list(overrides))
        plain = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise SettingsError(sentence(error)) from error
    if not isinstance(plain, dict):
        raise SettingsError(f"expected a mapping in {conf / 'config.yaml'}, found {plain!r}")
    return {str(key): value for key, value in plain.items()}


def _implied(conf: Path, parsed: Sequence[Override]) -> list[str]:
    """The reference solver asks no model: without a word about one there is none."""
    chosen = {**dict(defaults(conf)), **{o.key_or_group: str(o.value()) for o in parsed}}
    named = any(o.key_or_group == "model" for o in parsed)
    return ["model=none"] if chosen["solver"] == "reference" and not named else []


def _resolve(plain: dict[str, Any]) -> dict[str, Any]:
    """Pick the part of the channel that belongs to the release of the data."""
    plain = dict(plain)
    plain.pop("hydra", None)
    plain.pop("sweep", None)
    channel, data = dict(plain["channel"]), dict(plain["data"])
    releases = channel.pop("releases")
    if isinstance(data.get("source"), str):
        data["source"] = [data["source"]]
    release = data.get("release")
    impossible = {r: str(p["impossible"]) for r, p in releases.items() if "impossible" in p}
    if release in impossible:
        raise SettingsError(
            f"channel={channel['name']} cannot be run on release {release!r}: {impossible[release]}"
        )
    releases = {r: p for r, p in releases.items() if r not in impossible}
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
    if data.get("skim") is not None:  # nobody can look into files that are not there
        channel["stages"] = [stage for stage in channel["stages"] if stage != "inspect"]
    if plain.get("stages") is None:
        made = MADE_BY_CONVERT if data.get("skim") is not None else ()
        plain["stages"] = [stage for stage in channel["stages"] if stage not in made]
    run = dict(plain["run"])
    run["name"] = "" if run["name"] is None else str(run["name"])
    plain["run"] = run
    plain["data"] = labelled(_from_here(data, "location", "cache", "manifest", "skim"))
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
    return replace(settings, run=replace(settings.run, name=name))
