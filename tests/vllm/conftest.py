"""Fixtures of the tests with a real vLLM: its environment, models of our own making, servers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command import Ladon
from tests.vllm.server import Vllm, serving

REPOSITORY = Path(__file__).resolve().parents[2]
RANDOM, MEMO = "ladon/random", "ladon/memo"
TRAINING_WITHIN_S = 1800.0
"""The replies of all stages take two minutes on two idle cores, many times that on busy ones."""

Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def vllm_python() -> Path:
    """The Python of vLLM's environment."""
    folder = Path(os.environ.get("LADON_VLLM_VENV", REPOSITORY / ".venv-vllm"))
    if not (folder / ".ladon-vllm").exists():
        pytest.skip(f"vLLM's environment is not at '{folder}'; make it: tools/vllm.sh '{folder}'")
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def memo_program(vllm_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Runs a program of tools/memo with arguments; its cache is LADON_CACHE or for this session."""
    cache = os.environ.get("LADON_CACHE") or str(tmp_path_factory.mktemp("cache"))

    def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(vllm_python), str(REPOSITORY / "tools" / "memo" / program), *arguments],
            env={
                "PATH": os.environ["PATH"],
                "HF_HUB_OFFLINE": "1",
                "LADON_CACHE": cache,
                "OMP_WAIT_POLICY": "PASSIVE",  # two threads share cores with other tests
            },
            capture_output=True,
            text=True,
            timeout=TRAINING_WITHIN_S,
        )

    return run


@pytest.fixture(scope="session")
def random_model(memo_program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a Llama with random weights."""
    folder = tmp_path_factory.mktemp("models") / "random"
    texts = map(str, (REPOSITORY / "pipeline" / "stages").glob("*/task.md"))
    made = memo_program("random_llama.py", str(folder), "--texts", *texts)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="session")
def random_server(
    vllm_python: Path, random_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Vllm]:
    """vLLM serving random weights; not to be killed: others use it too."""
    with serving(vllm_python, random_model, RANDOM, tmp_path_factory.mktemp("random")) as server:
        yield server


@pytest.fixture(scope="session")
def memo_model(
    scripted_run: Ladon, memo_program: Program, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folder of a model that knows the scripted run's dialogues by heart."""
    folder = tmp_path_factory.mktemp("models") / "memo"
    return taught(memo_program, scripted_run, folder, "*")


def taught(program: Program, run: Ladon, folder: Path, stages: str) -> Path:
    """`folder`, with a model that knows the dialogues of these stages (a pattern) by heart."""
    points = run.folder / "outputs" / "small" / "points" / "main"
    dialogues = sorted(map(str, points.glob(f"{stages}/trajectory.jsonl")))
    learned = program("train.py", "--dialogues", *dialogues, "--output", str(folder))
    assert learned.returncode == 0, learned.stderr
    return folder
