"""Step: run the frozen solution of one stage over everything, and keep what it returns."""

from __future__ import annotations

import argparse
import resource
import shutil
import time
import traceback
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from executors import spent
from executors.base import ChunkExecutor
from executors.sandbox import SandboxResult
from executors.sandbox.inside.heap import give_back
from pipeline.files import read_json, sha256_file, write_json
from pipeline.progress import StepProgress
from pipeline.stages.contract import Contract, ContractError, accepted
from pipeline.stages.order import SEALED
from pipeline.stages.registry import contract_module
from pipeline.steps.context import Place, why_blocked
from pipeline.steps.errors import run_step
from pipeline.steps.executor import executor_of
from pipeline.steps.inputs import inputs_sha256
from pipeline.steps.sharing import keep, take_over

PASSES = {"output": False, "sealed": True}


class ReferenceFailedError(RuntimeError):
    """Our own solution failed: the harness is wrong, not a model."""


def main() -> None:
    """Write output/, sealed/ and record.json of one stage of one owner."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--owner", required=True)
    parser.add_argument("--stage", required=True)
    given = parser.parse_args()
    place = Place.at(given.owner, given.stage)
    began = time.monotonic()
    with executor_of(place) as executor:
        record = _record(place, executor)
    chunks = record.pop("chunks_timing", None)
    if record["status"] == "failed" and place.is_reference:
        raise ReferenceFailedError(
            f"the reference solution of {place.stage} failed: {record['failure']['message']}; "
            f"its traceback is in {place.folder / 'failure.txt'}"
        )
    if not (place.folder / "timing.json").exists():
        cost = _with_chunks(place, timing(began), chunks)
        write_json(place.folder / "timing.json", cost)
        keep(place, record, cost)
    write_json(place.folder / "record.json", record)


def timing(began: float) -> dict[str, Any]:
    """What the execution cost; kept apart from the record, whose bits must not depend on it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall_s": round(time.monotonic() - began, 3),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
        "max_rss_mb": round(spent.max_rss_mb(), 1),
        "taken_over": False,
    }


def _with_chunks(place: Place, own: dict[str, Any], timed: Any) -> dict[str, Any]:
    """The cost of convert: of its chunks, and of the jobs that it was cut into."""
    from pipeline.stages.convert.product import Timed

    if place.stage != "convert" or place.plan.parts == 1:
        return {**own, "chunks": timed} if timed else own
    records = [place.part_record(number) for number in range(place.plan.parts)]
    costs = [read_json(path)["timing"] for path in records if path.is_file()]
    every = [own, *costs]
    parts = [Timed(**c["chunks"]) for c in costs if "chunks" in c]
    return {
        **own,
        "wall_s": round(sum(c["wall_s"] for c in every), 3),
        "cpu_s": round(sum(c["cpu_s"] for c in every), 3),
        "max_rss_mb": max(c["max_rss_mb"] for c in every),
        "chunks": asdict(sum(parts, Timed())),
    }


def _record(place: Place, executor: ChunkExecutor | None) -> dict[str, Any]:
    """Execute, or take over, or say why not; the result is the record of the execution."""
    record: dict[str, Any] = {
        "schema": 1,
        "stage": place.stage,
        "status": "ok",
        "reason": None,
        "failure": None,
        "solution_sha256": sha256_file(place.folder / "solution.py"),
        "inputs_sha256": "",
        "files": {},
    }
    _clear(place.folder)
    held_up = place.held_up()
    if held_up is not None:
        return {**record, **held_up}
    unsolved = read_json(place.folder / "attempts.json")["failure"]
    if unsolved is not None:
        said = {"kind": unsolved["category"], "message": unsolved["evidence"], "traceback": ""}
        return {**record, "status": "failed", "failure": {**unsolved, **said}}
    record["inputs_sha256"] = inputs_sha256(place, record["solution_sha256"])
    if not place.is_reference and (files := take_over(place, record)) is not None:
        return {**record, "files": files}
    if place.stage == "convert":
        outcome = _gather(place) if executor is None else _run_convert(place, executor)
    else:
        outcome = _run_stage(place)
    return {**record, **outcome, "files": _hashes(place.folder)}


