"""What a deterministic server is given, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

from executors.serving.determinism import doubts, options, promise, variables, without
from tests.executors.serving.sites import DENSE, FOUR, TINY


def test_gpus_and_processors_need_other_things() -> None:
    assert options(cpu=False) == {"--no-enable-prefix-caching": ""}
    assert options(cpu=True) == {"--no-enable-prefix-caching": "", "--max-num-seqs": "1"}
    assert variables(cpu=True) == {}
    assert variables(cpu=False)["VLLM_BATCH_INVARIANT"] == "1"
    assert "VLLM_BATCH_INVARIANT=1" in promise(cpu=False)
    assert "one request at a time" in promise(cpu=True)


def test_options_are_taken_out_in_both_spellings() -> None:
    names = {"--a": "1", "--switch": ""}
    given = ["--a", "2", "--switch", "--b", "--a=3", "--c", "4"]
    assert without(given, names) == ["--b", "--c", "4"]
    assert without(["--a"], names) == []
    assert without(["--a", "--b"], names) == ["--b"]
    assert without(given, {}) == given


def test_what_vllm_does_not_promise_is_said() -> None:
    assert doubts(TINY, cpu=True, experts=True) == []
    (beta,) = doubts(DENSE, cpu=False, experts=False)
    assert "beta" in beta
    said = " ".join(doubts(FOUR, cpu=False, experts=True))
    for words in ("mixture of experts", "several GPUs", "expert-parallel ranks"):
        assert words in said
    guessing = replace(DENSE, args=("--speculative-config", "{}"))
    assert "speculative" in doubts(guessing, cpu=False, experts=False)[-1]
