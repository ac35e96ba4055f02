"""Step: make one synthetic sample, or find that it is there already."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.data.synthetic import synthesize
from pipeline.files import write_json
from pipeline.settings import load
from pipeline.steps.errors import run_step


def main() -> None:
    """Write the record of the sample's file; the file itself is shared by all runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, type=Path)
    parser.add_argument("--sample", required=True)
    parser.add_argument("--output", required=True, type=Path)
    given = parser.parse_args()
    settings = load(given.settings)
    outputs = Path.cwd().parent  # the run directory is the working directory of every step
    record = synthesize(settings, given.sample, outputs / "synthetic")
    write_json(given.output, record)


if __name__ == "__main__":
    run_step("synthesize", main)