def _clear(folder: Path) -> None:
    for name in (*PASSES, "failure.txt", "timing.json"):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _hashes(folder: Path) -> dict[str, str]:
    """Relative name -> SHA-256 of every file that the execution made."""
    files = [p for name in PASSES for p in sorted((folder / name).rglob("*")) if p.is_file()]
    return {p.relative_to(folder).as_posix(): sha256_file(p) for p in files}


def _run_convert(place: Place, executor: ChunkExecutor) -> dict[str, Any]:
    """Map the solution over all chunks of the fileset."""
    from pipeline.stages.convert.runner import convert_all, write_product
    from pipeline.steps.skims import keep, take

    progress = StepProgress(Path.cwd(), f"{place.owner}-convert")
    try:
        take(place)
        product = convert_all(
            place.folder / "solution.py", place.fileset(), place.settings(), Path("chunks"),
            executor, progress, place.jail(),
        )  # fmt: skip
        write_product(product, place.folder / "output", place.folder / "sealed")
        keep(place, product)
        return {"chunks_timing": asdict(product.timed)}
    except ContractError as error:
        return _failed(place, error)
    finally:
        progress.close()


def _gather(place: Place) -> dict[str, Any]:
    """Put together what the jobs of convert made; the first that failed speaks for all."""
    from pipeline.stages.convert.part import gather
    from pipeline.steps.skims import keep_gathered

    source = place
    if place.plan.solver == "reference" and not place.is_reference:
        source = Place(f"reference/{place.plan.reference}", place.stage, place.layout)
    numbers = range(place.plan.parts)
    for number in numbers:
        record = read_json(source.part_record(number))
        if record["failure"] is not None:
            text = (source.part(number) / "failure.txt").read_text(encoding="utf-8")
            (place.folder / "failure.txt").write_text(text, encoding="utf-8")
            return {"status": "failed", "failure": record["failure"]}
    try:
        gather(
            [source.part(number) for number in numbers], place.fileset(), place.settings(),
            sha256_file(place.folder / "solution.py"), place.folder / "output",
            place.folder / "sealed",
        )  # fmt: skip
    except ContractError as error:
        return _failed(place, error)
    keep_gathered(place, source)
    return {}


def _run_stage(place: Place) -> dict[str, Any]:
    """Call the solution once per pass: on what a solver may see, and with the blinded rows."""
    module = contract_module(place.stage)
    contract: Contract = module.CONTRACT
    jail = place.jail()
    for name, sealed in PASSES.items():
        if sealed and place.stage not in SEALED:
            continue
        context = replace(place.context(sealed), stored=True)
        reason = why_blocked(module, context)
        if reason is not None:
            return {"status": "blocked", "reason": reason}
        arguments = contract.arguments(context)
        try:
            with jail.opened(place.folder / "solution.py", contract.defines, arguments) as solution:
                result = contract.call(solution, arguments)
            del solution  # what it held is given back before its result is looked at
            product = accepted(contract, result, arguments)
        except ContractError as error:
            return _failed(place, error)
        contract.write(product, place.folder / name)
        del product, result, arguments  # the next pass reads its own: one at a time in memory
        give_back()
    return {}


def _failed(place: Place, error: ContractError) -> dict[str, Any]:
    """A solution that fails is a result: keep its traceback and say what it was."""
    failure, text = failure_of(error)
    (place.folder / "failure.txt").write_text(text, encoding="utf-8")
    return {"status": "failed", "failure": failure}


def failure_of(error: ContractError) -> tuple[dict[str, Any], str]:
    """What a record says of a solution that failed, and the whole traceback."""
    result: SandboxResult | None = getattr(error, "result", None)
    text = result.traceback if result and result.traceback else _traceback(error)
    cause = error if result or error.__cause__ is None else error.__cause__
    failure = {"kind": type(cause).__name__, "message": str(error), "traceback": text[-4000:]}
    return failure, text


def _traceback(error: Exception) -> str:
    return "".join(traceback.format_exception(error))


if __name__ == "__main__":
    run_step("execute", main)
