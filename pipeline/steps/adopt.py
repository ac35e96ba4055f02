"""Step: take our own solution of one stage, where no model is asked."""

from __future__ import annotations

import argparse

from pipeline.stages.registry import reference_path
from pipeline.steps.context import Place
from pipeline.steps.errors import run_step
from pipeline.steps.keeping import NO_ATTEMPTS, keep


def main() -> None:
    """Write solution.py, and the empty trajectory and attempts of a stage nobody was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--owner", required=True)
    parser.add_argument("--stage", required=True)
    given = parser.parse_args()
    place = Place.at(given.owner, given.stage)
    code = reference_path(place.settings(), place.stage).read_text(encoding="utf-8")
    keep(place, code, {**NO_ATTEMPTS, "solver": "reference"})


if __name__ == "__main__":
    run_step("adopt", main)
