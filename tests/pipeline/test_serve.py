"""`ladon serve` and the model that finds its own server, around a stand-in for vLLM."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from rich.console import Console

from agents.chat import Message
from executors.serving.pool import Pool
from executors.serving.record import Endpoint
from pipeline.configure import configure
from pipeline.determinism.counting import Count
from pipeline.determinism.record import ALONE, CROWDED, FILE, Record
from pipeline.models import model_of
from pipeline.serve import (
    launch_of,
    pool_of,
    serve,
    serve_spec,
    site_spec,
    usage_of,
)
from pipeline.served_model import ServedModel
from pipeline.settings import Settings, SettingsError

STAND_IN = Path(__file__).parents[1] / "executors" / "serving" / "stand_in.py"
OVERRIDES = ["model=qwen2_5_coder_7b", "model.base_url=http://127.0.0.1:9/v1", "run.name=mine"]
QUESTION = [Message("user", "what is it?")]


@pytest.fixture
def outputs(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder of the runs; vLLM's environment holds a stand-in, and no server is left in the end."""
    program = in_tmp / "venv" / "bin" / "vllm"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("LADON_VLLM_VENV", str(in_tmp / "venv"))
    yield in_tmp / "outputs"
    pool_of(settings()).stop_all(None, "the test is over")


def settings(*more: str) -> Settings:
    return configure([*OVERRIDES, "model.max_retries=0", *more])


def told(*arguments: str) -> str:
    console = Console(width=200, record=True, quiet=False, file=open(os.devnull, "w"))  # noqa: SIM115
    with console.file:
        assert serve([*OVERRIDES, *arguments], console) == 0
    return console.export_text()


def wait_until_refused(base_url: str) -> None:
    """Come back when nobody listens at the address any more."""
    address = urlsplit(base_url)
    deadline = time.monotonic() + 20.0
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((str(address.hostname), int(address.port or 0))):
                return
        time.sleep(0.05)
    raise AssertionError(f"{base_url} is still served")


def test_the_verb_starts_lists_and_stops(outputs: Path) -> None:
    said = told()
    assert "Qwen/Qwen2.5-Coder-7B-Instruct is ready at http://127.0.0.1:" in said
    assert "model.api_key_file=" in said
    listed = told("--list")
    assert "READY" in listed
    assert "qwen2_5_coder_7b" in listed
    assert told().count("waiting") == 0  # the same server again
    assert "STOPPED" in told("--stop")
    assert told("--stop") == ""
    assert "was stopped by `ladon serve --stop`" in told("--list").replace("\n", " ")


def test_the_verb_measures_and_keeps_the_record(outputs: Path) -> None:
    said = told("model.deterministic=true", "--check-determinism")
    assert "deterministic=true" in said
    assert "alone, in a crowd" in said
    assert "in a crowd of 16" in said.replace("\n", " ")
    ((folder, _),) = pool_of(settings()).servers()
    record = Record.load(folder.path / FILE)
    assert record.deterministic
    assert record.spec_sha256 == serve_spec(settings("model.deterministic=true")).sha256
    assert (record.server_version, record.device, record.tokens) == ("stand-in", "gpu", 60)
    assert [(c.rounds, c.temperature) for c in record.compared] == [
        (ALONE, 0.0), (ALONE, 0.7), (CROWDED, 0.0), (CROWDED, 0.7),
    ]  # fmt: skip
    assert {c.count for c in record.compared} == {Count(10, 10, None)}
    assert record.hardware["cores"] >= 1
    assert not record.disturbed
    assert str(folder.path / FILE) in said.replace("\n", "")


def test_a_deterministic_and_a_normal_server_are_two(outputs: Path) -> None:
    told()
    told("model.deterministic=true")
    normal, asked = (serve_spec(settings(*o)) for o in ((), ("model.deterministic=true",)))
    hashes = [endpoint.spec_sha256 for _, endpoint in pool_of(settings()).servers()]
    assert sorted(hashes) == sorted([normal.sha256, asked.sha256])


