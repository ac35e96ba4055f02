"""The record of one measurement, `determinism.json`: counts, circumstances, and their sentence."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from executors.serving.folder import write_private
from pipeline.determinism.counting import Count

FILE = "determinism.json"
"""Beside the record of the server that was measured."""
ALONE, CROWDED = "alone, alone again", "alone, in a crowd"
SCHEMA = 1


class DeterminismRecordError(ValueError):
    """A record of a measurement is not what its name promises."""


@dataclass(frozen=True)
class Compared:
    """Two rounds of the same requests at one temperature."""

    rounds: str
    """ALONE or CROWDED."""
    temperature: float
    count: Count


@dataclass(frozen=True)
class Record:
    """What was asked of one server, on what, and how much of it was identical."""

    model: str
    revision: str | None
    deterministic: bool
    """Whether the server was set up to be (model.deterministic)."""
    spec_sha256: str
    server_version: str | None
    device: str
    """gpu or cpu."""
    hardware: dict[str, Any] = field(default_factory=dict)
    crowd: int = 16
    """Requests that were under way at once."""
    running: int | None = None
    """The most that the server worked on at a time in the crowd; None: not seen."""
    disturbed: bool = False
    """Others asked the server meanwhile, so that alone was not alone."""
    max_tokens: int = 0
    tokens: int = 0
    """Tokens of all answers of one round."""
    compared: tuple[Compared, ...] = ()
    alone_sha256: str = ""
    """Hash of the answers of the first round: equal for two servers that answer the same."""
    measured: float = 0.0
    """When, in seconds since 1970."""
    schema: int = SCHEMA

    def total(self, rounds: str) -> Count:
        """The counts of all temperatures together."""
        counts = [c.count for c in self.compared if c.rounds == rounds]
        told = [c.logprobs for c in counts if c.logprobs is not None]
        return Count(
            requests=sum(c.requests for c in counts),
            texts=sum(c.texts for c in counts),
            logprobs=sum(told) if counts and len(told) == len(counts) else None,
        )

    def save(self, path: Path) -> None:
        """Write it by rename, for the user alone, like the server's other files."""
        write_private(path, json.dumps(asdict(self), indent=1, sort_keys=True) + "\n")

    @classmethod
    def load(cls, path: Path) -> Record:
        """The record at `path`; DeterminismRecordError if it is none."""
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            if plain["schema"] != SCHEMA:
                raise ValueError(f"schema {plain['schema']!r}")
            known = {f.name: plain[f.name] for f in fields(cls) if f.name in plain}
            rows = tuple(Compared(**{**c, "count": Count(**c["count"])}) for c in plain["compared"])
            return cls(**{**known, "compared": rows})
        except (ValueError, LookupError, TypeError) as error:
            raise DeterminismRecordError(
                f"expected a record of schema {SCHEMA} in '{path}', found {error}; remove it and "
                "measure again with `ladon serve model=... --check-determinism`"
            ) from error


def sentence(record: Record) -> str:
    """What was identical, and where; never more than that."""
    again, crowd = record.total(ALONE), record.total(CROWDED)
    seen = "" if record.running is None else f" (the server worked on {record.running} at a time)"
    others = " Others asked the server meanwhile." if record.disturbed else ""
    return (
        f"Measured with deterministic={str(record.deterministic).lower()}, vLLM "
        f"{record.server_version or 'of unknown version'}, {_where(record)}: of "
        f"{crowd.requests} requests, asked alone twice, {_same(again)} were identical; asked alone "
        f"and in a crowd of {record.crowd}{seen}, {_same(crowd)}.{others}"
    )


def newest(folder: Path, spec_sha256: str) -> tuple[str, Record] | None:
    """Name of the server and record of the last measurement of such a server below `folder`.

    A record that cannot be read counts as none.
    """
    found = []
    for path in folder.glob(f"*/{FILE}"):
        try:
            record = Record.load(path)
        except (DeterminismRecordError, OSError):
            continue
        if record.spec_sha256 == spec_sha256:
            found.append((record.measured, path.parent.name, record))
    return max(found, key=lambda one: one[:2])[1:] if found else None


def _same(found: Count) -> str:
    if found.logprobs is None:
        return f"{found.texts} texts"
    return f"{found.texts} texts and the log-probabilities of {found.logprobs}"


def _where(record: Record) -> str:
    hardware = record.hardware
    named = hardware.get("gpu") or hardware.get("processor") or hardware.get("gres")
    count = hardware.get("gpus") or 0
    if record.device == "cpu":
        return f"on processors ({named})" if named else "on processors"
    return f"on {count} GPU{'s' if count != 1 else ''}" + (f" ({named})" if named else "")
