"""What the finished runs on smaller shares of the data showed: kept beside the runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.data.share import STEPS
from pipeline.files import read_json, sha256_json, write_json
from pipeline.plan.amount import Amount
from pipeline.plan.throughput import calibration_of
from pipeline.settings import Settings, deciding
from pipeline.workflow.layout import Layout

FOLDER = "promotions"
SCHEMA = 2
"""1 had all steps in one file, and none of them a site."""
TOLERANCE = 0.3
"""Relative difference of predicted and measured cost that a step may have."""
NOISE_S = 0.5
"""Processor seconds by which they may differ at any rate: a conversion that takes less has cost
1.7 times what was predicted beside busy processes, and says nothing about a large one."""
GOOD = ("passed", "reference")


def promotion_key(settings: Settings) -> str:
    """Sixteen hex digits of what the steps of one promotion have in common.

    The settings that decide the result, without the share, and the site, whose memory and cost the
    steps tell; `unblind` may come with the last step.
    """
    plain = {**deciding(settings), "site": settings.site.name}
    plain["data"].pop("share", None)
    del plain["unblind"]
    return sha256_json(plain)[:16]


def record_path(settings: Settings, share: str) -> Path:
    """Where what a share's run showed is kept: a file of its own, so that runs that end at the
    same moment do not write over each other's."""
    name = share.replace("%", "_percent")
    return Path(settings.run.outputs) / FOLDER / promotion_key(settings) / f"{name}.json"


def promotion_of(settings: Settings) -> Mapping[str, Any]:
    """Share -> what its last run showed; nothing where none has finished."""
    paths = {share: record_path(settings, share) for share in STEPS}
    return {share: read_json(path)["step"] for share, path in paths.items() if path.is_file()}


def keep_step(settings: Settings, run: Path, point: str) -> dict[str, Any]:
    """Judge a finished point as a step of a promotion, and keep that; what is kept."""
    solutions = {
        path.parent.name: read_json(path)["solution_sha256"]
        for path in sorted((run / "points" / point).glob("*/record.json"))
    }
    took = _took(settings, run, point, solutions)
    step: dict[str, Any] = {
        "run": run.name,
        "point": point,
        "checks": [
            judged(run, point), ledger_complete(run, point),
            memory(settings, _timing(run, point), took), cost(settings, took),
        ],
        "took": took,
        "solutions": solutions,
    }  # fmt: skip
    step["green"] = all(c["green"] for c in step["checks"])
    write_json(record_path(settings, settings.data.share), {"schema": SCHEMA, "step": step})
    return step


def sentences(settings: Settings, step: Mapping[str, Any]) -> list[str]:
    """A kept step as a person reads it."""
    verdict = "green, the next share may follow" if step["green"] else "not green"
    return [f"data.share={settings.data.share}: {verdict}"] + [
        f"  {'green' if c['green'] else 'RED  '} {c['name']}: {c['said']}" for c in step["checks"]
    ]


def judged(run: Path, point: str) -> dict[str, Any]:
    """Whether every stage that was reached passed, and convert among them where it was asked for.

    Where it was not, the reference converts, which is ours and judged by nobody. Stages that cannot
    work on a part of the data (blocked) are no reason against the next step.
    """
    outcomes = {
        path.parent.name: read_json(path)["outcome"]
        for path in sorted((run / "points" / point).glob("*/verdict.json"))
    }
    bad = [f"{s} {o}" for s, o in outcomes.items() if o == "failed"]
    asked = "convert" in Layout.load(run / "sweep.json").point(point).stages
    if asked and outcomes.get("convert") not in GOOD:
        bad = bad or [f"convert {outcomes.get('convert', 'was not judged')}"]
    said = ", ".join(bad) or ", ".join(f"{s} {o}" for s, o in outcomes.items())
    return {"name": "judge", "green": not bad, "said": said}


def ledger_complete(run: Path, point: str) -> dict[str, Any]:
    """Whether every entry of the chosen files was counted once and none is in quarantine.

    And whether all of the files could be read: those that could not have no entries to count.
    """
    ledger = _convert(run, point) / "output" / "ledger.json"
    if not ledger.is_file():
        return {"name": "ledger", "green": False, "said": "convert left no ledger"}
    samples = read_json(ledger)["samples"]
    bad = [
        f"sample {name}: {s['entries_done']} of {s['entries_expected']} entries, "
        f"{s['quarantined']} chunks in quarantine"
        for name, s in samples.items()
        if s["quarantined"] or s["entries_done"] != s["entries_expected"]
    ]
    bad += [f"{problem['message']} ({problem['kind']})" for problem in _problems(run, point)]
    entries = sum(s["entries_done"] for s in samples.values())
    return {
        "name": "ledger", "green": not bad and entries > 0,
        "said": "; ".join(bad[:3]) or f"{entries} entries, each once",
    }  # fmt: skip


