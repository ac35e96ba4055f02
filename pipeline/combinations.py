"""Which combinations of settings make sense; each that does not is one sentence."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from executors.base import is_remote
from pipeline.data.errors import LocationError
from pipeline.data.fetch.address import PORTAL, check_sources
from pipeline.data_settings import DataSettings
from pipeline.models import spec_of
from pipeline.profile import load_profile
from pipeline.scripted.skill import check_script
from pipeline.serve import NOWHERE, why_not_served
from pipeline.settings import MADE_BY_CONVERT, STAGES, Settings, SettingsError, nearest

MOST_OTHERS = 40
"""Jobs of a point's graph that are not parts of convert: more than there are."""
LEAST_GB = 0.5
"""A worker process has loaded more than 0.2 GB before its first chunk; below that, threads that it
starts never begin, and it waits for them for ever (seen with Python 3.11)."""


def check_combinations(settings: Settings, located: bool = True) -> None:
    """Raise SettingsError for settings that make no sense together.

    `located` says whether a place of the files has to be given: a plan needs none.
    """
    _check_stages(settings)
    _check_data(settings, located)
    _check_solver(settings)
    _check_site(settings)
    _check_name(settings.run.name)


def _check_stages(settings: Settings) -> None:
    channel = settings.channel
    if not settings.stages:
        raise SettingsError("expected at least one stage in stages, found none")
    for stage in settings.stages:
        if stage not in STAGES:
            raise SettingsError(
                f"unknown stage {stage!r} in stages; {nearest(stage, list(STAGES))}"
            )
        if settings.data.skim is not None and stage in MADE_BY_CONVERT:
            raise SettingsError(
                f"data.skim holds events that are converted, and the stage {stage!r} reads ROOT "
                "files; leave it away from stages, or give data.location instead of data.skim"
            )
        if stage not in channel.stages:
            raise SettingsError(
                f"channel={channel.name} has no stage {stage!r}; its stages: "
                f"{', '.join(channel.stages)}"
            )
    ordered = [s for s in channel.stages if s in settings.stages]
    if list(settings.stages) != ordered:
        raise SettingsError(
            f"expected stages in their order and each once, found {list(settings.stages)!r}; "
            f"write stages=[{','.join(ordered)}]"
        )
    taken = MADE_BY_CONVERT if settings.data.skim is not None else ()
    solved = [s for s in channel.stages if s not in taken]
    if settings.chain == "chained" and ordered != solved[: len(ordered)]:
        gap = next(s for s in solved if s not in ordered)
        raise SettingsError(
            f"chain=chained needs every stage before the last one asked for, {gap!r} is missing; "
            "add it, or take chain=isolated"
        )


def _check_data(settings: Settings, located: bool) -> None:
    data = settings.data
    if data.share != "all" and settings.unblind:
        raise SettingsError(
            f"data.share={data.share} is a step on the way to all of the data and stays blinded, "
            "found unblind=true; unblind with data.share=all"
        )
    if data.luminosity <= 0:
        raise SettingsError(f"expected data.luminosity > 0 fb^-1, found {data.luminosity!r}")
    if data.mu < 0:
        raise SettingsError(f"expected data.mu >= 0, found {data.mu!r}")
    if not 0 < data.thinning <= 1:
        raise SettingsError(f"expected 0 < data.thinning <= 1, found {data.thinning!r}")
    if data.chunk_size < 1 or settings.site.workers < 1 or settings.site.cores < 1:
        raise SettingsError(
            "expected data.chunk_size, site.workers and site.cores of at least 1, found "
            f"{data.chunk_size}, {settings.site.workers} and {settings.site.cores}"
        )
    if settings.site.executor == "processes" and settings.site.memory_gb < LEAST_GB:
        raise SettingsError(
            f"expected site.memory_gb of at least {LEAST_GB} for a worker process, found "
            f"{settings.site.memory_gb!r}; it cannot even start with less"
        )
    if data.skim is not None and data.location is not None:
        raise SettingsError(
            f"expected data.skim or data.location, found both ({data.skim!r} and "
            f"{data.location!r}); leave away the one that is not to be read"
        )
    if data.skim is not None and data.share != "all":
        raise SettingsError(
            f"a skim is taken as a whole, found data.share={data.share} with data.skim="
            f"{data.skim!r}; leave data.share away, or give data.location instead of data.skim"
        )
    if located and not data.synthetic and data.location is None and data.skim is None:
        raise SettingsError(
            f"data={data.name} needs data.location=PATH, the folder that holds its files "
            "(or the portal's layout below it), or the address of a mirror such as "
            f"{PORTAL[0]}; data=synthetic needs no files"
        )
    if data.synthetic and data.location is not None:
        raise SettingsError(
            "data=synthetic makes its own files, found data.location="
            f"{data.location!r}; for real files take data=opendata_2025 or data=opendata_2020"
        )
    if data.synthetic and data.manifest is not None:
        raise SettingsError(
            f"data=synthetic makes its own files, found data.manifest={data.manifest!r}; give it "
            "with the release whose files it lists"
        )
    _check_access(data)


