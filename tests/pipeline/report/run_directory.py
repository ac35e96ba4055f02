"""Run directories as the graph leaves them, for the report to be made of."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.configure import configure
from pipeline.files import read_json, sha256_json, write_json, write_table
from pipeline.freeze import freeze
from pipeline.settings import Settings
from pipeline.workflow.layout import Layout
from tests.pipeline.report.event_tables import (
    Tables,
    diphoton_categories,
    diphoton_tables,
    four_lepton_tables,
)
from tests.pipeline.report.fits import diphoton_fit, four_lepton_fit

DIPHOTON_CUTS = ("all", "two photons", "tight", "pT", "isolation", "crack", "mass", "pT over mass")
FOUR_LEPTON_CUTS = ("all", "trigger", "four leptons", "flavour and charge")
NOTHING_NORMALISED = "no signal sample can be normalised: its files are not here"
REPOSITORY = Path(__file__).resolve().parents[3]
DIGEST = sha256_json("a test")
CHECKS = [
    {
        "name": "rows agree", "rung": "exact", "passed": True, "expected": 100, "found": 100,
        "detail": "",
    },
    {
        "name": "sum of weights", "rung": "statistical", "passed": True, "expected": 12.25,
        "found": 12.25, "detail": "within 0.1 %",
    },
]  # fmt: skip
GUARD = [{"name": "rows dropped", "passed": True, "expected": 90, "found": 90, "detail": ""}]

Flows = Mapping[str, list[list[Any]]]


@dataclass(frozen=True)
class RunDirectory:
    """A finished run of one point."""

    path: Path
    settings: Settings
    layout: Layout

    @property
    def point(self) -> Path:
        return self.path / "points" / self.layout.points[0].name

    def results(self) -> dict[str, Any]:
        found: dict[str, Any] = read_json(self.point / "results.json")
        return found


def hyy_run(folder: Path, *overrides: str, events: int = 60_000) -> RunDirectory:
    """A whole hyy run on synthetic data, sealed pass included, with `events` of smooth data."""
    run = frozen(folder, "channel=hyy", *overrides)
    tables = diphoton_tables(np.random.default_rng(1), events)
    categories = diphoton_categories(tables)
    names = [category["name"] for category in categories["categories"]]
    measurement = diphoton_fit(tables, names)
    unscored = {name: table.drop(columns="score") for name, table in tables.items()}
    write_tables(run.point / "preprocess", unscored, blind=True)
    write_tables(run.point / "classify", tables, blind=True)
    write_json(run.point / "categorize" / "output" / "categories.json", categories)
    write_json(run.point / "measure" / "sealed" / "measurement.json", measurement)
    shares = {
        "data15_periodD": (63_195, (1, 0.99, 0.15, 0.042, 0.024, 0.0237, 0.0237, 0.015)),
        "data16_periodA": (1_463_195, (1, 0.99, 0.15, 0.042, 0.024, 0.0237, 0.0237, 0.015)),
        "343981": (990_000, (1, 0.86, 0.66, 0.57, 0.49, 0.46, 0.46, 0.41)),
        "346214": (495_000, (1, 0.89, 0.69, 0.62, 0.53, 0.49, 0.49, 0.44)),
        "346525": (310_000, (1, 0.92, 0.70, 0.63, 0.49, 0.47, 0.47, 0.38)),
    }
    flows = {
        name: [[cut, round(n * share)] for cut, share in zip(DIPHOTON_CUTS, left, strict=True)]
        for name, (n, left) in shares.items()
    }
    write_fileset(run)
    write_results(run, flows, measurement, categories)
    return run


def hzz4l_run(folder: Path, *overrides: str, simulated: bool = True) -> RunDirectory:
    """A hzz4l run: synthetic with a fit, or two periods of 2020 data and no measurement."""
    real = ("data=opendata_2020", "data.partial=true", "data.location=/nowhere")
    run = frozen(folder, "channel=hzz4l", *(() if simulated else real), *overrides)
    tables = four_lepton_tables(np.random.default_rng(2), simulated)
    write_tables(run.point / "preprocess", tables, blind=False)
    measurement = four_lepton_fit() if simulated else None
    if measurement is not None:
        write_json(run.point / "measure" / "sealed" / "measurement.json", measurement)
    names = [s for p in run.settings.channel.processes.values() for s in p.samples][:2]
    flows = {
        name: [list(step) for step in zip(FOUR_LEPTON_CUTS, counts, strict=True)]
        for name, counts in zip(names, ((39, 39, 31, 27), (156, 156, 99, 86)), strict=True)
    }
    write_fileset(run, missing=() if simulated else ("data_D",))
    write_results(run, flows, measurement, None)
    return run


def add_point(run: RunDirectory, name: str) -> None:
    """Make a second point of the first one, as in a sweep over the same data."""
    first = run.layout.points[0].name
    shutil.copytree(run.point, run.path / "points" / name)
    sweep = read_json(run.path / "sweep.json")
    sweep["points"].append(name)
    sweep["plan"][name] = sweep["plan"][first]
    write_json(run.path / "sweep.json", sweep)
    results = read_json(run.point / "results.json")
    write_json(run.path / "points" / name / "results.json", {**results, "point": name})


def frozen(folder: Path, *overrides: str) -> RunDirectory:
    """A run directory with nothing but its frozen settings."""
    usual = ("solver=reference", "model=none", "run.name=shown")
    given = {override.partition("=")[0] for override in overrides}
    settings = configure([*overrides, *(u for u in usual if u.partition("=")[0] not in given)])
    return RunDirectory(folder, settings, freeze(settings, folder))


def write_tables(stage: Path, tables: Tables, blind: bool) -> None:
    """The tables of a stage in output/ and sealed/; blinded rows of data only in the latter."""
    for part in ("output", "sealed"):
        for name, table in tables.items():
            hidden = blind and name == "data" and part == "output"
            seen = table[~table["m_yy"].between(120, 130, inclusive="neither")] if hidden else table
            write_table(stage / part / f"{name}.parquet", seen)


def write_fileset(run: RunDirectory, missing: tuple[str, ...] = ()) -> None:
    """fileset/<hash>.json in which `missing` samples have no file."""
    settings = run.settings
    samples = {
        name: _sample(name, process, about.role, name not in missing, settings.data.verify)
        for process, about in settings.channel.processes.items()
        for name in about.samples
    }
    write_json(
        run.path / "fileset" / f"{run.layout.points[0].fileset}.json",
        {
            "schema": 1,
            "release": settings.data.release,
            "skim": settings.channel.skim,
            "tree": settings.channel.tree,
            "location": "/data",
            "verify": settings.data.verify,
            "partial": settings.data.partial,
            "synthetic": settings.data.synthetic,
            "luminosity_fb": settings.data.luminosity,
            "samples": samples,
            "chunks": [],
            "notes": [],
        },
    )


def _sample(name: str, process: str, role: str, complete: bool, verified: str) -> dict[str, Any]:
    data = role == "data"
    file = {
        "uri": f"{name}.root", "path": f"/data/{name}.root", "size": 1000, "adler32": "0a0b0c0d",
        "entries": 100, "verified": verified,
    }  # fmt: skip
    return {
        "kind": "data" if data else "mc",
        "process": process,
        "role": role,
        "dsid": None if data else int(name),
        "xsec_pb": None if data else 0.11,
        "filter_efficiency": None if data else 1.0,
        "k_factor": None if data else 1.0,
        "sum_of_weights": None if data else 1e6,
        "complete": complete,
        "normalisable": complete,
        "reason": None if complete else "1 of 1 files is not here",
        "files": [file] if complete else [],
        "missing": [] if complete else [f"{name}.root"],
    }


def write_results(
    run: RunDirectory,
    flows: Flows,
    measurement: dict[str, Any] | None,
    categories: dict[str, Any] | None,
) -> None:
    """cutflow.json, the verdicts, and results.json as the step `collect` puts it together."""
    settings, plan = run.settings, run.layout.points[0]
    write_json(run.point / "convert" / "output" / "cutflow.json", flows)
    roles = {
        s: (name, process.role)
        for name, process in settings.channel.processes.items()
        for s in process.samples
    }
    keys = ("mu", "mu_err", "mu_interval_95", "significance", "cross_section_pb")
    kept = (*keys, "cross_section_err_pb")
    results = {
        "schema": 1,
        "run": run.layout.run,
        "point": plan.name,
        "channel": settings.channel.name,
        "release": settings.data.release,
        "synthetic": settings.data.synthetic,
        "luminosity_fb": settings.data.luminosity,
        "samples": {
            name: {
                "kind": "data" if roles[name][1] == "data" else "mc",
                "process": roles[name][0],
                "role": roles[name][1],
                "entries": flow[0][1],
                "selected": flow[-1][1],
                "complete": True,
                "normalisable": True,
                "verified": [settings.data.verify],
            }
            for name, flow in flows.items()
        },
        "cutflow": flows,
        "stages": {stage: _stage(run, stage, measurement is None) for stage in plan.stages},
        "categories": categories
        and {key: categories[key] for key in ("boundaries", "significances", "combined")},
        "measurement": measurement and {key: measurement[key] for key in kept},
        "measurement_reason": None if measurement else NOTHING_NORMALISED,
        "official": [] if settings.data.synthetic else [_official("data_A", 27)],
        "notes": ["Synthetic data, made by a generator."] if settings.data.synthetic else [],
        "provenance": {
            "settings_sha256": DIGEST,
            "manifest_sha256": None if settings.data.synthetic else DIGEST,
            "fileset_sha256": DIGEST,
            "code_sha256": DIGEST,
            "git": "0123456789abcdef",
            "solutions": dict.fromkeys(plan.stages, DIGEST),
            "versions": {"python": "3.11.7", "numpy": "2.4.6"},
            "hardware": {"machine": "x86_64", "cores": 2},
        },
    }
    write_json(run.point / "results.json", results)


def _official(sample: str, count: int) -> dict[str, Any]:
    return {
        "sample": sample, "quantity": "selected", "official": count, "found": count,
        "agrees": True, "worth": "official figure",
    }  # fmt: skip


def _stage(run: RunDirectory, stage: str, unmeasured: bool) -> dict[str, Any]:
    """Write verdict and solution of a stage; its entry of results.json."""
    blocked = unmeasured and stage == "measure"
    outcome = "not_reached" if blocked else "reference"
    checks, guard = ([], []) if blocked else (CHECKS, GUARD)
    verdict = {
        "schema": 1, "stage": stage, "outcome": outcome, "rung": None, "checks": checks,
        "guard": guard, "failure": None,
    }  # fmt: skip
    write_json(run.point / stage / "verdict.json", verdict)
    (run.point / stage / "solution.py").write_text("# a solution\n", encoding="utf-8")
    return {
        "outcome": outcome,
        "rung": None,
        "rounds": 0,
        "api_calls": 0,
        "tokens": {"prompt": 0, "completion": 0},
        "wall_s": 0.0 if blocked else 12.5,
        "failure": None,
        "reason": NOTHING_NORMALISED if blocked else None,
        "checks": {"passed": len(checks) + len(guard), "total": len(checks) + len(guard)},
    }
