"""What a server needs for the same bits, alone and in a crowd; and what vLLM does not promise.

Read in vLLM 0.32 and measured on its build for processors: docs/determinism.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

INVARIANT = "VLLM_BATCH_INVARIANT"
SPECULATIVE = ("--speculative-config", "--speculative-config.model", "-sc")
FORBIDDEN = ("--enable-prefix-caching",)
"""Options that a deterministic server cannot have."""
NO_CACHE: Mapping[str, str] = {"--no-enable-prefix-caching": ""}
"""A prompt whose beginning is cached is computed in other pieces than one that is not."""
ONE_AT_A_TIME: Mapping[str, str] = {"--max-num-seqs": "1"}


class Served(Protocol):
    """Of a ServeSpec what matters here."""

    @property
    def tensor_parallel(self) -> int: ...
    @property
    def nodes(self) -> int: ...
    def gives(self, option: str) -> bool: ...


def options(cpu: bool) -> dict[str, str]:
    """Options of vLLM by name; an empty value is a switch.

    vLLM 0.32 has no batch invariance on processors, so that there the batch is kept at one
    request. On GPUs a prompt's chunks and the size of a batch change no bit, says vLLM.
    """
    return {**NO_CACHE, **ONE_AT_A_TIME} if cpu else dict(NO_CACHE)


def variables(cpu: bool) -> dict[str, str]:
    """Variables of vLLM.

    On processors VLLM_BATCH_INVARIANT=1 puts Triton kernels that are not there in the place of
    torch's: the engine dies of the first prompt (0.32.0, measured). FlashInfer's sampler gave other
    log-probabilities in batches of 44 and more (vLLM issue 51187, open).
    """
    return {} if cpu else {INVARIANT: "1", "VLLM_USE_FLASHINFER_SAMPLER": "0"}


def without(args: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """`args` without the options in `names` and their values, in both spellings."""
    kept: list[str] = []
    skip = False
    for word in args:
        if skip and not word.startswith("-"):
            skip = False
            continue
        name = word.partition("=")[0]
        skip = name in names and "=" not in word and bool(names[name])
        if name not in names:
            kept.append(word)
    return kept


def promise(cpu: bool) -> str:
    """What a deterministic server does for it, in a sentence."""
    if cpu:
        return (
            "its server works on one request at a time, without prefix caching: vLLM has no batch "
            "invariance on processors"
        )
    return "its server runs with VLLM_BATCH_INVARIANT=1, without prefix caching"


def doubts(spec: Served, cpu: bool, experts: bool) -> list[str]:
    """Why the same bits are not to be counted on, a sentence each; empty where vLLM promises them.

    `experts`: the model is a mixture of experts.
    """
    if cpu:
        return []  # one request at a time needs no promise about batches
    said = ["vLLM calls batch invariance beta, for NVIDIA GPUs of compute capability 8.0 and above"]
    if experts:
        said.append(
            "it is a mixture of experts: vLLM has batch-invariant kernels for some of them only, "
            "and refuses to start, or was not tested, with the others"
        )
    if spec.tensor_parallel > 1 or spec.nodes > 1:
        said.append("several GPUs add up in an order that vLLM fixes for most sizes, not for all")
    if spec.gives("--data-parallel-size") or spec.gives("--enable-expert-parallel"):
        said.append("vLLM promises nothing for data-parallel or expert-parallel ranks")
    if any(spec.gives(option) for option in SPECULATIVE):
        said.append("vLLM promises nothing for speculative decoding")
    return said
