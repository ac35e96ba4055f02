"""What a server's counters say: read from /metrics, added up over restarts, kept as JSON lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

NAMES: Mapping[str, str] = {
    "running": "vllm:num_requests_running",
    "waiting": "vllm:num_requests_waiting",
    "requests": "vllm:request_success_total",
    "prompt_tokens": "vllm:prompt_tokens_total",
    "generation_tokens": "vllm:generation_tokens_total",
    "prefix_queries": "vllm:prefix_cache_queries_total",
    "prefix_hits": "vllm:prefix_cache_hits_total",
}
"""Names in vLLM's /metrics (V1 engine); counters are exposed with the ending _total."""
_LINE = re.compile(r"^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{.*\})?\s+(\S+)")


@dataclass(frozen=True)
class Reading:
    """The counters of one moment, summed over engines and reasons; the last five only grow."""

    running: float = 0.0
    waiting: float = 0.0
    requests: float = 0.0
    """Requests that ended well."""
    prompt_tokens: float = 0.0
    generation_tokens: float = 0.0
    prefix_queries: float = 0.0
    """Tokens that were looked up in the prefix cache."""
    prefix_hits: float = 0.0

    @property
    def busy(self) -> bool:
        return self.running + self.waiting > 0

    def since(self, before: Reading) -> Reading:
        """What was added since `before`; a counter that shrank began anew, after a restart."""
        later, earlier = asdict(self), asdict(before)
        for name in later:
            if name not in ("running", "waiting") and later[name] >= earlier[name]:
                later[name] -= earlier[name]
        return Reading(**later)

    def plus(self, added: Reading) -> Reading:
        """These counters grown by `added`, with its running and waiting."""
        ours, theirs = asdict(self), asdict(added)
        return Reading(
            **{n: theirs[n] + (0 if n in ("running", "waiting") else ours[n]) for n in ours}
        )


def read(text: str) -> Reading:
    """The counters in the text of /metrics; what is not there counts as 0."""
    wanted = {exposed: name for name, exposed in NAMES.items()}
    sums = {field.name: 0.0 for field in fields(Reading)}
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is not None and found[1] in wanted:
            sums[wanted[found[1]]] += float(found[2])
    return Reading(**sums)


def line(
    moment: float,
    seconds: float,
    status: str,
    gpus: int,
    users: Sequence[str],
    total: Reading | None,
    added: Reading | None,
    power_w: float | None,
) -> dict[str, Any]:
    """One line of metrics.jsonl.

    `total` counts since the server was first started, `added` since the line before, `seconds`
    ago. None where the server gave no numbers (it loads, or is silent).
    """
    told: dict[str, Any] = dict.fromkeys(NAMES)
    rates: dict[str, Any] = {"generation_tokens_per_s": None, "prompt_tokens_per_s": None}
    hit_rate = None
    if total is not None and added is not None:
        told = asdict(total)
        if seconds > 0:
            rates = {
                "generation_tokens_per_s": round(added.generation_tokens / seconds, 3),
                "prompt_tokens_per_s": round(added.prompt_tokens / seconds, 3),
            }
        if total.prefix_queries > 0:
            hit_rate = round(total.prefix_hits / total.prefix_queries, 6)
    return {
        "time": round(moment, 3),
        "seconds": round(seconds, 3),
        "status": status,
        "gpus": gpus,
        "users": list(users),
        **told,
        **rates,
        "prefix_hit_rate": hit_rate,
        "power_w": power_w,
    }


def append(path: Path, entry: Mapping[str, Any]) -> None:
    """Add a line to metrics.jsonl."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, sort_keys=True) + "\n")


def load(path: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl; a last one that is cut is left out. None written: []."""
    if not path.exists():
        return []
    whole = [text for text in path.read_text(encoding="utf-8").split("\n")[:-1] if text]
    return [json.loads(text) for text in whole]


def gpu_seconds(lines: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """GPU-seconds by user (the name of a lease); those of a time without users under ''.

    A moment is shared evenly by those who held the server then, so that the sum is what the server
    cost: all of its GPUs for all of its time.
    """
    shares: dict[str, float] = {}
    for entry in lines:
        users = entry["users"] or [""]
        for user in users:
            share = entry["gpus"] * entry["seconds"] / len(users)
            shares[user] = shares.get(user, 0.0) + share
    return {user: round(shares[user], 3) for user in sorted(shares)}
