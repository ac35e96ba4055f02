"""Counters of a server: read, added up over restarts, and turned into GPU-seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.serving.metrics import Reading, append, gpu_seconds, line, load, read
from executors.serving.power import PowerMeter

TEXT = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="owner/{odd} name"} 2.0
vllm:num_requests_running{engine="1",model_name="owner/{odd} name"} 1.0
vllm:num_requests_waiting{engine="0"} 4.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 4.0
vllm:request_success_total{engine="0",finished_reason="stop"} 10.0
vllm:request_success_total{engine="0",finished_reason="length"} 1.0
vllm:request_success_created{engine="0",finished_reason="stop"} 1.7e+09
vllm:prompt_tokens_total{engine="0"} 1.5e+03
vllm:generation_tokens_total{engine="0"} 700.0
vllm:prefix_cache_queries_total{engine="0"} 200.0
vllm:prefix_cache_hits_total{engine="0"} 50.0
python_gc_objects_collected_total{generation="0"} 5.0
"""


def test_read_sums_over_engines_and_reasons() -> None:
    assert read(TEXT) == Reading(3.0, 4.0, 11.0, 1500.0, 700.0, 200.0, 50.0)
    assert read("") == Reading()


def test_a_restart_begins_anew_and_nothing_is_counted_twice() -> None:
    before, after = Reading(requests=10, prompt_tokens=100), Reading(requests=2, prompt_tokens=150)
    added = after.since(before)
    assert (added.requests, added.prompt_tokens) == (2, 50)
    total = Reading(requests=10, prompt_tokens=100, running=3).plus(added)
    assert (total.requests, total.prompt_tokens, total.running) == (12, 150, 0)


def test_a_line_has_rates_and_the_share_of_hits(tmp_path: Path) -> None:
    total = read(TEXT)
    entry = line(100.0, 10.0, "READY", 4, ["a"], total, Reading(generation_tokens=50.0), 310.5)
    assert entry["generation_tokens_per_s"] == 5.0
    assert entry["prefix_hit_rate"] == 0.25
    assert (entry["running"], entry["waiting"], entry["power_w"]) == (3.0, 4.0, 310.5)
    silent = line(110.0, 10.0, "LOADING", 4, [], None, None, None)
    assert (silent["running"], silent["generation_tokens_per_s"]) == (None, None)
    path = tmp_path / "metrics.jsonl"
    append(path, entry)
    append(path, silent)
    with path.open("a") as file:
        file.write('{"time": 12')  # killed while it wrote
    assert load(path) == [entry, silent]
    assert load(tmp_path / "none") == []


def test_gpu_seconds_are_shared_by_those_who_hold_the_server() -> None:
    lines = [
        {"gpus": 4, "seconds": 10.0, "users": ["main/convert"]},
        {"gpus": 4, "seconds": 10.0, "users": ["main/convert", "other/fit"]},
        {"gpus": 4, "seconds": 5.0, "users": []},
    ]
    assert gpu_seconds(lines) == {"": 20.0, "main/convert": 60.0, "other/fit": 20.0}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 16), st.floats(0, 1000), st.lists(st.sampled_from("abc"), unique=True)
        ),
        max_size=20,
    )
)
def test_the_shares_add_up_to_what_the_server_cost(
    moments: list[tuple[int, float, list[str]]],
) -> None:
    lines = [{"gpus": g, "seconds": s, "users": u} for g, s, u in moments]
    cost = sum(g * s for g, s, _ in moments)
    assert sum(gpu_seconds(lines).values()) == pytest.approx(cost, abs=0.01)


def test_energy_is_power_times_time_where_nvidia_smi_tells_it(tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"  # a STAND-IN: two GPUs of 100 W and 150.5 W
    program.write_text('#!/bin/sh\n[ "$1" = --id=0,1 ] && printf "100.0\\n150.5\\n"\n')
    program.chmod(0o755)
    variables = {"PATH": str(tmp_path), "CUDA_VISIBLE_DEVICES": "0,1"}
    meter = PowerMeter.of(variables, gpus=2, nodes=1)
    assert (meter.watts(10.0), meter.watts(2.0)) == (250.5, 250.5)
    assert meter.energy_j == pytest.approx(3006.0)
    assert meter.note is None


def test_energy_is_null_and_said_where_nobody_tells_it(tmp_path: Path) -> None:
    meter = PowerMeter.of({"PATH": str(tmp_path)}, gpus=2, nodes=1)
    assert meter.watts(10.0) is None
    assert meter.energy_j is None
    assert meter.note == "energy is not known: nvidia-smi is not on this node"
    broken = tmp_path / "nvidia-smi"
    broken.write_text("#!/bin/sh\nexit 9\n")
    broken.chmod(0o755)
    meter = PowerMeter.of({"PATH": str(tmp_path)}, gpus=2, nodes=1)
    assert meter.watts(10.0) is None
    assert "nvidia-smi gave no power" in str(meter.note)
