"""What a run hands to others: `results.json` of one point, put together from its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.data.manifest_choice import chosen_sha256
from pipeline.determinism.asked import asked
from pipeline.files import read_json, sha256_file
from pipeline.judge.official import compare_official
from pipeline.provenance import git_state, versions
from pipeline.settings import Settings, load, settings_sha256
from pipeline.workflow.layout import Layout

RESULTS_SCHEMA = 1


def collect(run: Path, point: str) -> dict[str, Any]:
    """The content of `results.json` of a point (design §4), from the files of its stages."""
    layout = Layout.load(run / "sweep.json")
    folder = run / "points" / point
    settings = load(folder / "settings.json")
    plan = layout.point(point)
    fileset = read_json(run / "fileset" / f"{plan.fileset}.json")
    counted = _optional(_source(run, layout, point, "convert") / "output" / "cutflow.json", {})
    cutflow = {name: steps for name, steps in counted.items() if fileset["samples"][name]["files"]}
    measurement, reason = _measurement(folder, plan.stages)
    return {
        "schema": RESULTS_SCHEMA,
        "run": layout.run,
        "point": point,
        "model": _model(settings),
        "solver": {"name": settings.solver.name, "max_rounds": settings.solver.max_rounds},
        "channel": settings.channel.name,
        "release": settings.data.release,
        "synthetic": settings.data.labelled_synthetic,
        "luminosity_fb": settings.data.luminosity,
        "samples": _samples(fileset, cutflow, _ledger(run, layout, point)),
        "cutflow": cutflow,
        "stages": {stage: _stage(folder / stage) for stage in plan.stages},
        "categories": _categories(folder, plan.stages),
        "measurement": measurement,
        "measurement_reason": reason,
        "official": _official(settings, fileset, cutflow),
        "notes": _notes(settings, fileset),
        "provenance": _provenance(run, folder, settings, plan.stages, plan.fileset),
    }


def _model(settings: Settings) -> dict[str, Any]:
    """Who wrote the solutions: what the reader of a result must know of it."""
    model = settings.model
    known = ("name", "provider", "repository", "revision", "licence", "script")
    return {key: getattr(model, key) for key in known}


def _source(run: Path, layout: Layout, point: str, stage: str) -> Path:
    """Folder with the files of `stage` that this point's results rest on."""
    plan = layout.point(point)
    if stage in plan.stages:
        return run / "points" / point / stage
    return run / "reference" / plan.reference / stage


def _optional(path: Path, default: Any) -> Any:
    return read_json(path) if path.exists() else default


def _ledger(run: Path, layout: Layout, point: str) -> dict[str, Any]:
    ledger = _optional(_source(run, layout, point, "convert") / "output" / "ledger.json", {})
    samples: dict[str, Any] = ledger.get("samples", {})
    return samples


def _samples(
    fileset: dict[str, Any], cutflow: dict[str, Any], ledger: dict[str, Any]
) -> dict[str, Any]:
    """Entries read and selected per sample; null where convert did not get there."""
    found = {}
    for name, sample in fileset["samples"].items():
        if not sample["files"]:
            continue
        counts = cutflow.get(name)
        chunks = ledger.get(name, {})
        found[name] = {
            "kind": sample["kind"],
            "process": sample["process"],
            "role": sample["role"],
            "entries": counts[0][1] if counts else chunks.get("entries_done"),
            "selected": counts[-1][1] if counts else None,
            "complete": sample["complete"] and chunks.get("complete", True),
            "normalisable": sample["normalisable"] and chunks.get("complete", True),
            "verified": sorted({f["verified"] for f in sample["files"]}),
        }
    return found


