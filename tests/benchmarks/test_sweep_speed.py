"""What a sweep costs besides its models: planning, slots that wait, time between two calls."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.fixed_endpoint import NAME, calls_due, fixed_endpoint
from tests.command import Ladon

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

PLAN = """
import sys, time
from pathlib import Path
from executors.spent import max_rss_mb
began = time.monotonic()
import itertools
from pipeline.launcher import points_of_sweep
from pipeline.freeze import freeze_sweep
models = ("solves", "mev", "refuses", "wrong_branch", "syntax_error", "dummy_data")
stages = ("inspect", "convert", "preprocess", "classify", "categorize", "measure")
batch = [
    ["run.name=plan", "chain=isolated", f"model.script={m}", f"stages=[{s}]", f"trial={t}"]
    for m, s, t in itertools.product(models, stages, range(20))
]
layout = freeze_sweep(points_of_sweep(batch), Path(sys.argv[1]) / "plan")
assert len(batch) == 720 and len(layout.points) == 120
print(time.monotonic() - began, max_rss_mb())
"""


def test_720_cells_are_planned(tmp_path: Path) -> None:
    """6 models × 6 stages × 20 trials: composed and frozen, then Snakemake's graph of them."""
    done = subprocess.run(
        [sys.executable, "-c", PLAN, str(tmp_path)], capture_output=True, text=True, check=True
    )
    frozen_s, memory_mb = (float(word) for word in done.stdout.split())
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    from pipeline.configure import configure
    from pipeline.graph import child_environment, snakemake_command
    from pipeline.profile import write_profile

    folder, settings = tmp_path / "plan", configure(["run.name=plan"])
    profile = write_profile(settings, folder)
    dry = subprocess.run(
        [*snakemake_command(folder, profile, {}), "--dry-run"],
        env=child_environment(settings, folder), capture_output=True, text=True,
    )  # fmt: skip
    assert dry.returncode == 0, dry.stdout + dry.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    graph_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"\n720 cells of 120 points: frozen in {frozen_s:.1f} s with {memory_mb:.0f} MB; "
        f"Snakemake's graph in {graph_s:.1f} s of processor time, all children at most "
        f"{after.ru_maxrss / 1024:.0f} MB"
    )
    assert frozen_s + graph_s < 60
    assert max(memory_mb, after.ru_maxrss / 1024) < 1000


def test_slots_of_an_endpoint_are_busy(tmp_path: Path) -> None:
    """Dialogues against one endpoint that answers after a fixed time (a STAND-IN).

    What a call costs besides is seen where nobody waits for a slot or for a processor: in one
    dialogue at a time.
    """
    slots, warm, alone, trials = 8, range(1000, 1001), range(500, 503), range(64)
    due = calls_due("inspect", (*trials, *alone, *warm))
    with fixed_endpoint(3.0, due) as fixed:
        sweep = ("sweep", "run.name=busy", "chain=isolated", "stages=[inspect]",
                 "data.luminosity=0.05", "model=endpoint", f"model.repository={NAME}",
                 f"model.base_url={fixed.url}", f"model.concurrency={slots}")  # fmt: skip
        ladon = Ladon(tmp_path)

        def swept(points: range) -> dict[int, int]:
            fixed.spans.clear()
            ladon(*sweep, f"trial=range({points.start},{points.stop})")
            return fixed.calls()

        # What a start needs once (data, reference) is made before anything is measured, and the
        # one module that all dialogues write is tried.
        ((_, each),) = swept(warm).items()
        gaps = []
        for trial in alone:
            assert swept(range(trial, trial + 1)) == {trial: each}
            gaps += fixed.gaps()
        others = os.getloadavg()[0]
        assert swept(trials) == dict.fromkeys(trials, each)
        busy = fixed.busy(slots)
    assert each == 3
    print(
        f"\n{len(trials)} dialogues of {each} calls, {slots} slots, 3 s per answer: slots busy "
        f"{busy:.3f} of the time; {len(alone)} one by one: from an answer to the next call: median "
        f"{1e3 * statistics.median(gaps):.1f} ms, at most {1e3 * max(gaps):.0f} ms; load of the "
        f"machine before: {others:.1f} processes"
    )
    assert busy >= 0.9
    assert statistics.median(gaps) < 0.020
