"""The catalogue of models: complete, consistent, without secrets, and each value has its source."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from pipeline.agent_settings import ModelSettings, PriceSettings, Provider, ServeSettings
from pipeline.configure import configure
from pipeline.models import spec_of
from pipeline.overrides import option_of
from pipeline.settings import SettingsError

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "conf" / "model"
OURS = ("none", "memo", "random")
"""Entries that ask no model and are written by other hands."""
SKILLS = ("expert", "student", "novice")
"""Scripted models: no language models, whatever their names say."""
BYTES_PER_PARAMETER = {
    "qwen2_5_coder_7b": 2.0, "qwen3_coder_30b": 2.0, "gpt_oss_20b": 0.66, "gpt_oss_120b": 0.56,
}  # fmt: skip
"""Of the weights as they are published: BF16, and MXFP4 of all but some layers; FP8 else."""


def read(name: str) -> dict[str, Any]:
    """An entry with all its keys, also those of the entry that it is made from."""
    return option_of(FOLDER, name)


def argument(serve: dict[str, Any], name: str) -> int | None:
    """The number that follows `name` in the server's arguments; None if it is not there."""
    args = serve["args"]
    return int(args[args.index(name) + 1]) if name in args else None


NAMES = sorted(p.stem for p in FOLDER.glob("*.yaml") if p.stem not in OURS)
OPEN_WEIGHTS = [name for name in NAMES if read(name)["parameters_b"] is not None]


def test_what_is_there() -> None:
    assert {"scripted", "replay", "endpoint", *SKILLS} <= set(NAMES)
    assert not {*SKILLS} & {*OPEN_WEIGHTS}
    assert len(OPEN_WEIGHTS) >= 7
    sizes = {name: (read(name)["parameters_b"], read(name)["serve"]["gpus"]) for name in NAMES}
    models = [sizes[name] for name in OPEN_WEIGHTS]
    assert any(size <= 8 and gpus == 1 for size, gpus in models)
    assert any(8 < size <= 40 and gpus == 1 for size, gpus in models)
    assert sum(size > 100 and gpus > 1 for size, gpus in models) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_every_file_has_every_key_in_the_same_order(name: str) -> None:
    entry = read(name)
    assert list(entry) == [f.name for f in fields(ModelSettings)]
    assert set(entry["serve"]) == {f.name for f in fields(ServeSettings)}
    assert list(entry["serve"]) == list(read("scripted")["serve"])
    assert list(entry["prices"]) == [f.name for f in fields(PriceSettings)]
    assert entry["name"] == name
    assert entry["provider"] in get_args(Provider)


