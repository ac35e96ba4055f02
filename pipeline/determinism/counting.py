"""How many answers were identical: pure counts of two rounds of the same requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

LogProbs = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Answer:
    """One answer, as far as it can be the same or not."""

    text: str
    reasoning: str = ""
    finish_reason: str = "stop"
    logprobs: LogProbs | None = None
    """Token and log-probability of each token that was chosen; None where the server tells none."""

    @property
    def words(self) -> tuple[str, str, str]:
        """What one reads of it."""
        return self.text, self.reasoning, self.finish_reason


@dataclass(frozen=True)
class Count:
    """How many of `requests` were answered identically in two rounds."""

    requests: int
    texts: int
    """Answers with the same text, reasoning and finish reason, to the character."""
    logprobs: int | None
    """Answers with the same tokens and log-probabilities, to the last bit; None: not told."""

    @property
    def all_texts(self) -> bool:
        return self.texts == self.requests

    @property
    def all_same(self) -> bool:
        """Everything that could be compared was the same."""
        return self.all_texts and self.logprobs in (None, self.requests)

    def __str__(self) -> str:
        told = "not told" if self.logprobs is None else f"{self.logprobs}/{self.requests}"
        return f"{self.texts}/{self.requests} texts, {told} log-probabilities"


def count(first: Sequence[Answer], second: Sequence[Answer]) -> Count:
    """Of two rounds of the same requests; ValueError if they are of different lengths."""
    pairs = list(zip(first, second, strict=True))
    told = bool(pairs) and all(a.logprobs is not None and b.logprobs is not None for a, b in pairs)
    return Count(
        requests=len(pairs),
        texts=sum(a.words == b.words for a, b in pairs),
        logprobs=sum(a.logprobs == b.logprobs for a, b in pairs) if told else None,
    )


def by_temperature(
    temperatures: Sequence[float], first: Sequence[Answer], second: Sequence[Answer]
) -> dict[float, Count]:
    """The counts of the requests of each temperature, coldest first."""
    rounds = list(zip(temperatures, first, second, strict=True))
    found = {}
    for temperature in sorted(set(temperatures)):
        chosen = [(a, b) for t, a, b in rounds if t == temperature]
        found[temperature] = count([a for a, _ in chosen], [b for _, b in chosen])
    return found


def answers_sha256(answers: Iterable[Answer]) -> str:
    """Hash of answers with their log-probabilities, to compare servers and hardware by."""
    plain = [asdict(answer) for answer in answers]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def read_logprobs(body: str) -> LogProbs | None:
    """Tokens and log-probabilities in the body of a chat completion; None if it holds none."""
    try:
        told = json.loads(body)["choices"][0]["logprobs"]["content"]
        return tuple((str(one["token"]), float(one["logprob"])) for one in told)
    except (ValueError, LookupError, TypeError):
        return None


def plain_counts(counts: Mapping[float, Count]) -> list[dict[str, Any]]:
    """Counts by temperature as plain JSON types."""
    return [{"temperature": t, **asdict(found)} for t, found in counts.items()]
