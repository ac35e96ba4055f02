"""Specs of servers: what makes no sense is refused, and what is saved comes back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from executors.serving.errors import ServeSpecError
from executors.serving.spec import Launch, ServeSpec, SiteSpec, on_cpu, walltime_s
from tests.executors.serving.sites import LAUNCHES, ONE, TESTBED, TINY


@pytest.mark.parametrize("name", LAUNCHES)
def test_a_launch_comes_back(name: str, tmp_path: Path) -> None:
    path = tmp_path / "launch.json"
    LAUNCHES[name].save(path)
    assert Launch.load(path) == LAUNCHES[name]


def test_the_hash_is_of_what_is_served() -> None:
    assert replace(ONE, name="another").sha256 == ONE.sha256
    assert replace(ONE, revision="x").sha256 != ONE.sha256
    assert replace(ONE, args=("--max-num-seqs", "8")).sha256 != ONE.sha256
    assert replace(ONE, deterministic=True).sha256 != ONE.sha256


def test_a_server_from_before_there_were_deterministic_ones_has_its_hash(tmp_path: Path) -> None:
    plain = asdict(ONE)
    del plain["name"], plain["deterministic"]
    before = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
    assert ONE.sha256 == before
    path = tmp_path / "launch.json"
    LAUNCHES["one_gpu"].save(path)
    launch = json.loads(path.read_text())
    del launch["spec"]["deterministic"]
    path.write_text(json.dumps(launch))
    assert Launch.load(path) == LAUNCHES["one_gpu"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gpus": -1}, "gpus >= 0"),
        ({"nodes": 0}, "nodes >= 1"),
        ({"gpus": 3, "nodes": 2}, "3 GPUs for 2 nodes"),
        ({"gpus": 6, "tensor_parallel": 4}, "a multiple of tensor_parallel"),
        ({"gpus": 8, "args": ("--data-parallel-size=3",)}, "= 3, found 8"),
        ({"served_name": ""}, "expected served_name"),
        (
            {"deterministic": True, "args": ("--enable-prefix-caching",)},
            "expected no --enable-prefix-caching",
        ),
    ],
)
def test_nonsense_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ServeSpecError, match=message):
        replace(ONE, **changes)


@pytest.mark.parametrize(
    "changes",
    [{"ports": (80, 90)}, {"ports": (3000, 2000)}, {"restarts": -1}, {"poll_s": 0.0},
     {"time": "an hour"}, {"time": "01:00"}],
)  # fmt: skip
def test_a_site_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ServeSpecError, match=r"expected site\.serve"):
        SiteSpec(**changes)


def test_arguments_are_read_in_both_spellings() -> None:
    spec = ServeSpec("m", "m", "m", args=("--a", "1", "--b=2", "--c"))
    assert (spec.argument("--a"), spec.argument("--b"), spec.argument("--c")) == ("1", "2", None)
    assert spec.gives("--c")
    assert not spec.gives("--d")


def test_walltimes() -> None:
    assert walltime_s("00:00:10") == 10
    assert walltime_s("2-03:04:05") == 183_845


def test_processors_compute_where_there_is_no_gpu_or_the_site_says_so() -> None:
    assert on_cpu(TINY, SiteSpec())
    assert on_cpu(ONE, TESTBED)
    assert not on_cpu(ONE, SiteSpec())
