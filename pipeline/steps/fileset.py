"""Step: find and verify the files of every sample, and cut them into chunks."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.data.fileset import build_fileset
from pipeline.data.parts import write_parts
from pipeline.files import read_json, write_json
from pipeline.progress import StepProgress
from pipeline.settings import load
from pipeline.skim import fileset_of
from pipeline.steps.errors import run_step


def main() -> None:
    """Write the fileset that `--settings` asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, type=Path)
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--parts", type=int, default=1, help="jobs that convert is cut into")
    parser.add_argument("--later", action="store_true", help="leave counting to these jobs")
    parser.add_argument("--synthetic", nargs="*", default=[], type=Path)
    given = parser.parse_args()
    settings = load(given.settings)
    if settings.data.skim is not None:
        write_json(given.output, fileset_of(settings))
        return
    progress = StepProgress(Path.cwd(), "fileset")
    records = [record for path in given.synthetic for record in read_json(path)]
    fileset = build_fileset(settings, records or None, progress, count=not given.later)
    if given.parts > 1:
        write_parts(fileset, given.parts, given.output.with_suffix(".parts.json"))
    write_json(given.output, fileset)
    progress.close()


if __name__ == "__main__":
    run_step("fileset", main)