def _check_access(data: DataSettings) -> None:
    """Addresses are addresses, and only what lies at one can be streamed."""
    if data.cache_gb is not None and data.cache_gb <= 0:
        raise SettingsError(f"expected data.cache_gb > 0 (GB), found {data.cache_gb!r}")
    mirror = (data.location,) if data.location and is_remote(data.location) else ()
    try:
        check_sources((*data.source, *mirror))
    except LocationError as error:
        raise SettingsError(str(error)) from error
    if data.access == "stream" and not mirror:
        raise SettingsError(
            "data.access=stream reads files where they are on the network, found data.location="
            f"{data.location!r}; give the address of a mirror, or leave data.access away"
        )


def _check_solver(settings: Settings) -> None:
    """An agent needs a model that can be reached; its code needs a sandbox, or a clear no."""
    model, solver = settings.model, settings.solver
    if solver.max_rounds < 1:
        raise SettingsError(f"expected solver.max_rounds of at least 1, found {solver.max_rounds}")
    if solver.name == "reference":
        if model.provider != "none":
            raise SettingsError(
                f"solver=reference asks no model, found model={model.name}; leave model= away, or "
                "take solver=agent"
            )
        return
    needed = {"scripted": "script", "replay": "recorded", "endpoint": "repository"}
    if model.provider == "none":
        raise SettingsError(
            "solver=agent needs a model, found model=none; take model=scripted, or a model behind "
            "an endpoint with model.base_url=http://HOST:PORT/v1"
        )
    name = needed[model.provider]
    if not getattr(model, name):
        raise SettingsError(f"model={model.name} needs model.{name}=..., found none")
    if model.provider == "replay" and not (Path(str(model.recorded)) / "sweep.json").is_file():
        raise SettingsError(
            f"expected a run in model.recorded={model.recorded!r}, found no sweep.json there"
        )
    if model.provider == "scripted":
        release = settings.data.release
        check_script(str(model.script), settings.stages, settings.channel.name, release)
    if model.provider == "endpoint":
        _check_endpoint(settings)


def _check_endpoint(settings: Settings) -> None:
    model = settings.model
    if not model.base_url:
        _check_served(settings)
    if settings.solver.max_cost is not None and not model.prices.limiting:
        raise SettingsError(
            "solver.max_cost needs a price: set model.prices.per_million_prompt, "
            "model.prices.per_million_completion or model.prices.per_hour"
        )
    try:
        spec_of(replace(model, base_url=model.base_url or NOWHERE), settings.seed)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _check_served(settings: Settings) -> None:
    """Ladon can start a server of the model at this site."""
    model = settings.model
    why = why_not_served(settings)
    if why is not None:
        raise SettingsError(
            f"model={model.name} needs the address of its server: model.base_url="
            "http://HOST:PORT/v1 (of any OpenAI-compatible endpoint that serves "
            f"{model.repository}); Ladon cannot start one: {why}"
        )


def _check_site(settings: Settings) -> None:
    """The executor and the container go with who runs the steps."""
    site = settings.site
    if site.executor == "allocation" and site.scheduler != "slurm":
        raise SettingsError(
            "site.executor=allocation needs site.scheduler=slurm, found "
            f"{site.scheduler!r}; take site.executor=processes, or a site with SLURM"
        )
    if site.executor == "elastic" and site.container is not None:
        raise SettingsError(
            "site.executor=elastic submits jobs from a step, and there is no sbatch in the image "
            f"{site.container!r}; take site.executor=allocation, or leave site.container away"
        )
    if site.container is not None and site.sandbox == "apptainer":
        raise SettingsError(
            "site.sandbox=apptainer needs Apptainer, and there is none in the image "
            f"{site.container!r} of site.container; take site.sandbox=bubblewrap (or auto), or "
            "leave site.container away"
        )
    budget = site.budget
    jobs = 1 if budget.convert_jobs is None else budget.convert_jobs
    if budget.job_minutes <= 0 or budget.most_jobs < MOST_OTHERS or jobs < 1:
        raise SettingsError(
            f"expected site.budget.job_minutes above 0, most_jobs of at least {MOST_OTHERS} and "
            f"convert_jobs of at least 1, found {budget.job_minutes!r}, {budget.most_jobs!r} and "
            f"{budget.convert_jobs!r}"
        )
    if not 1 <= site.elastic.minimum <= site.elastic.maximum:
        raise SettingsError(
            "expected 1 <= site.elastic.minimum <= site.elastic.maximum, found "
            f"{site.elastic.minimum} and {site.elastic.maximum}"
        )
    load_profile(site.profile)


def _check_name(name: str) -> None:
    if name and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise SettingsError(
            "expected run.name of letters, digits, dot, dash and underscore (at most 100), "
            f"found {name!r}"
        )
    if name == "latest":
        raise SettingsError("run.name=latest is the link to the newest run; choose another name")
