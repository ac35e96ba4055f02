"""Run directories as the graph leaves them, made from small known distributions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.configure import configure
from pipeline.files import sha256_json, write_json, write_table
from pipeline.freeze import freeze
from pipeline.settings import Settings
from pipeline.workflow.layout import Layout

HYY_SIGNALS = {"ggH": 1240.0, "VBF": 105.0, "WH": 31.0, "ZH": 18.0, "ggZH": 3.4, "ttH": 14.5}
"""Events of each process in the fit range at 36.1 fb^-1, about as in the real analysis."""
BOUNDARIES = (0.3, 0.62, 0.88)
PEAK, WIDTH = 125.0, 1.6
SLOPE = 1 / 28.0
CUTS = ("all", "two photons", "tight", "pT", "isolation", "crack", "mass", "pT over mass")


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
        from pipeline.files import read_json

        found: dict[str, Any] = read_json(self.point / "results.json")
        return found


def hyy_run(folder: Path, *overrides: str, data_events: int = 60_000) -> RunDirectory:
    """A whole hyy run on synthetic data, sealed pass included, with `data_events` of data."""
    run = _frozen(folder, "channel=hyy", *overrides)
    rng = np.random.default_rng(1)
    _write_fileset(run, incomplete=())
    tables = _hyy_tables(rng, data_events)
    for stage in ("preprocess", "classify"):
        for part in ("output", "sealed"):
            for name, table in tables.items():
                rows = table if stage == "classify" else table.drop(columns="score")
                if name == "data" and part == "output":
                    rows = rows[~rows["m_yy"].between(120, 130, inclusive="neither")]
                write_table(run.point / stage / part / f"{name}.parquet", rows)
    categories = _categories(tables)
    write_json(run.point / "categorize" / "output" / "categories.json", categories)
    measurement = _measurement(tables, [c["name"] for c in categories["categories"]])
    write_json(run.point / "measure" / "sealed" / "measurement.json", measurement)
    flows = {
        sample: _flow(n, shares)
        for sample, n, shares in (
            ("data15_periodD", 63_195, (1, 0.99, 0.15, 0.0424, 0.0238, 0.0237, 0.0237, 0.015)),
            ("data16_periodA", 1_463_195, (1, 0.99, 0.15, 0.0424, 0.0238, 0.0237, 0.0237, 0.015)),
            ("343981", 990_000, (1, 0.86, 0.66, 0.57, 0.49, 0.46, 0.46, 0.41)),
            ("346214", 495_000, (1, 0.89, 0.69, 0.62, 0.53, 0.49, 0.49, 0.44)),
            ("346525", 310_000, (1, 0.92, 0.70, 0.63, 0.49, 0.47, 0.47, 0.38)),
        )
    }
    _write_results(run, flows, measurement, categories)
    return run


def hzz4l_run(folder: Path, *overrides: str, simulated: bool = True) -> RunDirectory:
    """A hzz4l run: with simulation and a fit, or (partial data) data alone and no measurement."""
    data = ("data=opendata_2020", "data.partial=true", "data.location=/nowhere")
    run = _frozen(folder, "channel=hzz4l", *(() if simulated else data), *overrides)
    _write_fileset(run, incomplete=() if simulated else ("data_D",))
    rng = np.random.default_rng(2)
    masses = np.concatenate([rng.normal(91, 2.5, 9), rng.normal(124.6, 1.8, 11), rng.uniform(80, 170, 14)])
    data_table = pd.DataFrame({"m_4l": masses, "weight": 1.0, "process": "data", "sample": "data_A"})
    tables = {"data": data_table}
    if simulated:
        tables["background"] = _simulated(
            rng, {"ZZ": (16.0, lambda n: np.concatenate([rng.normal(91, 2.5, n // 3), rng.uniform(80, 170, n - n // 3)])),
                  "ttbar": (1.1, lambda n: rng.uniform(80, 170, n)),
                  "Zjets": (2.4, lambda n: rng.uniform(80, 170, n))})
        tables["signal"] = _simulated(
            rng, {"ggH": (9.8, lambda n: rng.normal(124.7, 2.0, n)), "VBF": (0.9, lambda n: rng.normal(124.7, 2.0, n))})
    for part in ("output", "sealed"):
        for name, table in tables.items():
            write_table(run.point / "preprocess" / part / f"{name}.parquet", table)
    cuts = ("all", "trigger", "four leptons", "flavour and charge")
    names = [s for p in run.settings.channel.processes.values() for s in p.samples][:2]
    counts = ((39, 39, 31, 27), (156, 156, 99, 86))
    flows = {n: [[c, k] for c, k in zip(cuts, row)] for n, row in zip(names, counts)}
    measurement = _four_lepton_measurement() if simulated else None
    if measurement is not None:
        write_json(run.point / "measure" / "sealed" / "measurement.json", measurement)
    _write_results(run, flows, measurement, None, official=not simulated)
    return run


def _frozen(folder: Path, *overrides: str) -> RunDirectory:
    named = any(o.startswith("run.name=") for o in overrides)
    settings = configure([*overrides, *(() if named else ("run.name=shown",))])
    return RunDirectory(folder, settings, freeze(settings, folder))


def _falling(rng: np.random.Generator, n: int) -> np.ndarray:
    u = rng.uniform(size=n)
    top = np.exp(-55 * SLOPE)
    return 105 - np.log(1 - u * (1 - top)) / SLOPE


def _hyy_tables(rng: np.random.Generator, events: int) -> dict[str, pd.DataFrame]:
    scores = {"ggH": (2.2, 2.6), "VBF": (3.4, 1.9), "WH": (3.0, 1.6), "ZH": (3.1, 1.6), "ggZH": (3.6, 1.5), "ttH": (7.0, 1.1)}
    parts = []
    for process, expected in HYY_SIGNALS.items():
        n = 3000
        weights = np.where(rng.uniform(size=n) < 0.04, -1.0, 1.0)
        parts.append(
            pd.DataFrame({
                "m_yy": np.clip(rng.normal(PEAK, WIDTH, n), 105, 160), "score": rng.beta(*scores[process], n),
                "weight": weights * expected / weights.sum(), "process": process, "sample": process,
            })
        )  # fmt: skip
    signal = pd.concat(parts, ignore_index=True)

    def smooth(n: int, process: str) -> pd.DataFrame:
        return pd.DataFrame(
            {"m_yy": _falling(rng, n), "score": rng.beta(1.9, 3.6, n), "weight": 1.0, "process": process, "sample": process}
        )

    nti = smooth(events // 2, "data")
    in_blind = nti["m_yy"].between(120, 130)
    sf1 = events / len(nti)
    background = nti[~in_blind].assign(process="background", control_weight=sf1)
    background["weight"] = sf1 * nti["m_yy"].between(123, 127).sum() / len(background)
    control = nti[in_blind].assign(process="background", control_weight=sf1, weight=sf1)
    chosen = rng.uniform(size=len(signal)) < np.abs(signal["weight"])
    data = pd.concat([smooth(events, "data"), signal[chosen].assign(weight=1.0, process="data")])
    data = data.assign(sample="data15_periodD")
    return {
        name: table.reset_index(drop=True)
        for name, table in (("signal", signal), ("background", background), ("control", control), ("data", data))
    }  # fmt: skip


def _rows(table: pd.DataFrame, i: int) -> np.ndarray:
    return np.searchsorted(BOUNDARIES, table["score"], side="right") == i


def _categories(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    edges = [0.0, *BOUNDARIES, 1.0]
    window = tables["signal"][tables["signal"]["m_yy"].between(123, 127)]
    found = []
    for i in range(len(edges) - 1):
        s = float(window["weight"][_rows(window, i)].sum())
        b = float(tables["background"]["weight"][_rows(tables["background"], i)].sum())
        z = float(np.sqrt(2 * ((s + b) * np.log1p(s / b) - s)))
        found.append({"name": f"category {i + 1}", "range": edges[i : i + 2], "signal": s, "background": b, "significance": z})
    combined = float(np.sqrt(sum(c["significance"] ** 2 for c in found)))
    start = 0.78 * combined
    return {
        "boundaries": list(BOUNDARIES),
        "significances": [c["significance"] for c in found],
        "combined": combined,
        "inclusive": start,
        "steps": [
            {"boundary": 0.62, "combined": 0.90 * combined, "gain": 0.154, "accepted": True},
            {"boundary": 0.88, "combined": 0.955 * combined, "gain": 0.061, "accepted": True},
            {"boundary": 0.30, "combined": combined, "gain": 0.052, "accepted": True},
            {"boundary": 0.71, "combined": 1.009 * combined, "gain": 0.009, "accepted": False},
        ],
        "categories": found,
    }


def _measurement(tables: Mapping[str, pd.DataFrame], names: list[str]) -> dict[str, Any]:
    """What the fit would say: the true curves, and a parabola around mu = 1.04."""
    mass = np.linspace(105, 160, 221)
    shape = np.exp(-(mass - 105) * SLOPE) * SLOPE / (1 - np.exp(-55 * SLOPE))
    peak = np.exp(-0.5 * ((mass - PEAK) / WIDTH) ** 2) / (WIDTH * np.sqrt(2 * np.pi))
    parts = []
    for i, name in enumerate(names):
        s = 1.04 * float(tables["signal"]["weight"][_rows(tables["signal"], i)].sum())
        b = float(_rows(tables["data"], i).sum()) - s
        window = (s * 0.79) / (b * 0.083)
        parts.append({
            "name": name, "function": "exponential", "candidates": [], "parameters": {"slope": -SLOPE},
            "signal_yield": s, "background_yield": b, "spurious_signal": 2.5, "signal_shape": {},
            "purity_weight": float(np.log1p(window)), "chi2": 24.1 + i, "ndf": 26,
            "curve": {"mass": mass.tolist(), "background": (b * shape).tolist(), "total": (b * shape + s * peak).tolist()},
        })  # fmt: skip
    return _fit_result(parts, 1.04, 0.21, ["mu", "luminosity", "scale", "resolution", *(f"mc:{n}" for n in names), *(f"spurious:{n}" for n in names), *(f"yield:{n}" for n in names)])


def _fit_result(parts: list[dict[str, Any]], mu: float, error: float, names: list[str]) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    scan = np.linspace(mu - 3.2 * error, mu + 3.2 * error, 41)
    spread = rng.normal(size=(len(names), 3 * len(names)))
    spread[0] += 0.8 * spread[1] - 0.5 * spread[2]
    return {
        "mu": mu, "mu_err": [-0.98 * error, 1.02 * error], "mu_interval_95": [mu - 1.93 * error, mu + 2.01 * error],
        "significance": {"expected": 4.93, "observed": 5.12},
        "cross_section_pb": 0.1318, "cross_section_err_pb": {"stat": [-0.0241, 0.0244], "syst": [-0.0092, 0.0107], "lumi": 0.0028},
        "nuisances": [
            {"name": name, "value": float(p), "error": float(e), "pull": float(p)}
            for name, p, e in zip(names[1:], rng.normal(0, 0.4, len(names)), rng.uniform(0.8, 1, len(names)))
            if not name.startswith("yield")
        ],
        "correlation": {"names": names, "matrix": np.corrcoef(spread).round(6).tolist()},
        "profile": {
            "mu": scan.tolist(), "two_delta_nll": (((scan - mu) / error) ** 2 * (1 - 0.03 * (scan - mu))).tolist(),
            "two_delta_nll_stat": (((scan - mu) / (0.92 * error)) ** 2).tolist(),
        },
        "categories": parts,
        "minimiser": {"valid": True, "edm": 1e-7, "n_calls": 812},
    }  # fmt: skip


def _four_lepton_measurement() -> dict[str, Any]:
    mass = np.linspace(105, 160, 221)
    peak = np.exp(-0.5 * ((mass - 124.7) / 2.0) ** 2) / (2.0 * np.sqrt(2 * np.pi))
    flat = np.full(len(mass), 0.16)
    part = {
        "name": "inclusive", "function": "template", "candidates": [], "parameters": {}, "signal_yield": 11.0,
        "background_yield": 8.8, "spurious_signal": 0.0, "signal_shape": {}, "purity_weight": 1.9, "chi2": 9.2, "ndf": 10,
        "curve": {"mass": mass.tolist(), "background": flat.tolist(), "total": (flat + 11 * peak).tolist()},
    }  # fmt: skip
    return _fit_result([part], 1.1, 0.45, ["mu", "luminosity", "scale", "background"])


def _simulated(rng: np.random.Generator, processes: Mapping[str, Any]) -> pd.DataFrame:
    parts = []
    for name, (events, draw) in processes.items():
        masses = draw(600)
        parts.append(pd.DataFrame({"m_4l": masses, "weight": events / 600, "process": name, "sample": name}))
    return pd.concat(parts, ignore_index=True)


def _flow(entries: int, shares: tuple[float, ...]) -> list[list[Any]]:
    return [[cut, round(entries * share)] for cut, share in zip(CUTS, shares, strict=True)]


def _write_fileset(run: RunDirectory, incomplete: tuple[str, ...]) -> None:
    settings = run.settings
    samples = {}
    for process, about in settings.channel.processes.items():
        for name in about.samples:
            complete = name not in incomplete
            data = about.role == "data"
            samples[name] = {
                "kind": "data" if data else "mc", "process": process, "role": about.role,
                "dsid": None if data else int(name), "xsec_pb": None if data else 0.11,
                "filter_efficiency": 1.0, "k_factor": 1.0, "sum_of_weights": None if data else 1e6,
                "complete": complete, "normalisable": complete,
                "reason": None if complete else "1 of 1 files is not here",
                "files": [{"uri": f"{name}.root", "path": f"/data/{name}.root", "size": 1000, "adler32": "0a0b0c0d",
                           "entries": 100, "verified": settings.data.verify}] if complete else [],
                "missing": [] if complete else [f"{name}.root"],
            }  # fmt: skip
    write_json(
        run.path / "fileset" / f"{run.layout.points[0].fileset}.json",
        {
            "schema": 1, "release": settings.data.release, "skim": settings.channel.skim, "tree": settings.channel.tree,
            "location": "/data", "verify": settings.data.verify, "partial": settings.data.partial,
            "synthetic": settings.data.synthetic, "luminosity_fb": settings.data.luminosity,
            "samples": samples, "chunks": [], "notes": [],
        },
    )  # fmt: skip


def _write_results(
    run: RunDirectory, flows: Mapping[str, Any], measurement: dict[str, Any] | None,
    categories: dict[str, Any] | None, official: bool = False,
) -> None:  # fmt: skip
    settings, plan = run.settings, run.layout.points[0]
    write_json(run.point / "convert" / "output" / "cutflow.json", flows)
    processes = {s: (name, p.role) for name, p in settings.channel.processes.items() for s in p.samples}
    stages = {}
    for i, stage in enumerate(plan.stages):
        blocked = measurement is None and stage == "measure"
        outcome = "not_reached" if blocked else "reference"
        checks = [{"name": "rows agree", "rung": "exact", "passed": True, "expected": 100, "found": 100, "detail": ""},
                  {"name": "sum of weights", "rung": "statistical", "passed": True, "expected": 12.25, "found": 12.25, "detail": "within 0.1 %"}]
        guard = [{"name": "rows dropped", "passed": True, "expected": 90, "found": 90, "detail": ""}]
        write_json(run.point / stage / "verdict.json", {
            "schema": 1, "stage": stage, "outcome": outcome, "rung": None, "checks": [] if blocked else checks,
            "guard": [] if blocked else guard, "failure": None})  # fmt: skip
        (run.point / stage / "solution.py").write_text("# a solution\n")
        write_json(run.point / stage / "record.json", {"schema": 1, "stage": stage, "status": "ok", "reason": None})
        stages[stage] = {
            "outcome": outcome, "rung": None, "rounds": 0, "api_calls": 0, "tokens": {"prompt": 0, "completion": 0},
            "wall_s": 1.5 + 10 * i, "failure": None, "reason": NOTHING_NORMALISED if blocked else None,
            "checks": {"passed": 0 if blocked else 3, "total": 0 if blocked else 3},
        }  # fmt: skip
    keys = ("mu", "mu_err", "mu_interval_95", "significance", "cross_section_pb", "cross_section_err_pb")
    digest = sha256_json(1)
    write_json(run.point / "results.json", {
        "schema": 1, "run": run.layout.run, "point": plan.name, "channel": settings.channel.name,
        "release": settings.data.release, "synthetic": settings.data.synthetic, "luminosity_fb": settings.data.luminosity,
        "samples": {name: {
            "kind": "data" if name.startswith("data") else "mc", "process": processes[name][0], "role": processes[name][1],
            "entries": flow[0][1], "selected": flow[-1][1], "complete": True, "normalisable": True,
            "verified": [settings.data.verify]} for name, flow in flows.items()},
        "cutflow": flows, "stages": stages,
        "categories": {k: categories[k] for k in ("boundaries", "significances", "combined")} if categories else None,
        "measurement": {k: measurement[k] for k in keys} if measurement else None,
        "measurement_reason": None if measurement else NOTHING_NORMALISED,
        "official": [
            {"sample": s, "quantity": "selected", "official": n, "found": n, "agrees": True, "worth": "official figure"}
            for s, n in (("data_A", 27), ("data_B", 86))] if official else [],
        "notes": ["Synthetic data, made by Ladon's generator; not ATLAS data."] if settings.data.synthetic else [],
        "provenance": {
            "settings_sha256": digest, "manifest_sha256": None if settings.data.synthetic else digest,
            "fileset_sha256": digest, "code_sha256": digest, "git": "0123456789abcdef",
            "solutions": {stage: digest for stage in plan.stages},
            "versions": {"python": "3.11.7", "numpy": "2.4.6", "uproot": "5.7.0"},
            "hardware": {"machine": "x86_64", "system": "Linux", "kernel": "6.1", "cores": 2},
        },
    })  # fmt: skip


NOTHING_NORMALISED = "no signal sample can be normalised: its files are not here"
