"""Step: run the frozen solution of convert over one part of the fileset, one of many jobs."""

from __future__ import annotations

import argparse
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from executors.base import ChunkExecutor
from pipeline.data.parts import counted_part, part_sha256, read_part
from pipeline.files import read_json, sha256_file, write_json
from pipeline.progress import StepProgress
from pipeline.stages.contract import ContractError
from pipeline.steps.context import Place
from pipeline.steps.errors import run_step
from pipeline.steps.execute import ReferenceFailedError, failure_of, timing
from pipeline.steps.executor import convert_executor

PART_SCHEMA = 1


def main() -> None:
    """Write parts/<number>/ and parts/<number>.json of an owner's convert."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--owner", required=True)
    parser.add_argument("--part", required=True, type=int)
    given = parser.parse_args()
    place = Place.at(given.owner, "convert")
    began = time.monotonic()
    with convert_executor(place.settings()) as executor:
        record = _record(place, given.part, executor)
    failure = record["failure"]
    if failure is not None and place.is_reference:
        raise ReferenceFailedError(
            f"the reference solution of convert failed: {failure['message']}; its traceback is in "
            f"{place.part(given.part) / 'failure.txt'}"
        )
    chunks = record.pop("chunks_timing", None)
    record["timing"] = {**timing(began), **({"chunks": chunks} if chunks else {})}
    write_json(place.part_record(given.part), record)


def _record(place: Place, number: int, executor: ChunkExecutor) -> dict[str, Any]:
    """Convert one part; the record of what that made."""
    from pipeline.stages.convert.part import write_part
    from pipeline.stages.convert.runner import convert_all
    from pipeline.steps.skims import keep_part, take_part

    folder, settings = place.part(number), place.settings()
    if folder.is_dir():
        shutil.rmtree(folder)
    part = read_part(place.parts_path, number)
    record: dict[str, Any] = {
        "schema": PART_SCHEMA, "part": number, "parts": place.plan.parts, "status": "skipped",
        "failure": None, "solution_sha256": sha256_file(place.folder / "solution.py"),
        "part_sha256": part_sha256(part), "chunks": 0, "events": 0, "files": {},
    }  # fmt: skip
    if read_json(place.folder / "attempts.json")["failure"] is not None:
        return record  # nobody wrote a solution: execute says so
    if not part.get("counted", True):
        part = counted_part(part, settings.data)
    progress = StepProgress(Path.cwd(), f"{place.owner}-convert-{number}")
    try:
        take_part(place, part, number)
        product = convert_all(
            place.folder / "solution.py", part, settings, Path("chunks"), executor, progress,
            place.jail(), number,
        )  # fmt: skip
        write_part(product, folder)
        keep_part(product, folder)
    except ContractError as error:
        failure, text = failure_of(error)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "failure.txt").write_text(text, encoding="utf-8")
        return {**record, "status": "failed", "failure": failure}
    finally:
        progress.close()
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {
        **record,
        "status": "ok",
        "chunks": len(product.outcomes),
        "events": sum(o.record.events for o in product.outcomes if o.record is not None),
        "files": {p.relative_to(folder).as_posix(): sha256_file(p) for p in files},
        "chunks_timing": asdict(product.timed),
    }


if __name__ == "__main__":
    run_step("convert_part", main)
