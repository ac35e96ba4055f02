"""How the steps of a run are started at its site: the words before `-m pipeline.steps...`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from executors.container import StepContainer, image_record, step_prefix
from pipeline.profile import task_memory_mb, tasks
from pipeline.settings import Settings


def launch(settings: Settings, run: Path) -> dict[str, str]:
    """What the layout of a run keeps of it: `python`, and `allocation` for convert; see Layout."""
    return {
        "python": shlex.join([*container_command(settings, run), "python"]),
        "allocation": shlex.join(allocation_command(settings)),
    }


def container_command(settings: Settings, run: Path) -> list[str]:
    """What runs a step in the site's image; nothing where it has none.

    Raises ImageError where the image or its record is not there.
    """
    site, model = settings.site, settings.model
    if site.container is None:
        return []
    image = Path(site.container)
    image_record(image)
    read = (settings.data.location, model.api_key_file, model.recorded, site.sandbox_image)
    return step_prefix(
        StepContainer(
            image=image,
            folder=run.resolve(),
            writable=(run.resolve().parent,),
            readonly=tuple(Path(text) for text in read if text is not None),
            node_folders=(site.local_disk,) if site.local_disk else (),
            variables=(model.api_key_env,) if model.api_key_env else (),
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
