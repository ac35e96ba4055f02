"""The endpoint record: what a server is and how it is, for everyone who can read its folder."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from executors.serving.errors import RecordError
from executors.serving.folder import write_private
from executors.serving.spec import Launch

Status = Literal["PENDING", "LOADING", "READY", "DRAINING", "FAILED", "STOPPED"]
SCHEMA = 1

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    "PENDING": frozenset({"LOADING", "FAILED", "STOPPED"}),
    "LOADING": frozenset({"READY", "DRAINING", "FAILED", "STOPPED"}),
    "READY": frozenset({"LOADING", "DRAINING", "FAILED", "STOPPED"}),
    "DRAINING": frozenset({"FAILED", "STOPPED"}),
    "FAILED": frozenset(),
    "STOPPED": frozenset(),
}
"""What may follow what; READY to LOADING is a restart, and nothing follows an end."""
ENDED: frozenset[Status] = frozenset({"FAILED", "STOPPED"})
COMING: frozenset[Status] = frozenset({"PENDING", "LOADING", "READY"})
"""A server that new users may wait for."""


@dataclass(frozen=True)
class Endpoint:
    """A server; times are seconds since 1970 (UTC), None where it has not happened."""

    server: str
    """Name of its folder."""
    status: Status
    model: str
    """Name in the catalogue."""
    served_name: str
    repository: str
    revision: str | None
    spec_sha256: str
    gpus: int
    nodes: int
    owner: str
    """The run that it was started for; empty for one that was started by hand."""
    api_key_file: str
    submitted: float
    base_url: str | None = None
    """Up to and with /v1."""
    job: str | None = None
    node: str | None = None
    started: float | None = None
    ready: float | None = None
    walltime_end: float | None = None
    heartbeat: float | None = None
    """When its keeper last looked at it."""
    last_used: float | None = None
    ended: float | None = None
    restarts: int = 0
    """Times that it was started again after it had died."""
    reason: str | None = None
    """Why it is in this status, in a sentence."""
    metrics: dict[str, Any] | None = None
    """The newest line of metrics.jsonl."""
    energy_j: float | None = None
    """Energy of the GPUs of the first node since the start, where nvidia-smi tells their power."""
    energy_note: str | None = None
    """Why there is no energy."""
    schema: int = SCHEMA

    @classmethod
    def of(cls, launch: Launch, server: str, key_file: Path) -> Endpoint:
        """The record of a server that is about to be submitted."""
        spec = launch.spec
        return cls(
            server=server,
            status="PENDING",
            model=spec.name,
            served_name=spec.served_name,
            repository=spec.repository,
            revision=spec.revision,
            spec_sha256=spec.sha256,
            gpus=spec.gpus,
            nodes=spec.nodes,
            owner=launch.owner,
            api_key_file=str(key_file),
            submitted=time.time(),
        )

    def to(self, status: Status, **changes: Any) -> Endpoint:
        """This record in another status; RecordError if that may not follow."""
        if status not in TRANSITIONS[self.status]:
            allowed = ", ".join(sorted(TRANSITIONS[self.status])) or "nothing"
            raise RecordError(
                f"expected {allowed} to follow {self.status} of server {self.server!r}, found "
                f"{status!r}"
            )
        ended = {"ended": time.time()} if status in ENDED else {}
        return replace(self, status=status, **{**ended, **changes})

    def with_(self, **changes: Any) -> Endpoint:
        """This record in the same status; RecordError if the server has ended."""
        if self.status in ENDED or "status" in changes:
            raise RecordError(
                f"expected the record of server {self.server!r} ({self.status}) to stay as it is, "
                f"found changes of {', '.join(sorted(changes))}"
            )
        return replace(self, **changes)

    def save(self, path: Path) -> None:
        """Write it by rename, for the user alone."""
        write_private(path, json.dumps(asdict(self), indent=1, sort_keys=True) + "\n")

    @classmethod
    def load(cls, path: Path) -> Endpoint:
        """The record at `path`; RecordError if it is none, FileNotFoundError without a file."""
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            known = {f.name: plain[f.name] for f in fields(cls) if f.name in plain}
            endpoint = cls(**known)
        except (json.JSONDecodeError, TypeError) as error:
            raise RecordError(
                f"expected an endpoint record in '{path}', found {error}; remove its folder "
                "and start the server again"
            ) from error
        if endpoint.schema != SCHEMA or endpoint.status not in get_args(Status):
            raise RecordError(
                f"expected an endpoint record of schema {SCHEMA} in '{path}', found schema "
                f"{endpoint.schema!r} and status {endpoint.status!r}"
            )
        return endpoint
