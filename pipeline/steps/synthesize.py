"""Step: make the synthetic samples of a fileset, or find that they are there already."""

from __future__ import annotations

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from executors.parent import die_with_parent
from pipeline.data.synthetic import synthesize
from pipeline.files import write_json
from pipeline.progress import StepProgress
from pipeline.settings import load
from pipeline.steps.errors import run_step


def main() -> None:
    """Write the records of the files; the files themselves are shared by all runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, type=Path)
    parser.add_argument("--workers", required=True, type=int)
    parser.add_argument("--output", required=True, type=Path)
    given = parser.parse_args()
    settings = load(given.settings)
    names = [s for process in settings.channel.processes.values() for s in process.samples]
    folder = Path.cwd().parent / "synthetic"  # steps run in the run directory, below the outputs
    progress = StepProgress(Path.cwd(), "synthesize")
    with ProcessPoolExecutor(
        given.workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=die_with_parent,
        initargs=(os.getpid(),),
    ) as pool:
        jobs = [pool.submit(synthesize, settings, name, folder) for name in names]
        for done, _ in enumerate(as_completed(jobs), start=1):
            progress(done, len(jobs))
        write_json(given.output, [job.result() for job in jobs])
    progress.close()


if __name__ == "__main__":
    run_step("synthesize", main)
