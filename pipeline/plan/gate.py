"""The gate before a large run: its budget, and the smaller shares that have to be green first."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from pipeline.data.share import STEPS
from pipeline.files import sha256_file
from pipeline.plan.estimate import UNMEASURED_BYTES, Plan, converts_itself, make_plan
from pipeline.plan.promotions import promotion_of, record_path
from pipeline.settings import Settings, reference_key
from pipeline.stages.registry import reference_path


class GateError(ValueError):
    """A run is larger than was allowed, or a smaller one has to be green before it."""


def check_gate(points: Sequence[Settings]) -> None:
    """Raise GateError unless the points of a run may be run at their site.

    Synthetic data are made on this machine and have no plan, and of a skim nothing is converted:
    for them only the order of the shares is kept. `site.budget.override=true` lets everything
    through.
    """
    budget = points[0].site.budget
    if budget.override:
        return
    limits = (budget.core_hours, budget.gate_core_hours)
    limited = any(x is not None for x in limits)
    planned = [
        make_plan(one) if limited and not one.data.synthetic and one.data.skim is None else None
        for one in points
    ]
    hours = _hours_of_all(points, planned)
    if budget.core_hours is not None and hours > budget.core_hours:
        raise GateError(
            f"expected a run of at most site.budget.core_hours={budget.core_hours:g} core-hours, "
            f"planned are {hours:.3g} (see `ladon plan`); raise the budget, take a smaller "
            "data.share, or say site.budget.override=true"
        )
    for settings in points:
        _check_steps(settings, hours)


def _hours_of_all(points: Sequence[Settings], planned: Sequence[Plan | None]) -> float:
    """Core-hours of all points: points of one reference convert with it once."""
    of_reference: dict[str, float] = {}
    own = 0.0
    for settings, plan in zip(points, planned, strict=True):
        once = 0.0 if plan is None else _hours(plan) / plan.conversions
        of_reference[reference_key(settings)] = once
        own += once if converts_itself(settings) else 0.0
    return sum(of_reference.values()) + own


def _hours(plan: Plan) -> float:
    """Core-hours of a plan; where nobody has measured them, a guess by the bytes of the files."""
    scope = plan.of_channel
    if scope.core_hours.value is not None:
        return scope.core_hours.value
    return (scope.everything.size.value or 0.0) / UNMEASURED_BYTES * plan.conversions


def _check_steps(settings: Settings, hours: float) -> None:
    """The step before this one is green, where it has to be."""
    share, gate = settings.data.share, settings.site.budget.gate_core_hours
    if share == "one" or (share == "all" and (gate is None or hours <= gate)):
        return
    before = STEPS[STEPS.index(share) - 1]
    found = promotion_of(settings).get(before)
    said = command(settings, before)
    where = (
        ""
        if share != "all" or gate is None
        else (
            f", because {hours:.3g} core-hours are more than site.budget.gate_core_hours={gate:g}"
        )
    )
    if found is None:
        raise GateError(
            f"expected a green run with data.share={before} before data.share={share}{where}, "
            f"found none at this site ({record_path(settings, before)}); run first: {said}"
        )
    red = [f"{c['name']}: {c['said']}" for c in found["checks"] if not c["green"]]
    if red:
        raise GateError(
            f"expected the run {found['run']} with data.share={before} to be green before "
            f"data.share={share}{where}; not green: {'; '.join(red)}. Put that right and run "
            f"again: {said}; or say site.budget.override=true"
        )
    changed = _changed(settings, found.get("solutions", {}))
    if changed:
        raise GateError(
            f"expected a green run with data.share={before} by the solutions that are here before "
            f"data.share={share}{where}, found {found['run']} by another one of "
            f"{', '.join(changed)}; run again, under another run.name: {said}; or say "
            "site.budget.override=true"
        )


def _changed(settings: Settings, solutions: Mapping[str, str]) -> list[str]:
    """Stages of which our own solution is another than a run had; a model's nobody knows before."""
    if settings.solver.name != "reference":
        return []
    return [
        stage
        for stage, sha256 in solutions.items()
        if sha256 != sha256_file(reference_path(settings, stage))
    ]


def command(settings: Settings, share: str) -> str:
    """The command of the same run with another share, as far as these settings tell it."""
    data = settings.data
    words = [
        "ladon", "run", f"channel={settings.channel.name}", f"data={data.name}",
        f"data.share={share}", f"site={settings.site.name}", f"solver={settings.solver.name}",
    ]  # fmt: skip
    if data.location is not None:
        words.append(f"data.location={data.location}")
    if settings.solver.name != "reference":
        words.append(f"model={settings.model.name}")
    return f"{shlex.join(words)} (and your other overrides but run.name)"
