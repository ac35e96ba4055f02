"""What a stage may spend on its model, checked before each call."""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.chat import Usage
from agents.errors import AgentError


@dataclass(frozen=True)
class Prices:
    """What calls cost, in the currency of the limit; zero for a server of one's own."""

    per_million_prompt: float = 0.0
    per_million_completion: float = 0.0
    per_hour: float = 0.0
    """For the hours in which the model works, e.g. of the GPUs behind it."""


@dataclass(frozen=True)
class Limits:
    """The most that one stage may spend; None is no limit."""

    max_rounds: int = 3
    """Passes of coder and bench; the loop ends after the last."""
    max_calls: int | None = 30
    max_tokens: int | None = None
    """Of prompts and completions together."""
    max_wall_s: float | None = None
    """Seconds in calls and in tries; the time a run was stopped does not count."""
    max_cost: float | None = None
    prices: Prices = field(default_factory=Prices)

    def __post_init__(self) -> None:
        if self.max_rounds < 1:
            raise ValueError(f"expected at least one round, found max_rounds={self.max_rounds!r}")


@dataclass(frozen=True)
class Spent:
    """What a stage has spent so far; the same after a resume, because it is read off the record."""

    rounds: int = 0
    calls: int = 0
    tokens: Usage = field(default_factory=Usage)
    model_s: float = 0.0
    bench_s: float = 0.0

    @property
    def wall_s(self) -> float:
        return self.model_s + self.bench_s

    def cost(self, prices: Prices) -> float:
        """The price of all calls so far."""
        return (
            self.tokens.prompt * prices.per_million_prompt / 1e6
            + self.tokens.completion * prices.per_million_completion / 1e6
            + self.model_s * prices.per_hour / 3600.0
        )


class LimitReached(AgentError, RuntimeError):  # noqa: N818 - a state, and the word of the brief
    """A limit is used up: which one, what was used, what was allowed."""

    category = "limit"
    attribution = "model"

    def __init__(self, which: str, used: float, allowed: float) -> None:
        super().__init__(
            f"expected the stage to be solved within {which}={allowed:g}, found {used:g} used; "
            f"raise {which} to let it go on"
        )
        self.which = which
        self.used = used
        self.allowed = allowed


def check_limits(limits: Limits, spent: Spent) -> None:
    """LimitReached if nothing is left for another call; the loop itself counts its rounds.

    A call that has begun is not cut short: it ends by the time-out and retries of its model.
    """
    used: tuple[tuple[str, float, float | None], ...] = (
        ("max_calls", spent.calls, limits.max_calls),
        ("max_tokens", spent.tokens.total, limits.max_tokens),
        ("max_wall_s", spent.wall_s, limits.max_wall_s),
        ("max_cost", spent.cost(limits.prices), limits.max_cost),
    )
    for which, amount, allowed in used:
        if allowed is not None and amount >= allowed:
            raise LimitReached(which, amount, allowed)
