"""Freezing: the settings of a run become read-only files before anything is computed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from executors.container import image_record
from pipeline.files import read_json, sha256_file, sha256_json, write_json
from pipeline.launch import endpoint_of, launch
from pipeline.plan.parts import PARTS, parts_of
from pipeline.provenance import code_sha256, git_state, hardware, versions
from pipeline.settings import (
    STAGES,
    Settings,
    deciding_data,
    load,
    reference_key,
    settings_sha256,
    to_dict,
)
from pipeline.stages.jail import Jail
from pipeline.sweep.point import MAIN, Point, with_stages
from pipeline.workflow.layout import Layout

POINT = MAIN


class FrozenRunError(ValueError):
    """The run directory holds another run than the one asked for."""


def fileset_key(settings: Settings) -> str:
    """Sixteen hex digits that name the fileset: points that read the same files share it."""
    plain = to_dict(settings)
    channel = {k: plain["channel"][k] for k in ("name", "skim", "tree", "processes")}
    data = deciding_data(settings)
    if settings.data.access == "stream":
        data["access"] = "stream"  # its files are addresses, not paths
    return sha256_json({"channel": channel, "data": data})[:16]


def freeze(settings: Settings, run: Path) -> Layout:
    """Write `sweep.json` and the frozen settings of a run's one point; return the layout.

    Given again with the same settings it changes nothing. Raises FrozenRunError if the directory
    belongs to other settings, or to another version of Ladon's code.
    """
    sweep = _sweep([Point(MAIN, settings)], run)
    if (run / "sweep.json").exists():
        _check_same(settings, sweep, run)
    return _write(sweep, [Point(MAIN, settings)], run)


def freeze_sweep(points: Sequence[Point], run: Path) -> Layout:
    """Write `sweep.json` and the frozen settings of the points of a sweep; return the layout.

    A point that is there keeps its name and the stages that it has; new ones are added. Raises
    FrozenRunError if the directory belongs to a run that is no sweep, or to other code.
    """
    existing = run / "sweep.json"
    before = read_json(existing) if existing.exists() else None
    if before is not None:
        if "choices" not in before:
            raise FrozenRunError(
                f"{run} holds a run that is no sweep; choose another run.name, or remove the folder"
            )
        _check_code(points[0].settings, run)
        points = _known(points, before, run)
    sweep = _sweep(points, run)
    sweep["asked"] = [point.name for point in points]
    sweep["choices"] = {point.name: dict(point.choices) for point in points}
    sweep["identity"] = {point.name: point.identity for point in points}
    if before is not None:
        sweep["points"] = list(dict.fromkeys([*before["points"], *sweep["points"]]))
        for key in ("plan", "endpoints", "settings_sha256", "choices", "identity"):
            sweep[key] = {**before[key], **sweep[key]}
    return _write(sweep, points, run)


def _known(points: Sequence[Point], before: dict[str, Any], run: Path) -> list[Point]:
    """The points under the names and with the stages that they have in the run."""
    names = {identity: name for name, identity in before["identity"].items()}
    found = []
    for point in points:
        name = names.get(point.identity)
        if name is not None:
            stages = load(run / "points" / name / "settings.json").stages
            point = replace(point, name=name, settings=with_stages(point.settings, stages))
        elif point.name in before["points"]:
            point = replace(point, name=f"{point.name}.{point.key}")
        found.append(point)
    return found


def _sweep(points: Sequence[Point], run: Path) -> dict[str, Any]:
    """The content of `sweep.json` for these points alone.

    A fileset that is there in parts stays in these: a site may have changed since, and a plan. A
    new one is cut for all of its points as for the one that may have the fewest jobs.
    """
    first = points[0].settings
    plan = {point.name: _plan(point.settings) for point in points}
    plans = sorted(plan.values(), key=lambda one: -one.get("parts", 1))
    if (run / "sweep.json").exists():
        plans += read_json(run / "sweep.json")["plan"].values()
    cut = {p["fileset"]: {k: p[k] for k in PARTS if k in p} for p in plans}
    for name, one in plan.items():
        plan[name] = {k: v for k, v in one.items() if k not in PARTS} | cut[one["fileset"]]
    stages = {stage for point in points for stage in point.settings.stages}
    return {
        "schema": 1,
        "run": first.run.name,
        "points": [point.name for point in points],
        "stages": [stage for stage in STAGES if stage in stages],
        "solver": first.solver.name,
        "plan": plan,
        "endpoints": {
            point.name: endpoint
            for point in points
            if (endpoint := endpoint_of(point.settings)) is not None
        },
        "launch": launch([point.settings for point in points], run),
        "settings_sha256": {point.name: settings_sha256(point.settings) for point in points},
    }


def _write(sweep: dict[str, Any], points: Sequence[Point], run: Path) -> Layout:
    """Write what is frozen, settings first: who finds `sweep.json` finds all of it."""
    existing = run / "sweep.json"
    run.mkdir(parents=True, exist_ok=True)
    if not existing.exists():
        write_json(run / "provenance.json", _provenance(points[0].settings))
    _write_settings(points, sweep["plan"], run)
    if not existing.exists() or read_json(existing) != sweep:
        write_json(existing, sweep)
    return Layout.from_dict(sweep)


def _plan(settings: Settings) -> dict[str, Any]:
    return {
        "reference": reference_key(settings),
        "fileset": fileset_key(settings),
        "stages": list(settings.stages),
        "channel_stages": list(settings.channel.stages),
        "chain": settings.chain,
        "solver": settings.solver.name,
        "synthetic": settings.data.labelled_synthetic,
        **({"fetched": True} if settings.data.found_synthetic else {}),
        "workers": settings.site.workers,
        **parts_of(settings),
    }


def _provenance(settings: Settings) -> dict[str, Any]:
    sandbox = Jail.of(settings).sandbox
    container = settings.site.container
    return {
        "container": None if container is None else asdict(image_record(Path(container))),
        "sandbox": None if sandbox is None else {"name": sandbox.name, "layers": sandbox.layers()},
        "code_sha256": code_sha256(),
        "git": git_state(),
        "versions": versions(),
        "hardware": hardware(),
    }


def _check_same(settings: Settings, sweep: dict[str, Any], run: Path) -> None:
    """The run directory was made from these settings, by this code."""
    before = read_json(run / "sweep.json")
    if "choices" in before:
        raise FrozenRunError(
            f"{run} holds a sweep of {len(before['points'])} points; choose another run.name, or "
            "remove that folder"
        )
    if before["settings_sha256"] != sweep["settings_sha256"]:
        old = read_json(run / "points" / POINT / "settings.json")
        changed = _differences(old, to_dict(settings))
        raise FrozenRunError(
            f"{run} holds a run with other settings ({'; '.join(changed[:3])}); "
            "choose another run.name, or remove that folder"
        )
    _check_code(settings, run)


def _check_code(settings: Settings, run: Path) -> None:
    """The run was begun by this code, or may go on with another."""
    code = read_json(run / "provenance.json")["code_sha256"]
    if code == code_sha256():
        return
    if not settings.run.accept_code_change:
        raise FrozenRunError(
            f"{run} was begun by another version of Ladon's code ({code[:12]}, now "
            f"{code_sha256()[:12]}); choose another run.name to compute it anew, or continue it as "
            "it is with run.accept_code_change=true"
        )
    write_json(run / "provenance.json", {**_provenance(settings), "begun_by_code": code})


def _differences(old: Any, new: Any, where: str = "") -> list[str]:
    """Sentences `key: old -> new`, for what decides the result."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in sorted({*old, *new} - ({"site", "run"} if not where else set())):
            name = f"{where}.{key}" if where else key
            found += _differences(old.get(key), new.get(key), name)
        return found
    old, new = (list(x) if isinstance(x, tuple) else x for x in (old, new))
    return [] if old == new else [f"{where}: {old!r} there, {new!r} asked for"]


