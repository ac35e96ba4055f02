"""A synthetic period of data and a simulated sample, and settings that fit to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from executors import make_executor
from executors.base import ChunkExecutor
from pipeline.configure import configure
from pipeline.data.schema import door
from pipeline.data.synthetic import generate_file
from pipeline.settings import Settings
from pipeline.stages.convert.contract import CONTRACT, reference_path
from pipeline.stages.solution import load_solution
from tests.pipeline.stages.convert.files import rewrite

DATA, MC = "data15_periodD", "346525"


@pytest.fixture(scope="session")
def settings() -> Settings:
    """H→γγ of release 2025 on synthetic data."""
    return configure([])


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> dict[str, list[Path]]:
    """About 650 events of data in two files, and 150 of ttH: sample name -> files."""
    folder = tmp_path_factory.mktemp("synthetic files")
    data = replace(settings.data, luminosity=10.0)
    whole = folder / "whole.root"
    n = int(generate_file("hyy", DATA, data, whole)["entries"])
    generate_file("hyy", MC, data, folder / "tth.root")
    solution = load_solution(reference_path(settings), CONTRACT.defines)
    read = door(settings.data.release).physical(solution.BRANCHES)

    def part(source: Path, name: str, order: range) -> Path:
        return rewrite(source, folder / name, order, only=read)

    return {
        DATA: [
            part(whole, "first.root", range(n // 3)),
            part(whole, "second.root", range(n // 3, n)),
        ],
        MC: [part(folder / "tth.root", "short.root", range(150))],
    }


@pytest.fixture(scope="session")
def started() -> Iterator[dict[str, ChunkExecutor]]:
    """Executors of every kind, by kind and number of workers."""
    executors = {
        "inline": make_executor("inline"),
        "processes:1": make_executor("processes", 1),
        "processes:2": make_executor("processes", 2, retries=1),
        "dask": make_executor("dask", 2),
    }
    yield executors
    for executor in executors.values():
        executor.__exit__(None, None, None)
