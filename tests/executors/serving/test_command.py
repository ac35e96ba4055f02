"""Command lines of vLLM: every shape of server, and every model of the catalogue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from executors.serving.command import (
    Place,
    environment,
    farewell,
    node_command,
    server_command,
    step_command,
    without_secrets,
)
from executors.serving.folder import ServerFolder
from executors.serving.spec import Launch, ServeSpec, SiteSpec
from tests.executors.serving.sites import (
    DENSE,
    FOUR,
    IMAGE,
    LAUNCHES,
    ONE,
    SITE,
    SIXTEEN,
    TESTBED,
    TINY,
)

PLACE = Place("10.1.2.3", 23456, 34567)
CATALOGUE = [
    model
    for path in sorted((Path(__file__).parents[3] / "conf" / "model").glob("*.yaml"))
    if (model := yaml.safe_load(path.read_text(encoding="utf-8")))["provider"] == "endpoint"
    and model["repository"] not in (None, "???")
]


def value(command: list[str], option: str) -> str:
    assert command.count(option) == 1, command
    return command[command.index(option) + 1]


def test_one_gpu() -> None:
    assert node_command(ONE, SITE, ONE.repository, PLACE) == [
        "/sw/ladon/.venv-vllm/bin/vllm", "serve", "openai/gpt-oss-20b",
        "--served-model-name", "openai/gpt-oss-20b",
        "--revision", "6cee5e81",
        "--host", "10.1.2.3", "--port", "23456", "--disable-uvicorn-access-log",
        "--max-model-len", "131072",
        "--tensor-parallel-size", "1",
        "--reasoning-parser", "openai_gptoss",
    ]  # fmt: skip


def test_a_folder_has_no_revision() -> None:
    assert "--revision" not in node_command(ONE, SITE, "/local/77/gpt-oss-20b", PLACE)


def test_four_gpus_of_a_node() -> None:
    command = node_command(FOUR, SITE, FOUR.repository, PLACE)
    assert value(command, "--tensor-parallel-size") == "4"
    assert value(command, "--max-model-len") == "131072"
    assert "--pipeline-parallel-size" not in command
    assert command[-2:] == ["--enable-expert-parallel", "--trust-remote-code"]


def test_data_parallel_shares_the_gpus_with_tensor_parallel() -> None:
    args = ("--data-parallel-size", "8", "--enable-expert-parallel")
    spec = ServeSpec("qwen3_coder_480b", "q", "q", gpus=8, tensor_parallel=1, args=args)
    command = node_command(spec, SITE, "q", PLACE)
    assert value(command, "--tensor-parallel-size") == "1"
    assert value(command, "--data-parallel-size") == "8"
    assert "--pipeline-parallel-size" not in command


def test_two_nodes_with_ray_run_the_same_on_both() -> None:
    room = Path("/local/ray-77")
    command = node_command(SIXTEEN, SITE, SIXTEEN.repository, PLACE, rank=0, room=room)
    assert command == node_command(SIXTEEN, SITE, SIXTEEN.repository, PLACE, rank=1, room=room)
    assert command[: command.index("--") + 1] == [
        "/sw/ladon/.venv-vllm/bin/ray", "symmetric-run", "--address", "10.1.2.3:34567",
        "--min-nodes", "2", "--num-cpus", "64", "--num-gpus", "8",
        "--object-store-memory", "1073741824", "--temp-dir", "/local/ray-77/ray",
        "--disable-usage-stats", "--",
    ]  # fmt: skip
    assert value(command, "--tensor-parallel-size") == "8"
    assert value(command, "--pipeline-parallel-size") == "2"
    assert value(command, "--distributed-executor-backend") == "ray"
    assert "--nnodes" not in command


def test_two_nodes_without_ray_differ_by_rank() -> None:
    first, second = (node_command(SIXTEEN, IMAGE, "w", PLACE, rank) for rank in (0, 1))
    for rank, command in enumerate((first, second)):
        assert command[:5] == ["apptainer", "exec", "--nv", "--bind=/local", "/sw/ladon/serve.sif"]
        assert value(command, "--nnodes") == "2"
        assert value(command, "--node-rank") == str(rank)
        assert value(command, "--master-addr") == "10.1.2.3"
        assert value(command, "--master-port") == "34567"
    assert ("--headless" in first, "--headless" in second) == (False, True)
    assert ("--port" in first, "--port" in second) == (True, False)


def test_on_processors_it_is_the_module() -> None:
    assert node_command(TINY, TESTBED, TINY.repository, PLACE) == [
        "/sw/ladon/.venv-vllm/bin/python", "-m", "vllm.entrypoints.openai.api_server",
        "--model", "/shared/models/memo", "--served-model-name", "ladon/memo",
        "--host", "10.1.2.3", "--port", "23456", "--disable-uvicorn-access-log",
        "--dtype", "float32", "--enforce-eager", "--max-model-len", "16384",
    ]  # fmt: skip


def test_a_deterministic_server_has_no_prefix_cache() -> None:
    assert node_command(DENSE, SITE, DENSE.repository, PLACE) == [
        "/sw/ladon/.venv-vllm/bin/vllm", "serve", "mistralai/Devstral-Small-2",
        "--served-model-name", "mistralai/Devstral-Small-2",
        "--revision", "55c5b41e",
        "--host", "10.1.2.3", "--port", "23456", "--disable-uvicorn-access-log",
        "--max-model-len", "65536",
        "--tensor-parallel-size", "1",
        "--no-enable-prefix-caching",
        "--max-num-seqs", "32",
    ]  # fmt: skip


@pytest.mark.parametrize("given", [(), ("--max-num-seqs", "32"), ("--max-num-seqs=32",)])
def test_on_processors_a_deterministic_one_works_on_one_request(given: tuple[str, ...]) -> None:
    spec = replace(TINY, deterministic=True, args=("--no-enable-prefix-caching", *given, "--x"))
    assert node_command(spec, TESTBED, TINY.repository, PLACE)[-9:] == [
        "--dtype", "float32", "--enforce-eager", "--max-model-len", "16384",
        "--no-enable-prefix-caching", "--max-num-seqs", "1",
        "--x",
    ]  # fmt: skip


def test_the_spec_says_whether_vllm_is_batch_invariant_and_not_the_shell(tmp_path: Path) -> None:
    inherited = {"VLLM_BATCH_INVARIANT": "1"}
    folder, site = ServerFolder(tmp_path), replace(SITE, environment={"VLLM_BATCH_INVARIANT": "0"})
    asked = Launch(DENSE, site, "p", "r")
    variables = environment(asked, folder, "10.1.2.3", inherited)
    assert variables["VLLM_BATCH_INVARIANT"] == "1"
    assert variables["VLLM_USE_FLASHINFER_SAMPLER"] == "0"
    normal = environment(LAUNCHES["one_gpu"], folder, "10.1.2.3", inherited)
    assert not {"VLLM_BATCH_INVARIANT", "VLLM_USE_FLASHINFER_SAMPLER"} & normal.keys()
    # vLLM 0.32 dies of it on processors.
    cpu = Launch(replace(TINY, deterministic=True), TESTBED, "p", "r")
    assert "VLLM_BATCH_INVARIANT" not in environment(cpu, folder, "10.1.2.3", inherited)


def test_the_testbed_gives_gpus_that_nothing_computes_on() -> None:
    command = server_command(replace(TINY, gpus=1), TESTBED, "m", PLACE)
    assert "--tensor-parallel-size" not in command
    assert "float32" in command


def test_over_nodes_of_the_testbed_the_layers_are_shared() -> None:
    command = server_command(replace(TINY, gpus=2, nodes=2), TESTBED, "m", PLACE)
    assert value(command, "--pipeline-parallel-size") == "2"
    assert value(command, "--distributed-executor-backend") == "ray"


def test_it_listens_everywhere_only_if_the_site_says_so() -> None:
    assert value(node_command(ONE, SITE, "m", PLACE), "--host") == "10.1.2.3"
    everywhere = replace(PLACE, bind_all=True)
    assert value(node_command(ONE, SITE, "m", everywhere), "--host") == "0.0.0.0"
    assert everywhere.base_url == "http://10.1.2.3:23456/v1"
    assert replace(PLACE, address="fd00::1").base_url == "http://[fd00::1]:23456/v1"


def test_several_nodes_are_started_by_srun(tmp_path: Path) -> None:
    launch = LAUNCHES["two_nodes_ray"]
    command = step_command(launch, ServerFolder(tmp_path), PLACE)
    assert command[:8] == [
        "srun", "--nodes=2", "--ntasks=2", "--ntasks-per-node=1", "--cpus-per-task=64",
        "--kill-on-bad-exit=1", "--wait=60", "--export=ALL",
    ]  # fmt: skip
    assert command[8:11] == [launch.python, "-m", "executors.serving.node"]
    assert step_command(LAUNCHES["one_gpu"], ServerFolder(tmp_path), PLACE)[0] == launch.python


def test_only_the_programs_of_several_nodes_are_ended_by_scancel() -> None:
    assert farewell(SIXTEEN, "77") == ["scancel", "--signal=TERM", "77"]
    assert farewell(ONE, "77") == []
    assert farewell(SIXTEEN, "local-77") == []


def test_the_environment_has_no_secrets_of_others_and_stays_offline(tmp_path: Path) -> None:
    inherited = {
        "PATH": "/usr/bin", "CUDA_VISIBLE_DEVICES": "0", "PYTHONPATH": "/ours",
        "OPENAI_API_KEY": "s3cret", "HF_TOKEN": "s3cret", "TOKENIZERS_PARALLELISM": "false",
    }  # fmt: skip
    folder = ServerFolder(tmp_path)
    one = environment(LAUNCHES["one_gpu"], folder, "10.1.2.3", inherited)
    assert one == {
        "PATH": "/sw/ladon/.venv-vllm/bin:/usr/bin",
        "CUDA_VISIBLE_DEVICES": "0",
        "TOKENIZERS_PARALLELISM": "false",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HOME": "/shared/huggingface",
    }
    two = environment(LAUNCHES["two_nodes_ray"], folder, "10.1.2.4", inherited)
    assert {name: two[name] for name in two.keys() - one.keys()} == {
        "VLLM_HOST_IP": "10.1.2.4",
        "NCCL_SOCKET_IFNAME": "hsn0",
        "GLOO_SOCKET_IFNAME": "hsn0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(tmp_path / "ray_token"),
        "RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT": "300",
        "RAY_prestart_worker_first_driver": "0",
    }
    cpu = environment(LAUNCHES["cpu"], folder, "10.1.2.3", inherited)
    assert cpu["VLLM_CPU_KVCACHE_SPACE"] == "1"


def test_secrets_are_known_by_their_names() -> None:
    names = ["A_KEY", "KEY", "my_password", "AWS_SECRET", "HF_TOKEN", "X_CREDENTIALS"]
    assert without_secrets(dict.fromkeys([*names, "KEYBOARD", "MONKEY", "TOKENIZERS"], "1")) == {
        "KEYBOARD": "1", "MONKEY": "1", "TOKENIZERS": "1",
    }  # fmt: skip


def test_the_catalogue_was_found() -> None:
    assert len(CATALOGUE) >= 11


@pytest.mark.parametrize("plain", CATALOGUE, ids=lambda plain: plain["name"])
def test_every_model_of_the_catalogue_can_be_served(plain: dict[str, Any]) -> None:
    serve = plain["serve"]
    spec = ServeSpec(
        plain["name"], plain["repository"], plain["repository"], plain["revision"], serve["gpus"],
        serve["tensor_parallel"], serve["nodes"], serve["reasoning_parser"], plain["context"],
        tuple(serve["args"]),
    )  # fmt: skip
    command = node_command(spec, SiteSpec(), spec.repository, PLACE)
    options = [word for word in command if word.startswith("--")]
    assert len(options) == len(set(options))
    assert value(command, "--max-model-len") == str(plain["context"])
    assert spec.ranks * spec.pipeline_parallel == max(spec.gpus, 1)
    assert Launch(spec, SITE, "p", "r").spec.gpus_per_node == serve["gpus"]
