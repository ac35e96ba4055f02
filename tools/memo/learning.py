"""Learning by heart: training on a few replies until greedy decoding repeats each of them."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from transformers import LlamaForCausalLM

SURE = 0.9
"""Least probability of every token of every reply, given what stands before it.

A server computes in another order than the training does; no rounding turns 0.9 into less than
what another token has.
"""
EPOCHS = 200
"""The most passes over all lessons; some 60 are needed."""
MATRIX_STEP, OTHER_STEP = 0.03, 0.005
"""Largest step of Muon, for the matrices within the layers, and of AdamW, for all else."""
NEARLY = 2.0
"""Mean loss per token below which each epoch's steps are SHRINKING times those of the last one."""
SHRINKING = 0.85
LAST_STEP = 0.04
"""The smallest step, as a part of the largest one."""
ALMOST = 0.1
"""Mean loss per token below which it is looked, after each epoch, whether all is known."""
WARM_UP = 30
"""Steps over which the first ones grow."""


class NotLearnedError(RuntimeError):
    """The network does not know everything by heart after the last epoch."""


@dataclass(frozen=True)
class Lesson:
    """The tokens of a prompt and of the reply to it, the end of text included."""

    prompt: list[int]
    reply: list[int]


@dataclass(frozen=True)
class Learned:
    """What it took: epochs, seconds of this process on all cores, and how well it is known."""

    epochs: int
    cpu_s: float
    least_probability: float


def learn(
    model: LlamaForCausalLM,
    lessons: Sequence[Lesson],
    seed: int,
    report: Callable[[int, float], None] | None = None,
) -> Learned:
    """Train `model` until every token of every reply has a probability of more than SURE.

    The prompts themselves are not learned. The same lessons, seed, machine and versions give the
    same weights. `report` gets each epoch's number and mean loss per token. Raises
    NotLearnedError.
    """
    began = time.process_time()
    order = random.Random(seed)
    optimisers = _optimisers(model)
    largest = [optimiser.param_groups[0]["lr"] for optimiser in optimisers]
    settled = 0
    for epoch in range(1, EPOCHS + 1):
        part = max(LAST_STEP, SHRINKING**settled) * min(1.0, epoch * len(lessons) / WARM_UP)
        for optimiser, step in zip(optimisers, largest, strict=True):
            optimiser.param_groups[0]["lr"] = step * part
        shuffled = order.sample(list(lessons), len(lessons))
        losses = torch.cat([_step(model, lesson, optimisers, settled > 0) for lesson in shuffled])
        mean = float(losses.mean())
        settled += bool(settled) or mean < NEARLY
        if report is not None:
            report(epoch, mean)
        if mean < ALMOST and (least := least_probability(model, lessons)) > SURE:
            return Learned(epoch, time.process_time() - began, least)
    raise NotLearnedError(
        f"expected to know {len(lessons)} replies by heart after {EPOCHS} epochs, found a token "
        f"with a probability of {least_probability(model, lessons):.3g}; take a wider network"
    )


def least_probability(model: LlamaForCausalLM, lessons: Sequence[Lesson]) -> float:
    """The smallest probability that a token of a reply has, given all before it."""
    with torch.inference_mode():
        return math.exp(-max(float(_losses(model, lesson).max()) for lesson in lessons))


def recite(model: LlamaForCausalLM, lesson: Lesson) -> list[int]:
    """What greedy decoding gives for the lesson's prompt; at most one token more than the reply."""
    given = torch.tensor([lesson.prompt])
    longest = len(lesson.reply) + 1
    with torch.inference_mode():
        output = model.generate(
            given, attention_mask=torch.ones_like(given), do_sample=False, max_new_tokens=longest
        )
    tokens: list[int] = output[0, len(lesson.prompt) :].tolist()
    return tokens


def _losses(model: LlamaForCausalLM, lesson: Lesson) -> torch.Tensor:
    """Minus the logarithm of each reply token's probability."""
    tokens = torch.tensor([lesson.prompt + lesson.reply])
    hidden = model.model(input_ids=tokens[:, :-1]).last_hidden_state[0]
    logits = model.lm_head(hidden[len(lesson.prompt) - 1 :])
    wanted = tokens[0, len(lesson.prompt) :]
    return torch.nn.functional.cross_entropy(logits, wanted, reduction="none")


def _step(
    model: LlamaForCausalLM,
    lesson: Lesson,
    optimisers: Sequence[torch.optim.Optimizer],
    on_errors: bool,
) -> torch.Tensor:
    """One step on one lesson; minus the logarithm of its tokens' probabilities before it.

    `on_errors`: half of the weight goes to tokens as far as they are not known yet, so that a few
    hard ones in a long reply are learned too.
    """
    losses = _losses(model, lesson)
    known = losses.detach()
    weights = torch.full_like(known, 1.0 / len(known))
    if on_errors:
        weights = 0.5 * (weights + known / known.sum())
    (losses * weights).sum().backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimiser in optimisers:
        optimiser.step()
    model.zero_grad()
    return known


def _optimisers(model: LlamaForCausalLM) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices (a third of AdamW's epochs), AdamW for all else."""
    matrices: list[torch.nn.Parameter] = []
    rest: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        within = parameter.ndim == 2 and name.startswith("model.layers.")
        (matrices if within else rest).append(parameter)
    return [
        torch.optim.Muon(matrices, lr=MATRIX_STEP, weight_decay=0.0),
        torch.optim.AdamW(rest, lr=OTHER_STEP, betas=(0.9, 0.95), weight_decay=0.0),
    ]
