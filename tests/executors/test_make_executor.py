"""The door to the executors: names and numbers that make no sense are one sentence."""

import subprocess
import sys

import pytest

from executors import make_executor
from executors.base import ExecutorError


def test_a_typo_names_the_nearest() -> None:
    sentence = "unknown executor 'proceses'; did you mean 'processes'"
    with pytest.raises(ExecutorError, match=sentence):
        make_executor("proceses")


@pytest.mark.parametrize("numbers", [{"workers": 0}, {"memory_gb": 0.0}, {"retries": -1}])
def test_numbers_that_make_no_sense(numbers: dict) -> None:
    with pytest.raises(ExecutorError, match="expected at least 1 worker"):
        make_executor("processes", **numbers)


def test_a_scheduler_goes_with_dask() -> None:
    with pytest.raises(ExecutorError, match="goes with executor 'dask'"):
        make_executor("inline", scheduler="tcp://somewhere:8786")


def test_importing_the_room_is_cheap() -> None:
    heavy = "('coffea', 'dask', 'numpy')"
    code = f"import executors, sys; sys.exit(any(m in sys.modules for m in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