def _stage(folder: Path) -> dict[str, Any]:
    verdict = read_json(folder / "verdict.json")
    attempts = read_json(folder / "attempts.json")
    record = read_json(folder / "record.json")
    timing = _optional(folder / "timing.json", {"wall_s": 0.0})
    return {
        "outcome": verdict["outcome"],
        "rung": verdict["rung"],
        "rounds": attempts["rounds"],
        "api_calls": attempts["api_calls"],
        "tokens": attempts["tokens"],
        "wall_s": round(attempts["wall_s"] + timing["wall_s"], 3),
        "failure": verdict["failure"] or attempts["failure"],
        "reason": record["reason"],
        "hint_violations": len(attempts.get("hint_violations", ())),
        "supervisor_errors": len(attempts.get("supervisor_errors", ())),
        "notes": list(attempts.get("notes", ())),
        "checks": {
            "passed": sum(c["passed"] for c in verdict["checks"] + verdict["guard"]),
            "total": len(verdict["checks"] + verdict["guard"]),
        },
    }


def _categories(folder: Path, stages: tuple[str, ...]) -> dict[str, Any] | None:
    path = folder / "categorize" / "output" / "categories.json"
    if "categorize" not in stages or not path.exists():
        return None
    content = read_json(path)
    return {key: content[key] for key in ("boundaries", "significances", "combined")}


MEASUREMENT_KEYS = (
    "mu", "mu_err", "mu_interval_95", "significance", "cross_section_pb", "cross_section_err_pb",
)  # fmt: skip


def _measurement(folder: Path, stages: tuple[str, ...]) -> tuple[dict[str, Any] | None, str | None]:
    """The measured numbers, or the sentence why there are none."""
    if "measure" not in stages:
        return None, "the stage measure was not asked for"
    path = folder / "measure" / "sealed" / "measurement.json"
    if path.exists():
        content = read_json(path)
        return {key: content[key] for key in MEASUREMENT_KEYS}, None
    record = read_json(folder / "measure" / "record.json")
    return None, record["reason"] or "the stage measure failed; see its verdict"


def _official(
    settings: Settings, fileset: dict[str, Any], cutflow: dict[str, Any]
) -> list[dict[str, Any]]:
    """Comparison with official numbers; synthetic data have none."""
    if settings.data.labelled_synthetic:
        return []
    complete = {
        name: counts for name, counts in cutflow.items() if fileset["samples"][name]["complete"]
    }
    return compare_official(settings.data.release, settings.channel.name, complete)


def _notes(settings: Settings, fileset: dict[str, Any]) -> list[str]:
    notes = list(fileset["notes"])
    for name, sample in fileset["samples"].items():
        if sample["files"] and not sample["normalisable"] and sample["reason"]:
            notes.append(f"{name}: {sample['reason']}")
    if settings.data.skim is not None:
        notes.insert(0, f"The converted events are those of the {fileset['location']}; no ROOT "
                     "file was read, and convert was not judged again.")  # fmt: skip
    if settings.data.synthetic:
        notes.insert(0, "Synthetic data, made by Ladon's generator; not ATLAS data.")
    elif settings.data.synthetic_manifest:
        notes.insert(0, "Synthetic data, as its manifest says; not ATLAS data.")
    return notes


def _provenance(
    run: Path, folder: Path, settings: Settings, stages: tuple[str, ...], fileset: str
) -> dict[str, Any]:
    made = read_json(run / "provenance.json")
    determinism = " ".join(asked(settings)) if settings.model.deterministic else ""
    return {
        "settings_sha256": settings_sha256(settings),
        "settings_file_sha256": sha256_file(folder / "settings.json"),
        "manifest_sha256": None if settings.data.synthetic else chosen_sha256(settings.data),
        "fileset_sha256": sha256_file(run / "fileset" / f"{fileset}.json"),
        "solutions": {s: _frozen(run, folder / s) for s in stages},
        "code_sha256": made["code_sha256"],
        "git": git_state(),
        "versions": versions(),
        "hardware": made["hardware"],
        **({"determinism": determinism} if determinism else {}),
    }


def _frozen(run: Path, stage: Path) -> str | None:
    """Hash of the frozen solution of a stage; None where none was accepted."""
    digest: str = read_json(stage / "record.json")["solution_sha256"]
    return digest if (run / "solutions" / f"{digest}.py").exists() else None
