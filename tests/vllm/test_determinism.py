"""The same requests alone and in a crowd, at a real vLLM on processors: what is identical.

A model wide enough that the size of a batch changes how sums round (docs/determinism.md).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.configure import configure
from pipeline.determinism.counting import Count
from pipeline.determinism.record import ALONE, CROWDED, FILE, Record
from pipeline.serve import pool_of, serve
from tests.vllm.conftest import REPOSITORY, Program

pytestmark = [pytest.mark.vllm, pytest.mark.slow, pytest.mark.timeout(3600)]

ALL = Count(requests=20, texts=20, logprobs=20)
Measure = Callable[[bool], Record]


@pytest.fixture(scope="module")
def wide_model(memo_program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a Llama with random weights, one layer of width 1024."""
    folder = tmp_path_factory.mktemp("models") / "wide"
    texts = map(str, (REPOSITORY / "pipeline" / "stages").glob("*/task.md"))
    shape = ("--layers", "1", "--width", "1024", "--feed-forward", "4096")
    made = memo_program("random_llama.py", str(folder), *shape, "--texts", *texts)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture
def measure(
    vllm_python: Path, wide_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Measure:
    """Starts a server as `ladon serve --check-determinism` does, and stops it; its record."""
    monkeypatch.setenv("LADON_VLLM_VENV", str(vllm_python.parents[1]))

    def run(deterministic: bool) -> Record:
        overrides = [
            "model=random", f"model.serve.weights='{wide_model}'", "site.serve.device=cpu",
            "site.serve.poll_s=1.0", f"+site.serve.environment.HOME='{tmp_path}'",
            "model.max_tokens=32", f"model.deterministic={str(deterministic).lower()}",
            f"run.outputs='{tmp_path}'", "run.name=measured",
        ]  # fmt: skip
        pool = pool_of(configure(overrides))
        before = {folder.name for folder, _ in pool.servers()}
        try:
            assert serve([*overrides, "--check-determinism"], Console()) == 0
        finally:
            pool.stop_all(None, "it was measured")
        (folder,) = [folder for folder, _ in pool.servers() if folder.name not in before]
        return Record.load(folder.path / FILE)

    return run


def test_alone_and_in_a_crowd(measure: Measure) -> None:
    """What is guaranteed is asserted; what a normal server did is printed, and kept."""
    normal, asked, again = (measure(deterministic) for deterministic in (False, True, True))
    print(f"normal: alone twice {normal.total(ALONE)}; crowd {normal.total(CROWDED)}")
    for record in (normal, asked, again):
        assert (record.device, record.server_version) == ("cpu", "0.32.0")
        assert record.total(ALONE).requests == record.total(CROWDED).requests == 20
        assert {compared.temperature for compared in record.compared} == {0.0, 0.8}
    assert normal.running is not None
    assert normal.running > 1  # there was a crowd
    for record in (asked, again):
        assert record.deterministic
        assert record.running == 1
        assert record.total(ALONE) == ALL
        assert record.total(CROWDED) == ALL
    assert again.alone_sha256 == asked.alone_sha256  # two starts of the server
    assert normal.spec_sha256 != asked.spec_sha256
