"""Step: put the results of one point together."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.files import write_json
from pipeline.report.results import validate_results
from pipeline.results import collect
from pipeline.steps.errors import run_step


def main() -> None:
    """Write results.json, after checking it against its schema."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--point", required=True)
    given = parser.parse_args()
    results = collect(Path.cwd(), given.point)
    validate_results(results)
    write_json(Path("points") / given.point / "results.json", results)


if __name__ == "__main__":
    run_step("collect", main)
