"""How the steps of a run are started at its site: the words before `-m pipeline.steps...`."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from executors.base import is_remote
from executors.container import StepContainer, image_record, step_prefix
from pipeline.data.fetch.wanted import cache_of
from pipeline.profile import task_memory_mb, tasks
from pipeline.serve import serve_spec
from pipeline.settings import Settings


def launch(settings: Sequence[Settings], run: Path) -> dict[str, str]:
    """What the layout of a run keeps of it: `python`, and `allocation` for convert; see Layout.

    `settings` are those of the run's points, which are at one site.
    """
    return {
        "python": shlex.join([*container_command(settings, run), "python"]),
        "allocation": shlex.join(allocation_command(settings[0])),
    }


def endpoint_of(settings: Settings) -> list[Any] | None:
    """[name, limit] of what answers a point's calls: how many it answers at a time.

    None where nothing has to be shared: our own solutions, scripts and recordings.
    """
    model = settings.model
    if settings.solver.name == "reference" or model.provider != "endpoint":
        return None
    where = model.base_url or serve_spec(settings).sha256
    digest = hashlib.sha256(where.encode()).hexdigest()[:12]
    return [f"endpoint_{digest}", model.concurrency]


def container_command(settings: Sequence[Settings], run: Path) -> list[str]:
    """What runs a step in the site's image; nothing where it has none.

    Raises ImageError where the image or its record is not there.
    """
    site = settings[0].site
    if site.container is None:
        return []
    image = Path(site.container)
    image_record(image)
    read = {site.sandbox_image}
    keys = set()
    written = {run.resolve().parent}
    for one in settings:
        read |= {one.data.manifest, one.data.skim, one.model.api_key_file, one.model.recorded}
        if one.data.location is None or not is_remote(one.data.location):
            read.add(one.data.location)
        else:  # files are copied there, or those that have to be looked at whole
            folder = cache_of(one.data).folder
            folder.mkdir(parents=True, exist_ok=True)
            written.add(folder.resolve())
        keys.add(one.model.api_key_env)
    return step_prefix(
        StepContainer(
            image=image,
            folder=run.resolve(),
            writable=tuple(sorted(written)),
            readonly=tuple(Path(text) for text in sorted(filter(None, read))),
            node_folders=(site.local_disk,) if site.local_disk else (),
            variables=tuple(sorted(filter(None, keys))),
            options=site.container_options,
            user_namespace=os.geteuid() == 0,
        )
    )


def allocation_command(settings: Settings) -> list[str]:
    """What starts every task of convert's allocation; nothing where it has none.

    The job's own numbers are said again: Snakemake's plugin takes them out of the environment.
    """
    if settings.site.executor != "allocation":
        return []
    return [
        "srun",
        f"--ntasks={tasks(settings.site)}",
        "--cpus-per-task=1",
        f"--mem-per-cpu={task_memory_mb(settings)}",
        "--kill-on-bad-exit=1",
        "--export=ALL",
    ]