@pytest.mark.parametrize("name", SKILLS)
def test_a_skill_says_loudly_that_it_is_no_language_model(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# NO LANGUAGE MODEL.")
    entry = read(name)
    assert (entry["provider"], entry["script"]) == ("scripted", name)
    assert {k: v for k, v in entry.items() if k not in ("name", "script")} == {
        k: v for k, v in read("scripted").items() if k not in ("name", "script")
    }
    settings = configure([f"model={name}"])
    assert settings.run.name.startswith(f"hyy-synthetic-{name}-")
    assert settings.model.script == name


@pytest.mark.parametrize("name", NAMES)
def test_no_key_and_no_address_is_committed(name: str) -> None:
    entry = read(name)
    assert entry["base_url"] is None
    assert entry["api_key_file"] is None
    assert entry["api_key_env"] is None
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert not re.search(r"\b(sk|hf)[-_][A-Za-z0-9]{8}|[Bb]earer |--api-key", text)


@pytest.mark.parametrize("name", NAMES)
def test_sampling_is_in_range(name: str) -> None:
    entry = read(name)
    assert 0 <= entry["temperature"] <= 2
    assert 0 < entry["top_p"] <= 1
    assert entry["max_tokens"] >= 4096
    assert entry["response_format"] in ("json_schema", "json_object", "none")
    assert entry["timeout_s"] > 0
    assert entry["max_retries"] >= 0
    assert entry["concurrency"] >= 1
    assert entry["extra"].get("top_k", 1) >= 1
    assert 1 <= entry["extra"].get("repetition_penalty", 1) <= 1.2
    assert not {"temperature", "top_p", "max_tokens", "stop"} & set(entry["extra"])
    prices = dict(entry["prices"])
    dated = prices.pop("as_of")
    assert all(price >= 0 for price in prices.values())
    assert dated is not None or not any(prices.values())  # a price without its date says little


@pytest.mark.parametrize("name", OPEN_WEIGHTS)
def test_an_open_weight_model_says_what_it_is(name: str) -> None:
    entry = read(name)
    assert entry["provider"] == "endpoint"
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", entry["repository"])
    assert entry["licence"]
    assert entry["revision"] is None or re.fullmatch("[0-9a-f]{40}", entry["revision"])
    assert entry["active_b"] is None or 0 < entry["active_b"] < entry["parameters_b"]
    assert entry["context"] >= entry["max_tokens"] + 16_384, "room for a task and two rounds"
    assert entry["max_tokens"] >= 12_288, "a whole module has up to 10 000 tokens"


def test_no_two_models_are_the_same() -> None:
    entries = [read(name) for name in OPEN_WEIGHTS]
    assert len({e["repository"] for e in entries}) == len(entries)
    pinned = [e["revision"] for e in entries if e["revision"] is not None]
    assert len(set(pinned)) == len(pinned)


@pytest.mark.parametrize("name", OPEN_WEIGHTS)
def test_the_server_fits_its_gpus(name: str) -> None:
    entry = read(name)
    serve = entry["serve"]
    data_parallel = argument(serve, "--data-parallel-size") or 1
    pipeline_parallel = argument(serve, "--pipeline-parallel-size") or 1
    assert serve["gpus"] == serve["tensor_parallel"] * data_parallel * pipeline_parallel
    assert serve["nodes"] >= 1
    assert serve["gpus"] % serve["nodes"] == 0
    assert serve["gpus"] / serve["nodes"] <= 8
    length = argument(serve, "--max-model-len")
    assert length is None or length == entry["context"]
    weights_gb = entry["parameters_b"] * BYTES_PER_PARAMETER.get(name, 1.0)
    assert weights_gb < 0.9 * serve["gpus"] * serve["gpu_memory_gb"]
    assert all(isinstance(item, str) for item in serve["args"])
    assert not {"--tensor-parallel-size", "--reasoning-parser", "--revision"} & set(serve["args"])


@pytest.mark.parametrize("name", OPEN_WEIGHTS)
def test_the_settings_and_the_client_take_it(name: str) -> None:
    settings = configure([f"model={name}", "model.base_url=http://localhost:8000/v1"])
    spec = spec_of(settings.model, seed=1)
    entry = read(name)
    assert spec.name == entry["repository"]
    assert spec.revision == entry["revision"]
    assert spec.sampling["temperature"] == entry["temperature"]
    assert {k: spec.sampling[k] for k in entry["extra"]} == entry["extra"]


def test_a_catalogued_model_is_no_way_around_the_client() -> None:
    overrides = ["model=gpt_oss_20b", "model.base_url=http://localhost:8000/v1"]
    with pytest.raises(SettingsError, match=r"found \['seed'\], which the client sets itself"):
        configure([*overrides, "+model.extra.seed=1"])


@pytest.mark.parametrize("name", NAMES)
def test_the_documentation_names_it(name: str) -> None:
    text = (REPOSITORY / "docs" / "models.md").read_text(encoding="utf-8")
    entry = read(name)
    assert f"`{name}`" in text
    if name in OPEN_WEIGHTS:
        section = text.split(f"### `{name}`")[1].split("\n### ")[0].split("\n## ")[0]
        assert entry["repository"] in section
        for value in ("revision", "licence", "parameters", "context", "sampling", "server"):
            assert f"| {value} |" in section, f"{name}: no source for {value}"
        if entry["revision"] is not None:
            assert entry["revision"] in section
