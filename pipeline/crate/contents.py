"""What of a run goes into its crate, and what each file is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.controller import SERVERS_FILE
from pipeline.evaluation.tables import FOLDER as TABLES
from pipeline.files import read_json
from pipeline.workflow.layout import Layout

FORMATS = {
    ".json": "application/json", ".jsonl": "application/jsonl", ".csv": "text/csv",
    ".html": "text/html", ".py": "text/x-python", ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png", ".pdf": "application/pdf", ".txt": "text/plain",
    ".gz": "application/gzip",
}  # fmt: skip
DRAWN = ("figures", TABLES)
"""Folders of what the report draws and counts beside its page."""
COUNTED = {
    "cells": "A row per point and stage: what came of it, and what it took.",
    "measures": "A row per configuration and stage: rates and amounts, with 95 % intervals.",
    "failures": "A row per point and stage that something stopped: why, and whose doing it was.",
    "errors": "A row per configuration, stage and kind of failure: its share, with an interval.",
    "pairs": "A row per two configurations and stage: their rates on the same trials.",
}
"""Table of a sweep -> what it has a row for; each is there in CSV and in Parquet."""
DESCRIBED = {
    "sweep.json": "The plan of the run: its points, their stages, and what they share.",
    "provenance.json": "What made the run: hash of Ladon's code, versions, sandbox, machine.",
    SERVERS_FILE: "What the servers of models that the run started did and used.",
    "report.html": "The report: one page that needs no network.",
    "summary.json": "The outcome of every point, in short.",
    "summary.csv": "One row per point and stage.",
    "results.json": "The results of one point: cut flow, stages, categories, measurement.",
    "solution.py": "The frozen solution of a stage: the module that was run.",
    "trajectory.jsonl": "Every message, reply, token count and trial of a stage's rounds.",
    "attempts.json": "How a stage's rounds ended, and what they took.",
    "record.json": "How an execution ended, with the SHA-256 of its inputs and of every file it "
    "made.",
    "verdict.json": "What the judge says of a stage's output, check by check.",
    "timing.json": "What an execution cost.",
}
REPORT = ("report.html", "summary.json", "summary.csv")
STAGE = (
    "solution.py", "trajectory.jsonl", "attempts.json", "record.json", "verdict.json",
    "timing.json",
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """One file of the crate; `name` is its path there and in the run."""

    name: str
    description: str = ""

    @property
    def format(self) -> str:
        return FORMATS.get(Path(self.name).suffix, "application/octet-stream")


def contents(run: Path, layout: Layout, outputs: bool) -> list[Item]:
    """The files of the crate, in a fixed order.

    Settings are not among them (`inputs` writes what of them decides the result), and neither are
    logs, chunks and the outputs of the reference. `outputs` says whether the tables that solutions
    made are; what was sealed is only if the point was measured, which opened it.
    """
    names = [*_names(run, layout, outputs)]
    return [Item(name, _described(name)) for name in dict.fromkeys(names) if (run / name).is_file()]


def _names(run: Path, layout: Layout, outputs: bool) -> Iterator[str]:
    yield from (*REPORT, "sweep.json", "provenance.json", SERVERS_FILE)
    for key in sorted({plan.fileset for plan in layout.points}):
        yield f"fileset/{key}.json"
    for folder in DRAWN:
        yield from below(run, folder)
    yield from below(run, "solutions")
    for key in sorted({plan.reference for plan in layout.points}):
        for stage in layout.reference_stages(key):
            yield f"reference/{key}/{stage}/record.json"
    for plan in layout.points:
        base = f"points/{plan.name}"
        yield f"{base}/results.json"
        opened = _measured(run / base / "results.json")
        for stage in plan.stages:
            yield from (f"{base}/{stage}/{name}" for name in STAGE)
            if outputs:
                yield from below(run, f"{base}/{stage}/output")
                yield from below(run, f"{base}/{stage}/sealed") if opened else ()


def below(run: Path, folder: str) -> Iterator[str]:
    """Names of the files below a folder of the run, in a fixed order."""
    for path in sorted((run / folder).rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(run).as_posix()


def _measured(results: Path) -> bool:
    content: Any = read_json(results)
    return content.get("measurement") is not None


def _described(name: str) -> str:
    parts = name.split("/")
    if parts[0] == "fileset":
        return "The input: every sample with its files, checksums, weights and chunks."
    if parts[0] == "solutions":
        return "A frozen solution; its name is the SHA-256 of its bytes."
    if parts[0] == TABLES:
        return COUNTED.get(Path(name).stem, "A table of the sweep.")
    if parts[0] == "figures":
        return "Numbers of a figure." if "data" in parts else "A figure."
    if "output" in parts:
        return "What a solution made."
    if "sealed" in parts:
        return "What a solution made, with the rows that were blinded until the measurement."
    return DESCRIBED.get(parts[-1], "")