def test_what_was_measured_goes_to_the_runs_that_use_such_a_server(outputs: Path) -> None:
    told("--check-determinism")
    pool = pool_of(settings())
    model = ServedModel(settings(), pool, "main/convert", time.time())
    model.complete(QUESTION, seed=1)
    ((folder, _),) = pool.servers()
    deadline = time.monotonic() + 30
    while not (used := usage_of(pool, "mine"))["servers"] and time.monotonic() < deadline:
        time.sleep(0.2)
    model.close()
    (server,) = used["servers"]
    assert server["determinism"]["server"] == folder.name
    assert "deterministic=false, vLLM stand-in" in server["determinism"]["sentence"]


def test_unknown_options_and_models_without_weights_are_refused(outputs: Path) -> None:
    with pytest.raises(SettingsError, match="unknown option '--stopp' of serve"):
        told("--stopp")
    with pytest.raises(SettingsError, match="nothing that could be served"):
        serve_spec(configure(["model=scripted"]))


def test_the_spec_is_the_model_s(outputs: Path) -> None:
    spec = serve_spec(settings())
    assert spec.served_name == spec.repository == "Qwen/Qwen2.5-Coder-7B-Instruct"
    assert (spec.gpus, spec.tensor_parallel, spec.context) == (1, 1, 32768)
    assert spec.revision == "c03e6d358207e414f1eca0bb1891e29f1db0e242"
    assert site_spec(settings()).venv == str(outputs.parent / "venv")
    assert pool_of(settings()).path == outputs / "servers"
    assert pool_of(settings(), Path("elsewhere")).path == outputs.parent / "elsewhere" / "servers"


def test_a_model_survives_the_death_of_its_server(outputs: Path) -> None:
    chosen = settings()
    since = time.time()
    said: list[str] = []
    pool = pool_of(chosen)
    model = ServedModel(chosen, pool, "main/convert", since, said.append)
    assert model.identity == model_of(chosen, "inspect").identity
    reply = model.complete(QUESTION, seed=1)
    assert (reply.text, reply.usage.completion, reply.server_version) == (".", 3, "stand-in")
    ((folder, endpoint),) = pool.servers()
    assert endpoint.owner == "mine"
    assert reply.endpoint == endpoint.base_url
    os.kill(int(str(endpoint.job).rpartition("-")[2]), signal.SIGKILL)
    wait_until_refused(str(endpoint.base_url))
    again = model.complete(QUESTION, seed=2)
    assert again.text == "."
    assert again.endpoint != reply.endpoint
    assert Endpoint.load(folder.record).status == "FAILED"
    assert any("looking for another" in text for text in said)
    model.close()
    (ended,) = pool.stop_all("mine", "the run is over")
    assert (ended.status, ended.reason) == ("STOPPED", "the run is over")


def test_what_a_run_used_is_told_by_stage(outputs: Path) -> None:
    chosen = settings()
    launch = launch_of(chosen, "mine")
    pool = pool_of(chosen)
    quick = replace(launch, site=replace(launch.site, poll_s=0.2))
    model = ServedModel(chosen, pool, "main/convert", time.time())
    model.launch = quick
    model.complete(QUESTION, seed=1)
    time.sleep(1.0)
    model.close()
    pool.stop_all("mine", "the run is over")
    used = usage_of(Pool(pool.path, pool.scheduler), "mine")
    assert 0.5 < used["gpu_seconds"]["main/convert"] < 60
    (server,) = used["servers"]
    assert (server["requests"], server["generation_tokens"], server["gpus"]) == (1.0, 3.0, 1)
    assert server["energy_j"] is None
    assert server["gpu_seconds"]["main/convert"] == used["gpu_seconds"]["main/convert"]
    assert server["gpu_seconds_all"] >= sum(server["gpu_seconds"].values()) - 0.01
    assert usage_of(pool, "another")["servers"] == []
