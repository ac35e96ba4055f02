"""Learning by heart: training on a few replies until greedy decoding repeats each of them."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import LlamaForCausalLM

Optimiser = torch.optim.Optimizer

SURE = 0.9
"""Least probability of every token of every reply, given what stands before it.

A server computes in another order than the training does; no rounding turns 0.9 into less than
what another token has.
"""
COURSES = (30, 60, 120)
"""Epochs of the courses that are given one after the other until everything is known; in each
the steps become smaller towards its end."""
MATRIX_STEP, OTHER_STEP = 0.03, 0.005
"""Largest step of Muon, for the matrices within the layers, and of AdamW, for all else."""
LAST_STEP = 0.03
"""Smallest step of a course, as a part of the largest one."""
WARM_UP = 30
"""Steps over which the first ones grow."""


class NotLearnedError(RuntimeError):
    """The network does not know everything by heart after the last course."""


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


def learn(model: LlamaForCausalLM, lessons: Sequence[Lesson], seed: int) -> Learned:
    """Train `model` until every token of every reply has a probability of more than SURE.

    The prompts themselves are not learned. The same lessons, seed, machine and versions give the
    same weights. Raises NotLearnedError.
    """
    began, epochs = time.process_time(), 0
    order = random.Random(seed)
    optimisers = _optimisers(model)
    largest = [optimiser.param_groups[0]["lr"] for optimiser in optimisers]
    for course in COURSES:
        for epoch in range(course):
            warm = min(1.0, (epochs + 1) * len(lessons) / WARM_UP)
            part = warm * max(LAST_STEP, 1.0 - epoch / course)
            for optimiser, step in zip(optimisers, largest, strict=True):
                optimiser.param_groups[0]["lr"] = step * part
            seen = min(
                _step(model, lesson, optimisers)
                for lesson in order.sample(list(lessons), len(lessons))
            )
            epochs += 1
            if seen > SURE and (least := least_probability(model, lessons)) > SURE:
                return Learned(epochs, time.process_time() - began, least)
    raise NotLearnedError(
        f"expected to know {len(lessons)} replies by heart after {epochs} epochs, found a token "
        f"with a probability of {least_probability(model, lessons):.3g}; take a wider network"
    )


@torch.inference_mode()
def least_probability(model: LlamaForCausalLM, lessons: Sequence[Lesson]) -> float:
    """The smallest probability that a token of a reply has, given all before it."""
    losses = [float(_losses(model, lesson).max()) for lesson in lessons]
    return float(torch.exp(-torch.tensor(max(losses))))


@torch.inference_mode()
def recite(model: LlamaForCausalLM, lesson: Lesson) -> list[int]:
    """What greedy decoding gives for the lesson's prompt, at most one token longer than the reply."""
    given = torch.tensor([lesson.prompt])
    longest = len(lesson.reply) + 1
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


def _step(model: LlamaForCausalLM, lesson: Lesson, optimisers: Sequence[Optimiser]) -> float:
    """One step on one lesson; the smallest probability that one of its tokens had before it."""
    losses = _losses(model, lesson)
    losses.mean().backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimiser in optimisers:
        optimiser.step()
    model.zero_grad()
    return float(torch.exp(-losses.detach().max()))


def _optimisers(model: LlamaForCausalLM) -> list[Optimiser]:
    """Muon for the layers' matrices, which learns in a third of AdamW's epochs; AdamW for the rest."""
    matrices, rest = [], []
    for name, parameter in model.named_parameters():
        within = parameter.ndim == 2 and name.startswith("model.layers.")
        (matrices if within else rest).append(parameter)
    return [
        torch.optim.Muon(matrices, lr=MATRIX_STEP, weight_decay=0.0),
        torch.optim.AdamW(rest, lr=OTHER_STEP, betas=(0.9, 0.95), weight_decay=0.0),
    ]
