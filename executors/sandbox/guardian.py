"""A process that ends another one when we are gone, however we went."""

from __future__ import annotations

import subprocess

SCRIPT = 'read -r _; kill -KILL "$1"'
"""`read` returns when nobody holds the other end of its pipe any more."""


class Guardian:
    """Watches over process `pid` from outside of its sandbox until `dismiss`.

    For programs that lose their parent-death signal: the kernel keeps it for a thread, and one
    written in Go replaces itself from whichever thread it happens to run on.
    """

    def __init__(self, pid: int) -> None:
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", SCRIPT, "sh", str(pid)],
            env={},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Stop watching; to be called before `pid` can be another process's. May be repeated."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
