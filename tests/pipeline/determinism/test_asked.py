"""What is said of model.deterministic before anything is measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.configure import configure
from pipeline.determinism.asked import FOREIGN, NOT_ASKED, asked
from pipeline.settings import Settings

AT = "model.base_url=http://127.0.0.1:9/v1"


def served(*overrides: str) -> Settings:
    """Settings with an address (no server can be started here), and the address taken away."""
    settings = configure([*overrides, AT])
    return replace(settings, model=replace(settings.model, base_url=None))


def test_where_no_server_answers_nothing_is_said() -> None:
    assert asked(configure(["model=scripted", "model.deterministic=true"])) == []
    assert asked(configure(["solver=reference"])) == []


def test_by_default_nothing_is_asked() -> None:
    assert asked(configure(["model=qwen2_5_coder_7b", AT])) == [NOT_ASKED]


def test_a_server_of_somebody_else_is_not_set_up() -> None:
    found = asked(configure(["model=qwen2_5_coder_7b", AT, "model.deterministic=true"]))
    assert found == [FOREIGN]
    assert "not guaranteed" in FOREIGN


def test_ours_is_set_up_and_doubts_are_said() -> None:
    dense = asked(served("model=qwen2_5_coder_7b", "model.deterministic=true"))
    assert dense[0].startswith(
        "model.deterministic=true: its server runs with VLLM_BATCH_INVARIANT=1"
    )
    assert len(dense) == 2
    experts = asked(served("model=gpt_oss_20b", "model.deterministic=true"))
    assert any("mixture of experts" in sentence for sentence in experts)


def test_on_processors_it_is_one_at_a_time() -> None:
    said = asked(served("model=memo", "model.deterministic=true", "site.serve.device=cpu"))
    assert len(said) == 1
    assert "one request at a time" in said[0]


@pytest.mark.parametrize("name", ["memo", "scripted", "endpoint", "deepseek_v3_2"])
def test_the_catalogue_does_not_ask(name: str) -> None:
    needed = {"endpoint": ["model.repository=o/m", AT], "scripted": []}.get(name, [AT])
    assert configure([f"model={name}", *needed]).model.deterministic is False
