"""Step: have the solution of one stage written, and freeze it under its hash."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from pipeline.files import replacing, sha256_file, write_json
from pipeline.steps.context import Place, reference_path
from pipeline.steps.errors import run_step

NO_ATTEMPTS = {
    "schema": 1,
    "rounds": 0,
    "api_calls": 0,
    "tokens": {"prompt": 0, "completion": 0},
    "wall_s": 0.0,
    "failure": None,
}
"""What the reference solver spends on a stage."""


def main() -> None:
    """Write solution.py, trajectory.jsonl and attempts.json of one stage of one owner."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--owner", required=True)
    parser.add_argument("--stage", required=True)
    given = parser.parse_args()
    place = Place.at(given.owner, given.stage)
    source = reference_path(place.settings(), place.stage)
    freeze_solution(source, place.folder / "solution.py")
    with replacing(place.folder / "trajectory.jsonl") as temporary:
        temporary.write_text("", encoding="utf-8")  # the reference exchanges no messages
    write_json(place.folder / "attempts.json", {**NO_ATTEMPTS, "solver": "reference"})


def freeze_solution(source: Path, target: Path) -> str:
    """Copy accepted code to `solutions/<sha256>.py` and to its stage, both read-only."""
    digest = sha256_file(source)
    for path in (Path("solutions") / f"{digest}.py", target):
        with replacing(path) as temporary:
            shutil.copyfile(source, temporary)
        path.chmod(0o444)
    return digest


if __name__ == "__main__":
    run_step("solve", main)
