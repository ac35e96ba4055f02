"""Which stage reads what: the fixed edges of the graph."""

from __future__ import annotations

from collections.abc import Sequence

READS: dict[str, tuple[str, ...]] = {
    "inspect": (),
    "convert": (),
    "preprocess": ("convert",),
    "classify": ("preprocess",),
    "categorize": ("classify",),
    "measure": ("preprocess", "classify", "categorize"),
}
"""Stage -> the stages whose files its execution reads (those of them that the channel has)."""

SEALED = ("preprocess", "classify", "measure")
"""Stages that frozen code runs a second time, with the blinded rows that no solver sees."""


def reads(stage: str, channel_stages: Sequence[str]) -> tuple[str, ...]:
    """The stages that `stage` reads in a channel with these stages."""
    return tuple(s for s in READS[stage] if s in channel_stages)


def needed(stages: Sequence[str], channel_stages: Sequence[str]) -> tuple[str, ...]:
    """All stages that must have run so that `stages` can, in order."""
    last = max(channel_stages.index(s) for s in stages)
    return tuple(channel_stages[: last + 1])
