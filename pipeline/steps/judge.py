"""Step: judge the output of one stage of one point."""

from __future__ import annotations

import argparse
from typing import Any

from executors.sandbox import zygote
from pipeline.files import read_json, write_json
from pipeline.judge import judge
from pipeline.judge.request import JudgeRequest
from pipeline.stages.jail import Jail
from pipeline.steps.context import Place
from pipeline.steps.errors import run_step
from pipeline.steps.sharing import verdict_file


def main() -> None:
    """Write verdict.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--point", required=True)
    parser.add_argument("--stage", required=True)
    given = parser.parse_args()
    place = Place.at(f"points/{given.point}", given.stage)
    record = read_json(place.folder / "record.json")
    kept = verdict_file(place, record)
    if kept is None:
        write_json(place.folder / "verdict.json", _verdict(place, record))
        return
    if not kept.exists():
        write_json(kept, _verdict(place, record))
    write_json(place.folder / "verdict.json", read_json(kept))


def _verdict(place: Place, record: dict[str, Any]) -> dict[str, Any]:
    settings = place.settings()
    sandbox = Jail.of(settings).sandbox
    if sandbox is not None and sandbox.name == "bubblewrap":
        zygote.begin()  # the guards ask the solution again and again, each time in a new sandbox
    verdict = judge(
        JudgeRequest(
            stage=place.stage,
            settings=settings,
            fileset=place.fileset(),
            solution_path=place.folder / "solution.py",
            output=place.folder,
            reference=place.reference_folder,
            upstream=place.upstream(),
            reference_upstream=place.reference_upstream(),
            record=record,
        )
    )
    return verdict.to_json()


if __name__ == "__main__":
    run_step("judge", main)