def _write_settings(points: Sequence[Point], plans: dict[str, Any], run: Path) -> None:
    """Settings beside everything that is made from them; read-only.

    A reference or fileset that points share has the settings of the first of them.
    """
    files: dict[Path, Settings] = {}
    for point in points:
        plan = plans[point.name]
        for path in (
            run / "points" / point.name / "settings.json",
            run / "reference" / plan["reference"] / "settings.json",
            run / "fileset" / f"{plan['fileset']}.settings.json",
        ):
            files.setdefault(path, point.settings)
    for path, settings in files.items():
        write_json(path, to_dict(settings))
        path.chmod(0o444)


def discard_broken(run: Path, layout: Layout) -> list[str]:
    """Remove records whose files are gone or changed, so that the graph makes them again.

    Returns the removed records. This is what heals a run directory from which somebody deleted a
    file, or whose disk lost one.
    """
    removed = []
    for record in sorted(
        [*run.glob("points/*/*/record.json"), *run.glob("reference/*/*/record.json")]
    ):
        content = read_json(record)
        for name, digest in content.get("files", {}).items():
            path = record.parent / name
            if not path.is_file() or sha256_file(path) != digest:
                os.unlink(record)
                removed.append(record.relative_to(run).as_posix())
                break
    return removed + _discard_parts(run)


def _discard_parts(run: Path) -> list[str]:
    """Remove the records of convert's jobs that are still to be gathered and have lost a file."""
    removed = []
    for record in sorted(run.glob("*/*/convert/parts/*.json")):
        if (record.parents[1] / "record.json").exists():
            continue
        folder = record.with_suffix("")
        for name, digest in read_json(record)["files"].items():
            path = folder / name
            if not path.is_file() or sha256_file(path) != digest:
                os.unlink(record)
                removed.append(record.relative_to(run).as_posix())
                break
    return removed
