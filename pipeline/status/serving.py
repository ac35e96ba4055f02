"""The servers that a run started or holds, and what it has used of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from executors.serving.errors import RecordError
from executors.serving.folder import ServerFolder
from executors.serving.metrics import gpu_seconds
from executors.serving.record import ENDED, Endpoint
from pipeline.status.reading import Reader, Signature, names_in, number_in, signature_of
from pipeline.status.snapshot import Server

FOLDER = "servers"
"""Beside the runs, as in pipeline.serve (which is slow to import)."""


@dataclass
class Servers:
    """The servers beside a run, as far as they are the run's."""

    run: Path
    reader: Reader
    _records: dict[Path, tuple[Signature, Endpoint | None]] = field(default_factory=dict)
    _seconds: dict[Path, dict[str, float]] = field(default_factory=dict)

    def look(self, since: float | None) -> tuple[tuple[Server, ...], dict[str, float]]:
        """The servers of this start of the run (begun at `since`), and GPU-seconds by stage.

        A server is the run's if it was started for it, or if a stage of it holds it.
        """
        found: list[Server] = []
        seconds: dict[str, float] = {}
        for name in names_in(self.run.parent / FOLDER):
            folder = ServerFolder(self.run.parent / FOLDER / name)
            endpoint = self._record(folder)
            if endpoint is None:
                continue
            users = self._users(folder)
            used = self._used(folder, endpoint)
            for user, share in used.items():
                seconds[user] = round(seconds.get(user, 0.0) + share, 3)
            of_another_start = since is not None and (endpoint.ended or since) < since
            ours = endpoint.owner == self.run.name
            if users or (ours and not of_another_start):
                found.append(_told(endpoint, users))
        return tuple(found), dict(sorted(seconds.items()))

    def _record(self, folder: ServerFolder) -> Endpoint | None:
        """The record of a server; None where there is none, or no whole one."""
        signature = signature_of(folder.record)
        if signature is None:
            return None
        known = self._records.get(folder.record)
        if known is None or known[0] != signature:
            try:
                endpoint: Endpoint | None = Endpoint.load(folder.record)
            except (RecordError, OSError, KeyError, ValueError):
                endpoint = None
            known = self._records[folder.record] = (signature, endpoint)
        return known[1]

    def _users(self, folder: ServerFolder) -> tuple[str, ...]:
        """Stages of this run that hold the server by a lease."""
        found = []
        for name in names_in(folder.leases):
            told = self.reader.json(folder.leases / name) if name.endswith(".json") else None
            user = str((told or {}).get("user", ""))
            if user.startswith(f"{self.run.name}/"):
                found.append(user.removeprefix(f"{self.run.name}/"))
        return tuple(sorted(found))

    def _used(self, folder: ServerFolder, endpoint: Endpoint) -> dict[str, float]:
        """GPU-seconds of this run's stages on this server; '' is nobody's, if it was ours."""
        anew, lines = self.reader.tail(folder.metrics).read()
        total = {} if anew else self._seconds.get(folder.metrics, {})
        whole = [e for e in lines if {"users", "gpus", "seconds"} <= set(e)]
        for user, share in gpu_seconds(whole).items():
            total[user] = total.get(user, 0.0) + share
        self._seconds[folder.metrics] = total
        name = self.run.name
        ours = {u.removeprefix(f"{name}/"): s for u, s in total.items() if u.startswith(f"{name}/")}
        return ours | ({"": total[""]} if endpoint.owner == name and "" in total else {})


def _told(endpoint: Endpoint, users: tuple[str, ...]) -> Server:
    last = endpoint.metrics if endpoint.status not in ENDED and endpoint.metrics else {}
    return Server(
        name=endpoint.server,
        status=endpoint.status,
        model=endpoint.model,
        job=endpoint.job,
        node=endpoint.node,
        gpus=endpoint.gpus,
        restarts=endpoint.restarts,
        tokens_per_s=number_in(last, "generation_tokens_per_s"),
        running=number_in(last, "running"),
        waiting=number_in(last, "waiting"),
        users=users,
        reason=endpoint.reason,
    )
