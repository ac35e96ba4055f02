"""The serve image: vLLM in it is started, found, asked and stopped as at a site that names it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from agents.chat import Message
from agents.model import EndpointModel
from agents.spec import ModelSpec
from executors.container import image_record
from executors.serving.client import acquire
from executors.serving.pool import Pool
from executors.serving.scheduler import Here
from executors.serving.spec import Launch, ServeSpec, SiteSpec
from tests.images import REPOSITORY, image
from tests.vllm.conftest import RANDOM

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.apptainer,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
]


@pytest.fixture(scope="session")
def serve_image() -> Path:
    """The build of it for processors, which `make testbed` leaves out: it takes 4 GB."""
    path = image("serve")
    assert image_record(path, "serve").megabytes > 1000
    return path


def test_a_completion_from_the_image(serve_image: Path, random_model: Path, tmp_path: Path) -> None:
    site = SiteSpec(
        device="cpu",
        image=str(serve_image),
        # A root that lacks a capability cannot start a container without.
        container_options=("--userns",) if os.geteuid() == 0 else (),
        load_minutes=10.0,
        restarts=0,
        environment={"HOME": str(tmp_path)},
    )
    spec = ServeSpec(RANDOM, str(random_model), RANDOM, gpus=0)
    launch = Launch(spec, site, sys.executable, str(REPOSITORY))
    pool = Pool(tmp_path / "servers", Here())
    begun = time.time()
    try:
        with acquire(pool, launch, "test", begun) as held:
            words = f"apptainer exec {' '.join(site.container_options)}".rstrip()
            assert f"{words} {serve_image} python" in held.folder.log(1).read_text()
            asked = ModelSpec(
                name=RANDOM,
                base_url=held.base_url,
                api_key_file=held.api_key_file,
                timeout_s=120.0,
                max_tokens=8,
            )
            with EndpointModel(asked) as model:
                reply = model.complete([Message("user", "The mass of two photons?")], seed=1)
        assert (reply.finish_reason, reply.usage.completion) == ("length", 8)
        assert reply.text
    finally:
        ended = pool.stop_all(None, "the test is over")
    assert [endpoint.status for endpoint in ended] == ["STOPPED"]
