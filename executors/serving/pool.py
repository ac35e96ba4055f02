"""The servers of a folder: find one that is there or coming, start, look after the lost, stop."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from executors.serving.errors import SchedulerError
from executors.serving.folder import ServerFolder, last_lines, write_private
from executors.serving.lease import holders
from executors.serving.record import COMING, ENDED, Endpoint, Status
from executors.serving.scheduler import Scheduler
from executors.serving.spec import Launch, ServeSpec

FRESH_S = 60.0
"""A heartbeat that is older (and older than six looks) makes one ask the scheduler."""
SILENT_S = 600.0
"""A server whose job runs and whose keeper says nothing for so long is lost all the same."""
STOP_S = 120.0
"""A server that is asked to stop has so long before its job is ended."""
BIRTH_S = 60.0
"""A folder without a record is one that is being made for so long."""
SUBMIT_S = 900.0
"""A record without a job is being submitted for so long: sbatch may be refused for a while."""


@dataclass(frozen=True)
class Pool:
    """All servers below `path`, which every node sees."""

    path: Path
    scheduler: Scheduler
    clock: Callable[[], float] = time.time

    def servers(self) -> Iterator[tuple[ServerFolder, Endpoint]]:
        """Every server that has a record, in the order of their names."""
        if not self.path.is_dir():
            return
        for place in sorted(self.path.iterdir()):
            folder = ServerFolder(place)
            if folder.record.is_file():
                yield folder, Endpoint.load(folder.record)

    def find(self, spec: ServeSpec) -> ServerFolder | None:
        """A server of exactly this that is ready, or else one that is coming; None if none is."""
        found = []
        for folder, endpoint in self.servers():
            if endpoint.spec_sha256 == spec.sha256 and endpoint.status in COMING:
                endpoint = self.look(folder)
                if endpoint.status in COMING and not folder.stop_file.exists():
                    found.append((endpoint.status != "READY", folder.name, folder))
        return min(found)[2] if found else None

    def look(self, folder: ServerFolder, doubted: bool = False) -> Endpoint:
        """The record of a server, after asking whether it is still true.

        One whose job has ended without a word is marked FAILED. The scheduler is asked where the
        job has not begun, where the heartbeat is old, or where the caller has `doubted` it.
        """
        endpoint = Endpoint.load(folder.record)
        job = job_of(folder, endpoint)
        age = self.clock() - (endpoint.heartbeat or endpoint.submitted)
        if endpoint.status in ENDED:
            return endpoint
        if job is None:
            if age < SUBMIT_S:
                return endpoint
            return self._mark(folder, "FAILED", "whoever started it ended before its job was sent")
        poll_s = Launch.load(folder.launch).site.poll_s
        if endpoint.status != "PENDING" and not doubted and age < max(FRESH_S, 6 * poll_s):
            return endpoint
        state = self.scheduler.state(job)
        silent = endpoint.status != "PENDING" and age > SILENT_S
        if state != "gone" and not (state == "running" and silent):
            return endpoint
        if state == "running":
            self.scheduler.cancel(job)
            why = f"its keeper gave no sign of life for {age:.0f} s"
        else:
            why = f"its job {job} ended without a word (cancelled, killed, or its node failed)"
        return self._mark(folder, "FAILED", why)

    def start(self, launch: Launch, name: str | None = None) -> ServerFolder | None:
        """Submit a server; its folder, or None if somebody else began to start the same one.

        `name` is what `next_name` gave before the caller looked for a server and found none.
        Raises SchedulerError, and leaves a FAILED record, where the scheduler refuses.
        """
        folder = ServerFolder(self.path / (name or self.next_name(launch.spec)))
        try:
            folder.path.mkdir(mode=0o700)  # whoever makes it starts the server
        except FileExistsError:
            return None
        folder.make()
        launch.save(folder.launch)
        Endpoint.of(launch, folder.name, folder.key_file).save(folder.record)
        try:
            write_private(_job_file(folder), self.scheduler.submit(folder, launch))
        except SchedulerError as error:
            self._mark(folder, "FAILED", str(error))
            raise
        return folder

    def stop(
        self, folder: ServerFolder, why: str, within_s: float = STOP_S, sleep_s: float = 0.5
    ) -> Endpoint:
        """Ask a server to stop, then end its job; its record when it has ended.

        SchedulerError if nothing of it can be seen to end.
        """
        endpoint = self.look(folder)
        if endpoint.status in ENDED:
            return endpoint
        folder.stop_file.write_text(f"{why}\n", encoding="utf-8")
        job = job_of(folder, endpoint)
        waiting = job is None or self.scheduler.state(job) in ("waiting", "gone")
        deadline = time.monotonic() + (0.0 if waiting else within_s)
        while time.monotonic() < deadline:
            endpoint = Endpoint.load(folder.record)
            if endpoint.status in ENDED:
                return endpoint
            time.sleep(sleep_s)
        if job is not None:
            self.scheduler.cancel(job)
        if Endpoint.load(folder.record).status not in ENDED:
            self._mark(folder, "STOPPED", why)
        return Endpoint.load(folder.record)

    def stop_all(self, owner: str | None, why: str, within_s: float = STOP_S) -> list[Endpoint]:
        """Stop every server that was started for the run `owner` (None: all); what became of them.

        A server that another run holds by a fresh lease is left to it. All are asked first: each
        has `within_s` to end by itself, and none waits for another.
        """
        asked = self.ask_to_stop(owner, why)
        return [self.stop(folder, why, within_s) for folder in asked]

    def ask_to_stop(
        self, owner: str | None, why: str, spec: ServeSpec | None = None
    ) -> list[ServerFolder]:
        """Ask the same servers (those of one `spec`, where one is given); wait for none of them."""
        found = []
        for folder, endpoint in self.servers():
            if endpoint.status in ENDED or (owner is not None and endpoint.owner != owner):
                continue
            if spec is not None and endpoint.spec_sha256 != spec.sha256:
                continue
            lease_s = Launch.load(folder.launch).site.lease_s
            others = [user for user in holders(folder, lease_s) if user.partition("/")[0] != owner]
            if owner is None or not others:
                folder.stop_file.write_text(f"{why}\n", encoding="utf-8")
                found.append(folder)
        return found

    def is_being_made(self, spec: ServeSpec) -> bool:
        """Whether somebody has just begun to start such a server, and it has no record yet."""
        if not self.path.is_dir():
            return False
        return any(
            place.name.startswith(_prefix(spec))
            and not ServerFolder(place).record.exists()
            and self.clock() - place.stat().st_mtime < BIRTH_S
            for place in self.path.iterdir()
        )

    def failures(self, spec: ServeSpec, since: float) -> list[Endpoint]:
        """The servers of exactly this that failed after `since` (seconds since 1970)."""
        return [
            endpoint
            for _, endpoint in self.servers()
            if endpoint.spec_sha256 == spec.sha256
            and endpoint.status == "FAILED"
            and (endpoint.ended or 0.0) >= since
        ]

    def next_name(self, spec: ServeSpec) -> str:
        """Name of the next server of exactly this; two who ask at once are told the same."""
        self.path.mkdir(parents=True, exist_ok=True)
        prefix = _prefix(spec)
        numbers = [
            int(place.name.removeprefix(prefix))
            for place in self.path.iterdir()
            if re.fullmatch(re.escape(prefix) + r"\d+", place.name)
        ]
        return f"{prefix}{max(numbers, default=0) + 1:03d}"

    def _mark(self, folder: ServerFolder, status: Status, why: str) -> Endpoint:
        """Have the last word on a server, unless its keeper has had it."""
        endpoint = Endpoint.load(folder.record)
        if endpoint.status not in ENDED:
            endpoint = endpoint.to(status, reason=why)
            endpoint.save(folder.record)
        return endpoint


def job_of(folder: ServerFolder, endpoint: Endpoint) -> str | None:
    """Identifier of the server's job; None before it was submitted."""
    if endpoint.job is not None:
        return endpoint.job
    file = _job_file(folder)
    return file.read_text(encoding="utf-8").strip() if file.exists() else None


def end_of_log(folder: ServerFolder) -> str:
    """The newest log of a server by name, and its last lines."""
    log = folder.newest_log()
    said = last_lines(log)
    return (
        f"its log '{log}' ends: {said!r}" if said else f"it has written no log in '{folder.logs}'"
    )


def _job_file(folder: ServerFolder) -> Path:
    return folder.path / "job"


def _prefix(spec: ServeSpec) -> str:
    return f"{re.sub(r'[^A-Za-z0-9._]+', '-', spec.name)}-{spec.sha256[:8]}-"
