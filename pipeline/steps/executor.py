"""Where the chunks of convert are worked on, as the site says."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from executors import make_executor
from executors.base import ChunkExecutor
from executors.slurm.jobs import prefix_of
from pipeline.profile import load_profile, task_memory_mb
from pipeline.settings import Settings
from pipeline.steps.context import Place

SHARED = Path("logs/dask")
"""Folder of a run where the tasks of an allocation meet, and worker jobs write their logs."""


def executor_of(place: Place) -> AbstractContextManager[ChunkExecutor | None]:
    """What works on the chunks of convert; nothing for any other stage.

    Where convert is cut into jobs, these have worked on them before.
    """
    if place.stage != "convert" or place.plan.parts > 1:
        return nullcontext()
    return convert_executor(place.settings())


def convert_executor(settings: Settings) -> AbstractContextManager[ChunkExecutor]:
    """What works on chunks at the site.

    In an allocation every task of the job step comes here, and only one comes back.
    """
    site = settings.site
    if site.executor == "allocation":
        from executors.allocation import AllocationExecutor

        return AllocationExecutor(
            site.workers, site.memory_gb, site.retries, SHARED, site.interface, site.local_disk
        )
    if site.executor == "elastic":
        return _elastic(settings)
    return make_executor(site.executor, site.workers, site.memory_gb, site.retries)


def _elastic(settings: Settings) -> AbstractContextManager[ChunkExecutor]:
    from executors.elastic import ElasticExecutor, WorkerJobs

    site, elastic = settings.site, settings.site.elastic
    default = load_profile(site.profile).get("default-resources") or {}
    jobs = WorkerJobs(
        name=f"{prefix_of(Path.cwd())}_dask",
        logs=SHARED.resolve(),
        minimum=elastic.minimum,
        maximum=elastic.maximum,
        walltime=elastic.walltime,
        lifetime=elastic.lifetime,
        stagger=elastic.stagger,
        memory_mb=task_memory_mb(settings),
        partition=site.partition or default.get("slurm_partition"),
        account=site.account or default.get("slurm_account"),
        qos=site.qos or default.get("qos"),
        setup=elastic.setup,
        options=elastic.options,
    )
    return ElasticExecutor(jobs, site.memory_gb, site.retries, site.interface, site.local_disk)
