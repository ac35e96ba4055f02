"""For those who need a server: find or start one, wait for it without holding a GPU, hold it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from executors.serving.errors import ServerFailedError, ServerWaitError
from executors.serving.folder import ServerFolder
from executors.serving.lease import Lease
from executors.serving.pool import Pool, end_of_log
from executors.serving.record import COMING, Endpoint
from executors.serving.spec import Launch

FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 10.0


@dataclass(frozen=True)
class Held:
    """A ready server, held by a lease until the `with` block ends."""

    pool: Pool
    folder: ServerFolder
    endpoint: Endpoint
    lease: Lease

    @property
    def base_url(self) -> str:
        return str(self.endpoint.base_url)

    @property
    def api_key_file(self) -> str:
        return self.endpoint.api_key_file

    def is_ready(self, doubted: bool = False) -> bool:
        """Whether it may be asked further: it is READY, and where it was.

        `doubted`: a request has just failed, so that the scheduler is asked too.
        """
        now = self.pool.look(self.folder, doubted)
        return now.status == "READY" and now.base_url == self.endpoint.base_url

    def release(self) -> None:
        """Give it up."""
        self.lease.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def acquire(
    pool: Pool,
    launch: Launch,
    user: str,
    since: float,
    say: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Held:
    """A ready server of `launch.spec`, held for `user` (run/point/stage): found, or started.

    Waiting costs a look at a small file every few seconds. Servers that failed after `since`
    (seconds since 1970: when the run began) count: ServerFailedError after more deaths than the
    site's restarts. ServerWaitError if none is ready in time; SchedulerError if the scheduler
    refuses. All of them say "infrastructure". `say` is told what is waited for.
    """
    spec, site = launch.spec, launch.site
    patience_s = 60 * (site.queue_minutes + (site.restarts + 1) * site.load_minutes)
    deadline = time.monotonic() + patience_s
    while True:
        # In this order: what is there when the name is chosen has a record, or is being made; and
        # whoever begins later takes the same name, which only one of us gets.
        name, being_made = pool.next_name(spec), pool.is_being_made(spec)
        folder = pool.find(spec)
        if folder is None and not being_made:
            _check_deaths(pool, launch, since)
            folder = pool.start(launch, name)
        if folder is None:  # somebody else starts it at this moment
            sleep(FIRST_WAIT_S)
            continue
        lease = Lease(folder, user, site.lease_s)
        try:
            endpoint = _wait(pool, folder, launch, deadline, say, sleep)
        except BaseException:
            lease.release()
            raise
        if endpoint.status == "READY":
            return Held(pool, folder, endpoint, lease)
        lease.release()
        say(f"server {folder.name} is {endpoint.status}: {endpoint.reason}")


def _wait(
    pool: Pool,
    folder: ServerFolder,
    launch: Launch,
    deadline: float,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
) -> Endpoint:
    """The record when the server is ready, or when it is of no use any more."""
    queued = time.monotonic() + launch.site.queue_minutes * 60
    wait_s, told = FIRST_WAIT_S, ""
    while True:
        endpoint = pool.look(folder)
        if endpoint.status == "READY" or endpoint.status not in COMING:
            return endpoint
        if endpoint.status != told:
            told = endpoint.status
            say(f"waiting for server {folder.name} ({told})")
            wait_s = FIRST_WAIT_S
        late = queued if endpoint.status == "PENDING" else deadline
        if time.monotonic() > late:
            raise ServerWaitError(
                f"expected server {folder.name!r} of {launch.spec.repository} to be ready in time, "
                f"found it {endpoint.status} (site.serve.queue_minutes="
                f"{launch.site.queue_minutes:g}, load_minutes={launch.site.load_minutes:g}); "
                f"{end_of_log(folder)}; raise the limit, or see why the queue is long"
            )
        sleep(wait_s)
        wait_s = min(wait_s * 1.5, LONGEST_WAIT_S)


def _check_deaths(pool: Pool, launch: Launch, since: float) -> None:
    """ServerFailedError if servers of this died more often than the site starts them again."""
    failed = pool.failures(launch.spec, since)
    deaths = sum(endpoint.restarts + 1 for endpoint in failed)
    if deaths > launch.site.restarts:
        last = max(failed, key=lambda endpoint: endpoint.ended or 0.0)
        folder = ServerFolder(pool.path / last.server)
        raise ServerFailedError(
            f"expected a server of {launch.spec.repository}, found that it died {deaths} times "
            f"(site.serve.restarts={launch.site.restarts}); the last one, {last.server}: "
            f"{last.reason}; {end_of_log(folder)}; give the same command again when that is mended"
        )
