"""A real vLLM as a job on a (fake) GPU node, asked by agents on other nodes.

The model is one of two million parameters that learned the scripted dialogues by heart: a real
model behind a real server, which understands nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.trajectory import read_entries
from executors.serving.pool import Pool
from executors.serving.record import Endpoint
from executors.serving.scheduler import Slurm
from pipeline.files import read_json
from tests.command import SMALL_DATA
from tests.slurm.conftest import run
from tests.slurm.launching import Launched, Launcher
from tests.vllm.conftest import memo_model, memo_program, vllm_python

pytestmark = [
    pytest.mark.slurm, pytest.mark.vllm, pytest.mark.timeout(3600),
    pytest.mark.slow,  # ten minutes; that a served model runs as a job is in test_sweep every time
]  # fmt: skip

__all__ = ["memo_model", "memo_program", "vllm_python"]  # fixtures

SERVED = ("model=memo", "solver=agent", *SMALL_DATA, "model.serve.gpus=1")
SHORT = "stages=[inspect,convert]"
"""What most of the tests need; one runs all six stages."""


@pytest.fixture(scope="module")
def served(launcher: Launcher, memo_model: Path) -> Launched:
    """The run, finished."""
    launched = launcher("memo", *SERVED, SHORT, f"model.serve.weights='{memo_model}'")
    launched.succeeded(1800)
    return launched


def endpoints(launched: Launched) -> list[Endpoint]:
    pool = Pool(launched.folder.parent / "servers", Slurm())
    return [endpoint for _, endpoint in pool.servers()]


def replies(launched: Launched) -> list[dict[str, Any]]:
    paths = launched.folder.glob("points/main/*/trajectory.jsonl")
    return [dict(e.content) for path in paths for e in read_entries(path) if e.kind == "reply"]


def passed(launched: Launched) -> list[str]:
    stages = launched.results()["stages"]
    return sorted(name for name, stage in stages.items() if stage["outcome"] == "passed")


def test_the_stages_pass(served: Launched) -> None:
    assert passed(served) == ["convert", "inspect"]


def test_all_stages_pass(launcher: Launcher, memo_model: Path) -> None:
    launched = launcher("whole", *SERVED, f"model.serve.weights='{memo_model}'")
    launched.succeeded(1800)
    assert passed(launched) == [
        "categorize", "classify", "convert", "inspect", "measure", "preprocess",
    ]  # fmt: skip


def test_the_server_is_a_job_on_a_gpu_node(served: Launched) -> None:
    (endpoint,) = endpoints(served)
    assert endpoint.node in ("gpu1", "gpu2")
    assert str(endpoint.base_url).startswith("http://10.213.77.1")
    job = f"--jobs={endpoint.job}"
    told = run("sacct", "--noheader", "--parsable2", "--allocations", job, "--format=AllocTRES")
    assert "gres/gpu=1" in told


def test_every_call_goes_over_the_nodes_network(served: Launched) -> None:
    """The agents are on other nodes than the server, and know it by its record alone."""
    (endpoint,) = endpoints(served)
    answers = replies(served)
    assert len(answers) == 8  # three for inspect, five for convert in its two rounds
    assert {answer["endpoint"] for answer in answers} == {endpoint.base_url}
    assert served.nodes() <= {"cpu1", "cpu2"}
    key = Path(endpoint.api_key_file).read_text()
    assert Path(endpoint.api_key_file).stat().st_mode & 0o777 == 0o600
    texts = [
        p for p in served.folder.rglob("*") if p.suffix in (".json", ".jsonl", ".log", ".html")
    ]
    assert [p for p in texts if key in p.read_text(errors="replace")] == []


def test_the_server_stops_by_itself(served: Launched) -> None:
    (endpoint,) = endpoints(served)
    assert (endpoint.status, endpoint.reason) == ("STOPPED", "all its stages are solved")
    served.left_nothing()
    assert str(endpoint.job) not in run("squeue", "--noheader", "--me", "--format=%i").split()


def test_gpu_seconds_are_told_by_stage(served: Launched) -> None:
    (endpoint,) = endpoints(served)
    used = read_json(served.folder / "servers.json")
    own = {key: value for key, value in used["gpu_seconds"].items() if key}
    assert set(own) <= {f"main/{stage}" for stage in served.results()["stages"]}
    assert own["main/convert"] > 0
    lived = (endpoint.ended or 0) - (endpoint.started or 0)
    assert sum(used["gpu_seconds"].values()) == pytest.approx(lived, abs=10)
    (server,) = used["servers"]
    assert server["generation_tokens"] > 300
    assert "Time of GPUs by stage" in (served.folder / "report.html").read_text()


def test_scancel_of_the_server(launcher: Launcher, memo_model: Path, served: Launched) -> None:
    """Another one is started, what was answered is not asked again, every stage passes."""
    launched = launcher("cancelled", *SERVED, SHORT, f"model.serve.weights='{memo_model}'")
    dialogues = launched.folder / "dialogues" / "points" / "main"
    launched.until(
        lambda: (dialogues / "convert.jsonl").exists()
        and '"kind": "reply"' in (dialogues / "convert.jsonl").read_text(),
        "an answer for convert", 600,
    )  # fmt: skip
    mine = [e for e in endpoints(launched) if e.owner == "cancelled"]
    run("scancel", str(mine[0].job))
    launched.succeeded(1800)
    mine = [e for e in endpoints(launched) if e.owner == "cancelled"]
    assert len(mine) == 2
    assert {e.status for e in mine} == {"STOPPED"}
    assert len(replies(launched)) == len(replies(served))
    assert passed(launched) == ["convert", "inspect"]
    launched.left_nothing()
