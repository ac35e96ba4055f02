"""Freezing: the settings of a run become read-only files before anything is computed."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from executors.container import image_record
from pipeline.files import read_json, sha256_file, sha256_json, write_json
from pipeline.launch import launch
from pipeline.provenance import code_sha256, git_state, hardware, versions
from pipeline.settings import (
    Settings,
    reference_key,
    settings_sha256,
    to_dict,
)
from pipeline.stages.jail import Jail
from pipeline.workflow.layout import Layout

POINT = "main"


class FrozenRunError(ValueError):
    """The run directory holds another run than the one asked for."""


def fileset_key(settings: Settings) -> str:
    """Sixteen hex digits that name the fileset: points that read the same files share it."""
    plain = to_dict(settings)
    channel = {k: plain["channel"][k] for k in ("name", "skim", "tree", "processes")}
    return sha256_json({"channel": channel, "data": plain["data"]})[:16]


def freeze(settings: Settings, run: Path) -> Layout:
    """Write `sweep.json` and the frozen settings of the run's one point; return the layout.

    Given again with the same settings it changes nothing. Raises FrozenRunError if the directory
    belongs to other settings, or to another version of Ladon's code.
    """
    plan = _plan(settings)
    sweep: dict[str, Any] = {
        "schema": 1,
        "run": settings.run.name,
        "points": [POINT],
        "stages": list(settings.stages),
        "solver": settings.solver.name,
        "plan": {POINT: plan},
        "launch": launch(settings, run),
        "settings_sha256": {POINT: settings_sha256(settings)},
    }
    existing = run / "sweep.json"
    if existing.exists():
        _check_same(settings, sweep, run)
    else:
        run.mkdir(parents=True, exist_ok=True)
        write_json(run / "provenance.json", _provenance(settings))
    _write_settings(settings, run, plan)
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
        "synthetic": settings.data.synthetic,
        "workers": settings.site.workers,
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
    if before["settings_sha256"] != sweep["settings_sha256"]:
        old = read_json(run / "points" / POINT / "settings.json")
        changed = _differences(old, to_dict(settings))
        raise FrozenRunError(
            f"{run} holds a run with other settings ({'; '.join(changed[:3])}); "
            "choose another run.name, or remove that folder"
        )
    code = read_json(run / "provenance.json")["code_sha256"]
    if code != code_sha256() and not settings.run.accept_code_change:
        raise FrozenRunError(
            f"{run} was begun by another version of Ladon's code ({code[:12]}, now "
            f"{code_sha256()[:12]}); choose another run.name to compute it anew, or continue it as "
            "it is with run.accept_code_change=true"
        )
    if code != code_sha256():
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


def _write_settings(settings: Settings, run: Path, plan: dict[str, Any]) -> None:
    """Settings beside everything that is made from them; read-only."""
    plain = to_dict(settings)
    for path in (
        run / "points" / POINT / "settings.json",
        run / "reference" / plan["reference"] / "settings.json",
        run / "fileset" / f"{plan['fileset']}.settings.json",
    ):
        write_json(path, plain)
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
    return removed
