"""Dask workers that somebody else has started."""

from pathlib import Path

from distributed import Client, LocalCluster

from executors import make_executor
from executors.base import Ok
from tests.executors.conftest import chunks_of
from tests.executors.tasks import Sums


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
