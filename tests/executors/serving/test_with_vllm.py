"""The real vLLM on processors, kept by the real keeper: ready, one answer, counters, the end."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from executors.serving.client import acquire
from executors.serving.pool import Pool
from executors.serving.record import Endpoint
from executors.serving.scheduler import Here
from executors.serving.spec import Launch, ServeSpec, SiteSpec
from tests.executors.serving.conftest import REPOSITORY, Ask
from tests.vllm.conftest import memo_program, random_model, vllm_python  # noqa: F401

pytestmark = pytest.mark.vllm


def test_a_random_model_is_served(
    vllm_python: Path,  # noqa: F811
    random_model: Path,  # noqa: F811
    tmp_path: Path,
    ask: Ask,
) -> None:
    spec = ServeSpec(
        "random", str(random_model), "owner/model", gpus=0, context=4096,
        args=("--max-num-seqs", "4"),
    )  # fmt: skip
    site = SiteSpec(
        device="cpu",
        venv=str(vllm_python.parents[1]),
        scratch=str(tmp_path / "local disk"),
        poll_s=1.0,
        load_minutes=10.0,
        restarts=0,
        environment={"HOME": str(tmp_path)},
    )
    pool = Pool(tmp_path / "servers", Here())
    launch = Launch(spec, site, sys.executable, str(REPOSITORY), owner="run")
    try:
        with acquire(pool, launch, "run/main/convert", time.time()) as held:
            key = held.folder.key_file.read_text()
            status, text = ask(held.endpoint, "/v1/chat/completions", "Which photons?")
            assert status == 200, text
            generated = json.loads(text)["usage"]["completion_tokens"]
            stranger = replace(held.endpoint, api_key_file=str(held.folder.ray_token))
            status, _ = ask(stranger, "/v1/models")
            assert status == 401
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                told = Endpoint.load(held.folder.record).metrics or {}
                if told.get("requests") == 1.0:
                    break
                time.sleep(0.2)
            assert told["requests"] == 1.0
            assert told["generation_tokens"] == generated
            assert told["users"] == ["run/main/convert"]
            assert (tmp_path / "local disk").is_dir()
    finally:
        ended = pool.stop_all("run", "the test is over")
    assert [e.status for e in ended] == ["STOPPED"]
    assert list((tmp_path / "local disk").iterdir()) == []
    logs = "".join(path.read_text() for path in held.folder.logs.iterdir())
    assert key not in logs
    assert "weights copied to this node's disk" in logs
