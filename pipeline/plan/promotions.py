"""What the finished runs on smaller shares of the data showed: kept beside the runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.files import read_json, sha256_json, write_json
from pipeline.plan.amount import Amount
from pipeline.plan.throughput import calibration_of
from pipeline.settings import Settings, deciding
from pipeline.workflow.layout import Layout

FOLDER = "promotions"
TOLERANCE = 0.3
"""Relative difference of predicted and measured cost that a step may have."""
GOOD = ("passed", "reference")


def promotion_key(settings: Settings) -> str:
    """Sixteen hex digits of what the steps of one promotion have in common.

    The settings that decide the result, without the share; `unblind` may come with the last step.
    """
    plain = deciding(settings)
    plain["data"].pop("share", None)
    del plain["unblind"]
    return sha256_json(plain)[:16]


def record_path(settings: Settings) -> Path:
    """Where the finished steps of these settings are kept."""
    return Path(settings.run.outputs) / FOLDER / f"{promotion_key(settings)}.json"


def promotion_of(settings: Settings) -> Mapping[str, Any]:
    """Share -> what its run showed; nothing where none has finished."""
    path = record_path(settings)
    steps: Mapping[str, Any] = read_json(path)["steps"] if path.is_file() else {}
    return steps


def keep_step(settings: Settings, run: Path, point: str) -> dict[str, Any]:
    """Judge a finished point as a step of a promotion, and keep that; what is kept."""
    step: dict[str, Any] = {
        "run": run.name,
        "point": point,
        "checks": [
            judged(run, point), ledger_complete(run, point), memory(settings, run, point),
            cost(settings, run, point),
        ],
        "solutions": {
            path.parent.name: read_json(path)["solution_sha256"]
            for path in sorted((run / "points" / point).glob("*/record.json"))
        },
    }  # fmt: skip
    step["green"] = all(c["green"] for c in step["checks"])
    steps = {**promotion_of(settings), settings.data.share: step}
    write_json(record_path(settings), {"schema": 1, "steps": steps})
    return step


def sentences(settings: Settings, step: Mapping[str, Any]) -> list[str]:
    """A kept step as a person reads it."""
    verdict = "green, the next share may follow" if step["green"] else "not green"
    return [f"data.share={settings.data.share}: {verdict}"] + [
        f"  {'green' if c['green'] else 'RED  '} {c['name']}: {c['said']}" for c in step["checks"]
    ]


def judged(run: Path, point: str) -> dict[str, Any]:
    """Whether every stage that was reached passed, and convert among them.

    Stages that cannot work on a part of the data (blocked) are no reason against the next step.
    """
    outcomes = {
        path.parent.name: read_json(path)["outcome"]
        for path in sorted((run / "points" / point).glob("*/verdict.json"))
    }
    bad = [f"{s} {o}" for s, o in outcomes.items() if o == "failed"]
    if outcomes.get("convert") not in GOOD:
        bad = bad or [f"convert {outcomes.get('convert', 'was not judged')}"]
    said = ", ".join(bad) or ", ".join(f"{s} {o}" for s, o in outcomes.items())
    return {"name": "judge", "green": not bad, "said": said}


def ledger_complete(run: Path, point: str) -> dict[str, Any]:
    """Whether every entry of the chosen files was counted once and none is in quarantine."""
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
    entries = sum(s["entries_done"] for s in samples.values())
    return {
        "name": "ledger", "green": not bad and entries > 0,
        "said": "; ".join(bad[:3]) or f"{entries} entries, each once",
    }  # fmt: skip


def memory(settings: Settings, run: Path, point: str) -> dict[str, Any]:
    """Whether the largest process of convert stayed under the limit of a worker."""
    peak, limit = _timing(run, point).get("max_rss_mb"), settings.site.memory_gb * 1000
    if peak is None:
        return {"name": "memory", "green": False, "said": "convert left no measure of its memory"}
    return {"name": "memory", "green": peak <= limit, "said": f"{peak:.0f} of {limit:.0f} MB"}


def cost(settings: Settings, run: Path, point: str) -> dict[str, Any]:
    """Whether convert's chunks took what the throughput that plans rest on gives for them.

    Chunks that a process began with, in which everything is loaded, are in neither number.
    """
    took = _timing(run, point).get("chunks") or {"chunks": 0}
    known = calibration_of(settings)
    if known is None:
        said = "no throughput was measured: `ladon plan --measure FILE` on one of the files"
        return {"name": "cost", "green": False, "said": said}
    if not took["chunks"]:
        # Nothing to compare: that is so where each process had one chunk. The next step has more.
        green = settings.data.share == "one"
        return {"name": "cost", "green": green, "said": "too few chunks to compare"}
    events, chunks = (Amount.exact(took[k], "") for k in ("events", "chunks"))
    predicted = known.seconds(events, chunks).value or 0.0
    ratio = took["seconds"] / predicted
    said = (
        f"predicted {predicted:.3g} core-seconds for {took['events']} events in "
        f"{took['chunks']} chunks, measured {took['seconds']:.3g}"
    )
    green = abs(ratio - 1) <= TOLERANCE
    advice = "" if green else "; measure anew with `ladon plan --measure FILE` on such a file here"
    return {"name": "cost", "green": green, "said": said + advice, "ratio": round(ratio, 3)}


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