def _problems(run: Path, point: str) -> list[dict[str, str]]:
    """What is wrong with files of the point's fileset, found before convert or by its jobs."""
    plan = Layout.load(run / "sweep.json").point(point)
    counts = _convert(run, point) / "output" / "counts.json"
    if counts.is_file():
        files = read_json(counts)
    else:
        fileset = read_json(run / "fileset" / f"{plan.fileset}.json")
        files = [f for sample in fileset["samples"].values() for f in sample["files"]]
    return [file["problem"] for file in files if file["problem"] is not None]


def memory(
    settings: Settings, timing: Mapping[str, Any], took: Mapping[str, Any]
) -> dict[str, Any]:
    """Whether the largest process of convert, worker or not, stayed under a worker's limit."""
    peaks = [p for p in (timing.get("max_rss_mb"), took.get("max_rss_mb")) if p is not None]
    limit = settings.site.memory_gb * 1000
    if not peaks:
        return {"name": "memory", "green": False, "said": "convert left no measure of its memory"}
    peak = max(peaks) * 1.024**2  # what is measured is in units of 1024 x 1024 bytes
    return {"name": "memory", "green": peak <= limit, "said": f"{peak:.0f} of {limit:.0f} MB"}


def cost(settings: Settings, took: Mapping[str, Any]) -> dict[str, Any]:
    """Whether convert took the processor seconds that plans reckon with for this much work.

    Those of all its workers and sandboxes: what else runs on a machine hardly changes them.
    """
    known = calibration_of(settings)
    if known is None:
        said = "no throughput was measured: `ladon plan --measure FILE` on one of the files"
        return {"name": "cost", "green": False, "said": said}
    if not took.get("chunks"):
        said = "nothing was converted, all chunks were there: run once more with run.skims=false"
        return {"name": "cost", "green": False, "said": said}
    names = ("events", "chunks", "files", "processes")
    predicted = known.seconds(*(Amount.exact(took[k], "") for k in names)).value or 0.0
    ratio = took["cpu_s"] / predicted
    said = (
        f"predicted {predicted:.3g} processor seconds for "
        + ", ".join(f"{took[k]} {k}" for k in names)
        + f"; measured {took['cpu_s']:.3g}"
    )
    if "measured_by" in took:
        said += f" (by the run {took['measured_by']}; a skim had the chunks of this one)"
    green = abs(took["cpu_s"] - predicted) <= max(TOLERANCE * predicted, NOISE_S)
    advice = "" if green else "; measure anew with `ladon plan --measure FILE` on such a file here"
    return {"name": "cost", "green": green, "said": said + advice, "ratio": round(ratio, 3)}


def _took(
    settings: Settings, run: Path, point: str, solutions: Mapping[str, str]
) -> dict[str, Any]:
    """What the conversion of this step took.

    Where a skim had all of its chunks: what it took the run of this promotion, on the same share or
    on the one before, that converted by the same solution last.
    """
    took: dict[str, Any] = _timing(run, point).get("chunks") or {}
    if took.get("chunks"):
        return took
    kept, share = promotion_of(settings), STEPS.index(settings.data.share)
    for step in (kept.get(name, {}) for name in reversed(STEPS[max(0, share - 1) : share + 1])):
        same = step.get("solutions", {}).get("convert") == solutions.get("convert")
        if same and step.get("took", {}).get("chunks"):
            return {"measured_by": step["run"], **step["took"]}
    return took


def _timing(run: Path, point: str) -> dict[str, Any]:
    """What convert cost; where a point took over what the reference did, what that cost."""
    path = _convert(run, point) / "timing.json"
    timing: dict[str, Any] = read_json(path) if path.is_file() else {}
    return timing


def _convert(run: Path, point: str) -> Path:
    plan = Layout.load(run / "sweep.json").point(point)
    if "convert" in plan.stages:
        return run / "points" / point / "convert"
    return run / "reference" / plan.reference / "convert"
