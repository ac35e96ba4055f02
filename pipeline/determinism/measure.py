"""The measurement: the same requests alone, alone again and in a crowd, by the real client."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from agents.chat import Message
from agents.model import EndpointModel
from agents.spec import ModelSpec
from pipeline.determinism.counting import Answer, read_logprobs

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUESTS, CROWD = 20, 16
MAX_TOKENS = 128
"""Of one answer; the first other bit changes everything that follows it."""
WARM = 0.8
"""Temperature of the drawn answers where the model's own is 0."""
LOOK_S = 0.02
_BACKGROUND = (
    "Two photons are selected in events of proton-proton collisions. ",
    "Both pass the tight identification and are isolated from other activity. ",
    "Their transverse momenta exceed 0.35 and 0.25 of the mass of the pair. ",
    "Photons in the transition region of the calorimeter are left out. ",
    "The mass of the pair lies between 105 and 160 GeV. ",
    "Simulated events carry weights that are normalised to the luminosity. ",
)
_QUESTIONS = (
    "What is the mass of the pair?",
    "Which of the photons is the leading one?",
    "Write the selection as a function of arrays.",
    "How is the background estimated from the sidebands?",
)


@dataclass(frozen=True)
class Request:
    """One question with its seed and temperature."""

    messages: tuple[Message, ...]
    seed: int
    temperature: float


@dataclass(frozen=True)
class Rounds:
    """The answers of the three rounds, in the order of the requests."""

    requests: tuple[Request, ...]
    alone: tuple[Answer, ...]
    again: tuple[Answer, ...]
    crowd: tuple[Answer, ...]
    server_version: str | None
    tokens: int
    running: int | None
    """The most that the server worked on at a time in the crowd; None: not seen."""
    disturbed: bool
    """The server worked on more than ours while each was to be alone."""


def requests(temperature: float, number: int = REQUESTS) -> tuple[Request, ...]:
    """`number` requests of different lengths: every second one greedy, the others drawn.

    All begin alike, so that a cache of prefixes has something to find.
    """
    drawn = temperature or WARM
    made = []
    for i in range(number):
        length = 1 + 3 * (i % 7)
        text = "".join(_BACKGROUND[k % len(_BACKGROUND)] for k in range(length))
        question = f"{text}\nQuestion {i // 4 + 1}: {_QUESTIONS[i % len(_QUESTIONS)]}"
        made.append(Request((Message("user", question),), 1000 + i, drawn if i % 2 else 0.0))
    return tuple(made)


def measure(
    spec: ModelSpec,
    asked: Sequence[Request],
    crowd: int = CROWD,
    running: Callable[[], float] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Rounds:
    """The answers to `asked`, alone, alone again, and with `crowd` of them under way at once.

    `running` says how many the server works on at this moment; it is asked during the crowd.
    Raises what EndpointModel raises.
    """
    with ExitStack() as stack:
        # A client for each, opened before the crowd: one that is slow to start makes no crowd.
        asking = [stack.enter_context(_Asking(spec, one, crowd)) for one in asked]
        with _watched(running) as before:
            say(f"{len(asked)} requests, each alone")
            alone = [one.ask() for one in asking]
            say(f"{len(asked)} requests, each alone, again")
            again = [one.ask() for one in asking]
        say(f"{len(asked)} requests, {crowd} at once")
        with _watched(running) as seen, ThreadPoolExecutor(crowd) as threads:
            crowded = list(threads.map(_Asking.ask, asking))
    return Rounds(
        requests=tuple(asked),
        alone=tuple(alone),
        again=tuple(again),
        crowd=tuple(crowded),
        server_version=asking[0].server_version if asking else None,
        tokens=sum(one.tokens for one in asking),
        running=round(max(seen)) if seen else None,
        disturbed=max(before, default=0.0) > 1,
    )


class _Asking:
    """One request and the client that asks it."""

    def __init__(self, spec: ModelSpec, one: Request, crowd: int) -> None:
        extra = {**spec.extra, "logprobs": True}
        spec = replace(spec, temperature=one.temperature, concurrency=crowd, extra=extra)
        self.one = one
        self.bodies: list[str] = []
        self.model = EndpointModel(spec, hear=self.bodies.append)
        self.server_version: str | None = None
        self.tokens = 0

    def ask(self) -> Answer:
        """The answer; it is the client's own, so that several threads ask at a time."""
        self.bodies.clear()
        reply = self.model.complete(self.one.messages, seed=self.one.seed)
        self.server_version, self.tokens = reply.server_version, reply.usage.completion
        told = read_logprobs(self.bodies[-1]) if self.bodies else None
        return Answer(reply.text, reply.reasoning, reply.finish_reason, told)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.model.close()


@contextmanager
def _watched(running: Callable[[], float] | None) -> Iterator[list[float]]:
    """A list that grows by what `running` says, every LOOK_S seconds, until the block ends."""
    seen: list[float] = []
    if running is None:
        yield seen
        return
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_S):
            try:
                seen.append(running())
            except OSError:  # a look that fails is one number less
                continue

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
