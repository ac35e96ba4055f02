"""Frozen settings: what the run was asked for is what its hashes, and its plan, say."""

from __future__ import annotations

import stat

from pipeline.files import sha256_file
from pipeline.freeze import fileset_key
from pipeline.settings import Settings, reference_key, settings_sha256
from pipeline.verify.findings import Group
from pipeline.verify.folder import RunFolder
from pipeline.verify.plan import check_plan
from pipeline.workflow.layout import PointPlan

REMEDY = "restore the file from a copy of the run, or run the configuration again under a new name"


def check_settings(run: RunFolder) -> Group:
    """The settings of every point, reference and fileset against the hashes that name them."""
    group = Group("settings", REMEDY)
    for plan in run.layout.points:
        _check_point(run, plan, group)
    check_plan(run, group)
    for key in run.references:
        name = f"reference/{key}/settings.json"
        settings = run.settings(name, group)
        if settings is not None:
            group.same(name, "settings with the key", key, reference_key(settings))
            _check_read_only(run, name, group)
    for key in run.filesets:
        name = f"fileset/{key}.settings.json"
        settings = run.settings(name, group)
        if settings is not None:
            group.same(name, "settings with the key", key, fileset_key(settings))
            _check_read_only(run, name, group)
    return group


def _check_point(run: RunFolder, plan: PointPlan, group: Group) -> None:
    name = f"points/{plan.name}/settings.json"
    settings = run.settings(name, group)
    if settings is None:
        return
    digest = settings_sha256(settings)
    frozen = run.sweep.get("settings_sha256", {}).get(plan.name)
    group.same(name, "settings with the hash that sweep.json holds,", frozen, digest)
    _check_read_only(run, name, group)
    _check_plan(plan, settings, group)
    results = run.json(f"points/{plan.name}/results.json", group)
    made = results.get("provenance", {}) if isinstance(results, dict) else None
    if made is None:
        return
    group.same(name, "settings with the hash that results.json holds,",
               made.get("settings_sha256"), digest)  # fmt: skip
    group.same(name, "a file with the hash that results.json holds,",
               made.get("settings_file_sha256"), sha256_file(run.path / name))  # fmt: skip


def _check_plan(plan: PointPlan, settings: Settings, group: Group) -> None:
    """What the graph was planned from is what the settings mean."""
    for what, planned, meant in (
        ("reference", plan.reference, reference_key(settings)),
        ("fileset", plan.fileset, fileset_key(settings)),
        ("stages", plan.stages, settings.stages),
        ("channel_stages", plan.channel_stages, settings.channel.stages),
        ("chain", plan.chain, settings.chain),
        ("solver", plan.solver, settings.solver.name),
        ("synthetic", plan.synthetic, settings.data.labelled_synthetic),
        ("fetched", plan.fetched, settings.data.found_synthetic),
    ):
        group.same(
            "sweep.json", f"plan.{plan.name}.{what} as the settings mean it,", meant, planned
        )


def _check_read_only(run: RunFolder, name: str, group: Group) -> None:
    """Copying may lose the mode of a file, so that a writable one is only noted."""
    mode = (run.path / name).stat().st_mode
    if mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        group.note(f"{name} can be written; frozen settings are read-only (chmod a-w {name})")
