"""Dask workers that somebody else has started, and one that takes its time to start again."""

from pathlib import Path

import dask
import pytest
from distributed import Client, LocalCluster

from executors import make_executor
from executors.base import Ok
from tests.executors.conftest import chunks_of
from tests.executors.tasks import Failing, Sums


def test_a_scheduler_that_is_told_is_used_and_left_alone(root_file: Path) -> None:
    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0", scheduler_kwargs={"dashboard": False},
    ) as cluster:  # fmt: skip
        address = cluster.scheduler_address
        with make_executor("dask", scheduler=address) as executor:
            results = executor.map(chunks_of(root_file, 0, 500, 1000), Sums())
        assert sum(r.value["numbers"] for r in results if isinstance(r, Ok)) == 499_500
        with Client(address) as client:
            assert len(client.scheduler_info()["workers"]) == 1


@pytest.mark.timeout(120)
def test_a_worker_that_starts_slowly_after_its_death_is_not_given_up(
    root_file: Path, tmp_path: Path
) -> None:
    """Dask gives up a worker that is away 15 s after a death, and with it the last one we have."""
    chunks = chunks_of(root_file, 0, 500, 1000)
    died = tmp_path / chunks[1].id
    slow = f"import os, time\nif os.path.exists({str(died)!r}): time.sleep(17)\n"
    with (
        dask.config.set({"distributed.worker.preload": [slow]}),
        make_executor("dask", workers=1, memory_gb=1.0, retries=2) as executor,
    ):
        results = executor.map(chunks, Failing("die_once", chunks[1].id, tmp_path))
    assert [type(r) for r in results] == [Ok, Ok]
