"""What SLURM prints, read: the testbed's 22.05 word for word, and forms of newer versions."""

from __future__ import annotations

import pytest

from pipeline.doctor.slurm_answers import (
    Association,
    Node,
    associations,
    configuration,
    most_of,
    nodes,
    partitions,
    resources,
    seconds,
)
from tests.pipeline.doctor.conftest import golden


def test_configuration() -> None:
    found = configuration(golden("config"))
    assert found["SLURM_VERSION"] == "22.05.8"
    assert found["MinJobAge"] == "300 sec"
    assert found["AccountingStorageType"] == "accounting_storage/slurmdbd"
    assert found["AuthInfo"].endswith("cred_expire=15")  # a value with an equals sign of its own
    assert len(found) > 150


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("300 sec", 300),
        ("300", 300),
        ("2 min", 120),
        ("1h", 3600),
        ("2 hours", 7200),
        ("(null)", None),
        ("5 fortnights", None),
    ],
)
def test_seconds(text: str, expected: int | None) -> None:
    assert seconds(text) == expected


def test_partitions() -> None:
    found = partitions(golden("partition"))
    assert list(found) == ["cpu", "gpu"]
    cpu = found["cpu"]
    assert (cpu.state, cpu.default, cpu.longest) == ("UP", True, "1-00:00:00")
    assert not found["gpu"].default
    assert cpu.takes("anything")


def test_partitions_on_one_line_each_with_accounts() -> None:
    found = partitions(golden("partition", "23.11"))
    assert list(found) == ["batch", "a100"]
    assert found["batch"].takes("atlas")
    assert not found["batch"].takes("trial")  # SLURM compares without case
    assert found["a100"].takes("ATLAS")
    assert not found["a100"].takes("guests")
    assert (found["a100"].state, found["a100"].longest) == ("DRAIN", "2-00:00:00")


def test_nodes() -> None:
    found = nodes(golden("nodes"))
    assert [node.name for node in found] == ["cpu1", "cpu2", "gpu1", "gpu2"]
    assert found[0] == Node("cpu1", "cpu", "idle", "(null)", 4, 6000)
    assert most_of("gpu", found) == most_of("gpu:fake", found) == 2
    assert most_of("gpu", found[:2]) == most_of("gpu:a100", found) == 0


@pytest.mark.parametrize("state", ["idle", "mixed", "mixed-", "allocated", "idle~", "completing"])
def test_nodes_that_take_jobs(state: str) -> None:
    assert Node("n", "p", state, "", 1, 1).serves


@pytest.mark.parametrize(
    "state", ["down", "idle*", "drained", "draining", "inval", "fail", "maint"]
)
def test_nodes_that_take_none(state: str) -> None:
    assert not Node("n", "p", state, "", 1, 1).serves


@pytest.mark.parametrize(
    ("gres", "expected"),
    [
        ("(null)", {}),
        ("", {}),
        ("gpu:fake:2", {"gpu": 2, "gpu:fake": 2}),
        ("gpu:4", {"gpu": 4}),
        ("gpu", {"gpu": 1}),
        ("gpu:a100:4(S:0-1),nvme:1", {"gpu": 4, "gpu:a100": 4, "nvme": 1}),
        ("gpu:a100:2(S:0),gpu:h100:2(S:1)", {"gpu": 4, "gpu:a100": 2, "gpu:h100": 2}),
        ("gpu:a100", {"gpu": 1, "gpu:a100": 1}),
    ],
)
def test_generic_resources(gres: str, expected: dict[str, int]) -> None:
    assert resources(gres) == expected


def test_associations() -> None:
    assert associations(golden("associations")) == [Association("ladon", "", ("normal",))]
    assert associations("atlas|gpu|normal,debug\n") == [
        Association("atlas", "gpu", ("normal", "debug"))
    ]
