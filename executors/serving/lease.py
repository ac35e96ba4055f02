"""A lease: the small file that says that somebody needs a server, and has to be kept fresh."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from executors.serving.folder import ServerFolder, write_private


class Lease:
    """Holds a server for `user` until it is released, or until this process ends."""

    def __init__(self, folder: ServerFolder, user: str, lease_s: float) -> None:
        self.user = user
        self.path = folder.leases / _file_name(user)
        self._text = json.dumps(
            {"user": user, "host": socket.gethostname(), "pid": os.getpid()}, sort_keys=True
        )
        self._released = threading.Event()
        write_private(self.path, self._text)
        self._thread = threading.Thread(
            target=self._keep_fresh, args=(lease_s / 4,), name="ladon-lease", daemon=True
        )
        self._thread.start()

    def release(self) -> None:
        """Give the server up; a second time does nothing."""
        self._released.set()
        self._thread.join()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _keep_fresh(self, period_s: float) -> None:
        while not self._released.wait(period_s):
            with suppress(OSError):  # a file system that fails may be well at the next try
                write_private(self.path, self._text)


def holders(folder: ServerFolder, lease_s: float) -> list[str]:
    """Who holds the server now, sorted; a lease that was not freshened for `lease_s` is over."""
    users = []
    for path in folder.leases.glob("*.json"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime < lease_s:
                users.append(str(json.loads(path.read_text(encoding="utf-8"))["user"]))
    return sorted(users)


def _file_name(user: str) -> str:
    """A name of its own for every user, process and host."""
    words = re.sub(r"[^A-Za-z0-9._-]+", "-", user)[-80:]
    unique = f"{user}/{socket.gethostname()}/{os.getpid()}/{threading.get_ident()}"
    return f"{words}-{hashlib.sha256(unique.encode()).hexdigest()[:8]}.json"
