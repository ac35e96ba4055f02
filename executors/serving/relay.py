"""A scheduler at one remove: who is in a container asks the controller outside, by small files."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from executors.serving.errors import SchedulerError
from executors.serving.folder import ServerFolder, write_private
from executors.serving.scheduler import JobState, Scheduler
from executors.serving.spec import Launch

ANSWER_S = 900.0
"""An sbatch that is refused for a passing reason is tried again for some minutes."""
STATE_S = 30.0
POLL_S = 0.2


@dataclass(frozen=True)
class Relay:
    """Asks whoever answers requests in `path`, a folder that both see; see `Scheduler`."""

    path: Path
    sleep: Callable[[float], None] = time.sleep

    def submit(self, folder: ServerFolder, launch: Launch) -> str:
        """Have a server kept by the one outside; its job. SchedulerError if that is refused."""
        answer = self._ask({"what": "submit", "server": str(folder.path)}, ANSWER_S)
        if answer is None:
            raise SchedulerError(
                f"expected the controller of the run to submit the server in '{folder.path}', "
                f"found no answer in {ANSWER_S:.0f} s; it may have ended: give the same command "
                "again"
            )
        if "error" in answer:
            raise SchedulerError(str(answer["error"]))
        return str(answer["job"])

    def state(self, job: str) -> JobState:
        """How the job is; unknown where nobody answers."""
        answer = self._ask({"what": "state", "job": job}, STATE_S)
        return "unknown" if answer is None else cast(JobState, answer.get("state", "unknown"))

    def cancel(self, job: str) -> None:
        """End the job."""
        answer = self._ask({"what": "cancel", "job": job}, ANSWER_S)
        if answer is None or "error" in answer:
            why = "no answer" if answer is None else answer["error"]
            raise SchedulerError(f"expected the controller to end job {job}, found {why}")

    def _ask(self, request: dict[str, Any], within_s: float) -> dict[str, Any] | None:
        """The answer to a request; None if none comes in time."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = uuid.uuid4().hex
        asked, answered = self.path / f"{name}.request", self.path / f"{name}.answer"
        write_private(asked, json.dumps(request))
        deadline = time.monotonic() + within_s
        try:
            while not answered.exists():
                if time.monotonic() > deadline:
                    return None
                self.sleep(POLL_S)
            answer: dict[str, Any] = json.loads(answered.read_text(encoding="utf-8"))
            return answer
        finally:
            asked.unlink(missing_ok=True)
            answered.unlink(missing_ok=True)


def answer_requests(path: Path, scheduler: Scheduler, own: Callable[[Launch], Launch]) -> int:
    """Do what is asked for in `path`, by `scheduler`; how many requests there were.

    `own` makes a launch that was written inside a container one of this side: its interpreter and
    its places are others.
    """
    requests = sorted(path.glob("*.request")) if path.is_dir() else []
    for asked in requests:
        try:
            request = json.loads(asked.read_text(encoding="utf-8"))
            answer = _answer(request, scheduler, own)
        except FileNotFoundError:  # whoever asked has given up
            continue
        except (SchedulerError, ValueError, KeyError) as error:
            answer = {"error": str(error)}
        asked.unlink(missing_ok=True)
        write_private(asked.with_suffix(".answer"), json.dumps(answer))
    return len(requests)


def _answer(
    request: dict[str, Any], scheduler: Scheduler, own: Callable[[Launch], Launch]
) -> dict[str, Any]:
    if request["what"] == "state":
        return {"state": scheduler.state(str(request["job"]))}
    if request["what"] == "cancel":
        scheduler.cancel(str(request["job"]))
        return {}
    folder = ServerFolder(Path(str(request["server"])))
    launch = own(Launch.load(folder.launch))
    launch.save(folder.launch)
    return {"job": scheduler.submit(folder, launch)}
