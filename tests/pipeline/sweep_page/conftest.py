"""Sweeps that several tests look at, and the browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.sweep_page import make_sweep_page
from tests.pipeline.evaluation.made import MISSING, PASSED, MadePoint, grid, write_sweep
from tests.pipeline.sweep_page.browser import Page, browser
from tests.pipeline.sweep_page.folders import write_large
from tests.pipeline.sweep_page.looking import chromium

HOSTILE = (
    "def solve(events):\n"
    "    # </script><script>window.stolen = 1</script>\n"
    "    note = '<img src=http://example.org/x onerror=\"window.stolen = 2\">'\n"
    "    other = '\u2028window.stolen = 3\u2029 &lt;b&gt; <!-- ]]> {{ 7 * 7 }}'\n"
    "    return events\n"
)
"""A module that would do harm wherever it is read as anything but text."""
POINTS = grid(
    {"alpha": {"convert": 8, "classify": 5}, "beta": {"convert": 3, "classify": 9}}, trials=10
)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished sweep of two models with known numbers, in a folder whose name needs quoting."""
    run = tmp_path_factory.mktemp("a sweep #1 of 100 %") / "small"
    make_sweep_page(write_sweep(run, POINTS))
    return run


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep in which everything that a model can write is hostile; one trial is not done."""
    bad = replace(PASSED, code=HOSTILE, rounds=2, output="</script><script>window.stolen = 4")
    worse = replace(bad, outcome="failed", frozen=True)
    run = tmp_path_factory.mktemp("hostile") / "run"
    stages = {"convert": bad, "classify": worse, "categorize": MISSING}
    make_sweep_page(write_sweep(run, [MadePoint("gamma", 0, stages)]))
    return run


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight points with five stages each, with long dialogues and tables of events."""
    run = write_large(tmp_path_factory.mktemp("filled") / "run", models=2, settings=2, trials=2)
    make_sweep_page(run)
    return run


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of a headless Chromium."""
    with browser(chromium(), tmp_path_factory.mktemp("chromium")) as opened:
        yield opened
