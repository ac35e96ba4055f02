"""Into how many jobs convert is cut: known when a run is frozen, before any file is opened."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from pipeline.data.manifest_choice import chosen_manifest
from pipeline.plan.estimate import make_plan
from pipeline.settings import Settings, from_dict, to_dict

PARTS = ("parts", "later")
"""Members of a point's plan in sweep.json; neither is there where convert is one job."""


def parts_of(settings: Settings) -> dict[str, Any]:
    """What a point's plan says of the jobs of its convert; nothing where it is one.

    Real files are then verified and counted by the jobs (`later`), and opened by nobody before;
    synthetic ones have been counted when they were made. A skim is taken as a whole.
    """
    if settings.data.skim is not None:
        return {}
    jobs = _jobs(json.dumps(_deciding(settings), sort_keys=True))
    if jobs == 1:
        return {}
    return {"parts": jobs, **({} if settings.data.synthetic else {"later": True})}


def _deciding(settings: Settings) -> dict[str, Any]:
    """The settings without what sweeps vary: points on the same files are planned once."""
    plain = to_dict(settings)
    return {**plain, "trial": 0, "seed": 0}


@lru_cache(maxsize=64)
def _jobs(plain: str) -> int:
    settings = from_dict(json.loads(plain))
    forced = settings.site.budget.convert_jobs
    if settings.data.synthetic:
        made = {name for p in settings.channel.processes.values() for name in p.samples}
        return max(1, min(forced or 1, len(made)))
    if forced is not None:
        skim = chosen_manifest(settings.data).skim(settings.channel.skim)
        return max(1, min(forced, len(skim.files)))
    return max(1, make_plan(settings).of_channel.jobs)
