"""Sweep folders with dialogues and outputs as language models would leave: made up, and said so.

On top of what `tests.pipeline.evaluation.made` writes, these have long and different modules,
rounds, printed output and Parquet tables, so that the size of a page can be measured.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from agents.chat import Message, Reply, Usage
from agents.evidence import Evidence, Finding
from agents.trajectory import Entry
from pipeline.files import read_json, sha256_file, write_json, write_table
from tests.pipeline.evaluation.made import (
    FAILED,
    PASSED,
    REFERENCE,
    UNSOLVED,
    MadePoint,
    MadeStage,
    write_sweep,
)

STAGES = ("convert", "preprocess", "classify", "categorize", "measure")
SOURCES = Path(__file__).resolve().parents[3] / "pipeline" / "stages"
MODULES = {
    "convert": "convert/reference_hyy_2025.py", "preprocess": "preprocess/reference.py",
    "classify": "classify/reference.py", "categorize": "categorize/checks.py",
    "measure": "measure/reference.py",
}  # fmt: skip
"""Real modules that the made-up ones are variations of."""
WORDS = (
    "mass", "window", "events", "weight", "photon", "select", "energy", "table", "column", "mask",
    "signal", "background", "yield", "boundary", "score", "fit", "check", "region", "sum", "pair",
    "value", "index", "branch", "array", "filter", "sort", "unit", "nan",
)  # fmt: skip
ROWS = {"signal": 600, "background": 150, "control": 60, "data": 200}


def write_large(
    run: Path, models: int = 5, settings: int = 4, trials: int = 20, seed: int = 1
) -> Path:
    """A sweep of models x settings x trials points with five stages each; `run` itself."""
    dice = random.Random(seed)
    points = [
        MadePoint(
            f"made-up-model-{m}", trial, {s: _stage(dice, s, 0.9 - 0.15 * m) for s in STAGES},
            choices={"model.temperature": f"{0.3 * t:.1f}"},
        )
        for m in range(models)
        for t in range(settings)
        for trial in range(trials)
    ]  # fmt: skip
    write_sweep(run, points)
    for stage in STAGES:
        write_output(run / "reference" / REFERENCE / stage, stage, seed=0)
    for number, point in enumerate(points):
        for stage, made in point.stages.items():
            folder = run / "points" / point.name / stage
            lines = b"".join(e.line for e in dialogue(dice, stage, made))
            (folder / "trajectory.jsonl").write_bytes(lines)
            if made.has_code:
                write_output(folder, stage, seed=0 if made.rung == "exact" else number + 1)
    return run


def write_output(folder: Path, stage: str, seed: int) -> None:
    """The output files of a stage with made-up events, and their record."""
    rng = np.random.default_rng(seed)
    if stage in ("preprocess", "classify"):
        for name, rows in ROWS.items():
            write_table(folder / "output" / f"{name}.parquet", _events(rng, rows, name, stage))
    elif stage == "convert":
        write_table(folder / "output" / "343981.parquet", _events(rng, 1500, "signal", stage))
        data = _events(rng, 300, "data", stage)
        write_table(folder / "output" / "data15_periodD.parquet", data)
    elif stage == "categorize":
        write_json(folder / "output" / "categories.json", _categories(rng))
    else:
        write_json(folder / "output" / "measurement.json", _measurement(rng))
    record = read_json(folder / "record.json")
    found = sorted((folder / "output").iterdir())
    record["files"] = {f"output/{p.name}": sha256_file(p) for p in found}
    write_json(folder / "record.json", record)


def dialogue(dice: random.Random, stage: str, made: MadeStage) -> Iterator[Entry]:
    """Rounds with modules of the length that models write, every one another."""
    if not made.calls:
        return
    at = {"at": "2026-01-01T00:00:00.000+00:00"}
    identity = {"name": "made up", "revision": None, "sampling": {}, "scripted": True}
    models = {"supervisor": identity, "coder": identity}
    yield Entry("start", {"schema": 1, "stage": stage, "models": models, "seed": 1}, at)
    advice = {"instructions": [_said(dice, 14) for _ in range(5)], "pitfalls": [_said(dice, 9)]}
    yield from _asked(dice, stage, 1, "supervisor", advice)
    code = _varied(dice, (SOURCES / MODULES[stage]).read_text(encoding="utf-8"), 0.3)
    for this in range(1, made.rounds + 1):
        good = this == made.rounds and made.outcome == "passed"
        yield from _asked(dice, stage, this, "coder", f"{_said(dice, 30)}\n```python\n{code}```\n")
        yield Entry("candidate", {"round": this, "code": code, "code_sha256": "0" * 64}, at)
        rows = str(dice.randrange(900, 1000))
        finding = Finding("rows selected", good, "1000", "1000" if good else rows)
        told = Evidence(
            ok=good, findings=(finding,), stdout=_said(dice, 60),
            stderr="" if good else "\n".join(_said(dice, 10) for _ in range(8)),
            category=None if good else "semantic error", attribution=None if good else "model",
        )  # fmt: skip
        yield Entry("evidence", told.to_dict(), {"wall_s": 1.0, **at})
        decision = "accept" if good else "revise"
        review = {"decision": decision, "reasons": [_said(dice, 20)], "instructions": []}
        yield from _asked(dice, stage, this, "supervisor", review)
        code = _varied(dice, code, 0.05)


def _asked(
    dice: random.Random, stage: str, this: int, role: str, answer: str | Mapping[str, Any]
) -> Iterator[Entry]:
    import json

    text = answer if isinstance(answer, str) else json.dumps(answer)
    message = Message("user", "made up")
    request = {"stage": stage, "role": role, "round": this, "number": 1, "seed": 1}
    yield Entry("request", {**request, "messages": [vars(message)], "schema": None}, {})
    usage = Usage(dice.randrange(2000, 9000), dice.randrange(300, 2000))
    content, about = Reply(text, "stop", "made up", usage=usage).to_record()
    yield Entry("reply", content, about)


def _stage(dice: random.Random, stage: str, skill: float) -> MadeStage:
    """Passed in one to three rounds, or failed in one of several ways."""
    tokens = (dice.randrange(4000, 40000), dice.randrange(800, 9000))
    about = {"tokens": tokens, "agent_s": dice.uniform(5, 90), "code": f"# {dice.random()}\n"}
    if dice.random() < skill:
        rung = dice.choice(["exact", "permutation", "statistical", "physics"])
        output = "right" if rung == "exact" else f"{dice.random()}"
        return _with(PASSED, rung=rung, rounds=dice.randrange(1, 4), output=output, **about)
    kind = dice.random()
    if kind < 0.05:
        return _with(FAILED, category="endpoint error", attribution="endpoint", **about)
    if kind < 0.4:
        return _with(UNSOLVED, **about)
    category = dice.choice(["semantic error", "units", "contract", "syntax", "fabrication"])
    return _with(FAILED, category=category, output=f"{dice.random()}", **about)


def _with(made: MadeStage, **changes: Any) -> MadeStage:
    return MadeStage(**{**vars(made), **changes})


def _said(dice: random.Random, words: int) -> str:
    text = " ".join(dice.choice(WORDS) for _ in range(words))
    return f"{text.capitalize()} {dice.randrange(1000)}."


def _varied(dice: random.Random, code: str, share: float) -> str:
    """The module with other local names, other comments and some lines written anew."""
    names = sorted(set(re.findall(r"\b[a-z_]{4,12}\b", code)))
    changed = {n: f"{n}_{dice.choice(WORDS)}" for n in names if dice.random() < share}
    lines = []
    for line in re.sub(r"\b[a-z_]{4,12}\b", lambda m: changed.get(m[0], m[0]), code).splitlines():
        if dice.random() < share / 3:
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f"{indent}# {_said(dice, 8)}")
        lines.append(line)
    return "\n".join(lines) + "\n"


def _events(rng: np.random.Generator, rows: int, table: str, stage: str) -> pd.DataFrame:
    signal = table == "signal"
    mass = rng.normal(125, 1.8, rows) if signal else rng.uniform(105, 160, rows)
    if table == "data" and stage != "convert":
        mass = mass[(mass < 120) | (mass > 130)]
    n = len(mass)
    found = {"m_yy": mass, "ph1_pt": 40 + rng.exponential(35, n), "weight": rng.uniform(0, 2, n)}
    if stage == "convert":
        found |= {"xsection": np.full(n, 0.11), "sum_weights": np.full(n, 1e6)}
    else:
        found["control_weight"] = found["weight"] / 2
    if stage == "classify":
        found["score"] = rng.beta(4, 2, n) if signal else rng.beta(2, 3, n)
    return pd.DataFrame(found)


def _categories(rng: np.random.Generator) -> dict[str, Any]:
    edge, z = 0.9 + 0.05 * rng.random(), 1.4 + 0.2 * rng.random()
    ranges = [[0.0, edge], [edge, 1.0]]
    categories = [
        {"name": f"category {i}", "range": r, "significance": z / 1.4, "signal": 3.0,
         "background": 20.0} for i, r in enumerate(ranges, start=1)
    ]  # fmt: skip
    step = {"boundary": edge, "combined": z, "gain": 0.2, "accepted": True}
    return {
        "boundaries": [edge], "categories": categories, "significances": [z / 1.4] * 2,
        "combined": z, "inclusive": 1.2, "steps": [step, {**step, "boundary": 0.4,
        "combined": z * 1.01, "accepted": False}],
    }  # fmt: skip


def _measurement(rng: np.random.Generator) -> dict[str, Any]:
    mu = 1 + 0.1 * rng.standard_normal()
    scan = np.linspace(mu - 0.8, mu + 0.8, 41)
    return {
        "mu": mu, "mu_err": [-0.2, 0.22], "mu_interval_95": [mu - 0.4, mu + 0.43],
        "profile": {"mu": scan.tolist(), "two_delta_nll": (((scan - mu) / 0.21) ** 2).tolist()},
    }  # fmt: skip
