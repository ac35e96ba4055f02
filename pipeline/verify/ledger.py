"""Ledgers: every entry of the fileset once, and the rows and cuts of the chunks add up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.data.parts import with_counts
from pipeline.files import RunFileError, read_json, sha256_file
from pipeline.settings import load
from pipeline.stages.convert.ledger_table import listed
from pipeline.stages.convert.part import COUNTS
from pipeline.stages.convert.product import merged_cutflow
from pipeline.verify.filesets import check_fileset
from pipeline.verify.findings import Group
from pipeline.verify.folder import RunFolder, Stage

REMEDY = "remove the stage's record.json and give the command of the run again"
PLACE = ("id", "sample", "file", "start", "stop")


def check_ledgers(run: RunFolder) -> Group:
    """The filesets' chunks, and every ledger against fileset, tables, cut flow and chunk store."""
    group = Group("chunks", REMEDY)
    for key in run.filesets:
        check_fileset(run, key, group)
    for stage in run.stages():
        if stage.name == "convert":
            _check_convert(run, stage, group)
    return group


def _check_convert(run: RunFolder, stage: Stage, group: Group) -> None:
    record = run.json(stage.file("record.json"), group)
    if record is None or record.get("status") != "ok":
        return
    plan = run.layout.plan_of(stage.owner)
    fileset = run.json(f"fileset/{plan.fileset}.json", group)
    ledger = run.json(stage.file("output/ledger.json"), group)
    cutflow = run.json(stage.file("output/cutflow.json"), group)
    if fileset is None or ledger is None or cutflow is None:
        return
    name = stage.file("output/ledger.json")
    group.same(name, "the solution that was run,",
               record.get("solution_sha256"), ledger.get("solution_sha256"))  # fmt: skip
    try:
        fileset, ledger = _whole(run, stage, fileset, ledger)
    except (OSError, LookupError, TypeError, pa.ArrowException, RunFileError) as error:
        group.holds(False, name, "chunks, here or in the table beside it", str(error))
        return
    planned = {c["id"]: (c["id"], c["sample"], Path(c["path"]).name, c["start"], c["stop"])
               for c in fileset["chunks"]}  # fmt: skip
    counted = [tuple(c[key] for key in PLACE) for c in ledger["chunks"]]
    there = {c[0]: c for c in counted}
    for chunk, place in planned.items():
        group.same(name, f"chunk {chunk} of sample {place[1]} once, as the fileset has it,",
                   place, there.get(chunk, "no such chunk"))  # fmt: skip
    extra = [c for c in there if c not in planned]
    group.same(name, "no chunk that the fileset does not have, and none twice;",
               (0, len(there)), (len(extra), len(counted)))  # fmt: skip
    _check_samples(run, stage, fileset, ledger, group)
    _check_store(run, stage, ledger, cutflow, group)


def _whole(
    run: RunFolder, stage: Stage, fileset: Mapping[str, Any], ledger: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The fileset with what the jobs counted, and the ledger with all of its chunks."""
    folder = run.path / stage.file("output")
    if not fileset.get("counted", True):
        size = load(run.path / stage.owner / "settings.json").data.chunk_size
        fileset = with_counts(fileset, read_json(folder / COUNTS), size)
    return fileset, {**ledger, "chunks": listed(ledger, folder)}


def _check_samples(
    run: RunFolder,
    stage: Stage,
    fileset: Mapping[str, Any],
    ledger: Mapping[str, Any],
    group: Group,
) -> None:
    """The sums of each sample, and the rows of its table."""
    name = stage.file("output/ledger.json")
    chunks: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for chunk in ledger["chunks"]:
        chunks[chunk["sample"]].append(chunk)
    for sample, about in fileset["samples"].items():
        own = chunks[sample]
        done = [c for c in own if c["status"] == "ok"]
        entries = sum(file["entries"] or 0 for file in about["files"])
        counted = sum(c["stop"] - c["start"] for c in done)
        wanted = {
            "entries_expected": entries,
            "entries_done": counted,
            "chunks": len(own),
            "quarantined": len(own) - len(done),
            "complete": bool(about["complete"]) and len(done) == len(own) and counted == entries,
        }
        if about.get("reason") and not fileset.get("counted", True):
            wanted["reason"] = about["reason"]
        group.same(name, f"counts of sample {sample}", wanted, ledger["samples"].get(sample))
        part = "sealed" if about["kind"] == "data" else "output"
        table = stage.file(f"{part}/{sample}.parquet")
        if run.present(table, group):
            rows = sum(c["rows"] for c in done)
            group.same(table, "as many rows as the ledger's chunks,", rows, _rows(run, table))


def _rows(run: RunFolder, table: str) -> int | str:
    try:
        return int(pq.read_metadata(run.path / table).num_rows)
    except (OSError, pa.ArrowException) as error:
        return f"a file that is no Parquet ({type(error).__name__})"


def _check_store(
    run: RunFolder,
    stage: Stage,
    ledger: Mapping[str, Any],
    cutflow: Mapping[str, Any],
    group: Group,
) -> None:
    """The rows of each chunk in the store, and the cut flow as the sum of theirs."""
    folder = f"chunks/{str(ledger['solution_sha256'])[:16]}"
    if not (run.path / folder).is_dir():
        group.note(f"{folder} is not there: the rows of single chunks were not checked")
        return
    kept = _kept(run.path / folder)
    cuts: dict[str, list[Any] | None] = defaultdict(list)
    for chunk in ledger["chunks"]:
        if chunk["sha256"] is None:
            continue
        record, digest = _match(kept.get(chunk["id"], []), chunk["sha256"])
        found = group.same(
            folder, f"the rows of chunk {chunk['id']} of sample {chunk['sample']} with the hash",
            chunk["sha256"], digest or "no such chunk",
            f"remove {stage.file('record.json')} and give the command of the run again",
        )  # fmt: skip
        so_far = cuts[chunk["sample"]]
        if record is None or not found:
            cuts[chunk["sample"]] = None
            continue
        if so_far is not None:
            so_far.append(tuple((str(step), int(count)) for step, count in record["cutflow"]))
        told = (record["events"], record["rows"])
        group.same(folder, f"events and rows of chunk {chunk['id']}",
                   (chunk["stop"] - chunk["start"], chunk["rows"]), told)  # fmt: skip
    for sample, flow in cutflow.items():
        parts = cuts[sample]
        if parts is not None:
            group.same(stage.file("output/cutflow.json"), f"the sum of the chunks of {sample},",
                       merged_cutflow(parts), flow)  # fmt: skip


def _kept(folder: Path) -> dict[str, list[tuple[Path, Mapping[str, Any]]]]:
    """Chunk -> (file of rows, record) of everything in a part of the store that can be read."""
    found: dict[str, list[tuple[Path, Mapping[str, Any]]]] = defaultdict(list)
    for path in sorted(folder.rglob("*.json")):
        try:
            record = read_json(path)
            found[record["chunk"]].append((path.with_suffix(".parquet"), record))
        except (RunFileError, LookupError, TypeError):
            continue
    return found


def _match(
    candidates: list[tuple[Path, Mapping[str, Any]]], wanted: str
) -> tuple[Mapping[str, Any] | None, str | None]:
    """The record whose rows have the wanted hash, and the hash; else any other hash there is."""
    digest = None
    for rows, record in candidates:
        if rows.is_file():
            digest = sha256_file(rows)
            if digest == wanted:
                return record, digest
    return None, digest
