"""Dask's ports run code for whoever reaches them: here, only for those who hold the run's key."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from distributed.security import Security

from executors.base import ExecutorError

WAIT_S = 60.0


def make_keys(folder: Path) -> None:
    """A key and its certificate, made now and for this cluster alone, readable by the user alone.

    The certificate comes last: who finds it finds the key.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = Security.temporary()  # type: ignore[no-untyped-call]
    for path, text in (
        (_key(folder), made.tls_client_key),
        (_certificate(folder), made.tls_ca_file),
    ):
        partial = path.with_suffix(".part")
        partial.unlink(missing_ok=True)
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(partial, path)


def security(
    folder: Path,
    by_name: bool = False,
    within_s: float = WAIT_S,
    sleep: Callable[[float], None] = time.sleep,
) -> Security:
    """Encryption with the keys of `folder`, for scheduler, workers and client; waits for them.

    Both sides of a connection show the certificate. `by_name`: the files are read whenever there is
    a connection (a worker's command line names them), and not now and once. ExecutorError if there
    are no keys in time.
    """
    deadline = time.monotonic() + within_s
    while not _certificate(folder).exists():
        if time.monotonic() > deadline:
            raise ExecutorError(
                f"expected the first task of the allocation to make keys in '{folder}', found none "
                f"after {within_s:.0f} s; look at the log of the step, and whether all nodes see "
                "that folder"
            )
        sleep(0.1)
    files = (_key(folder), _certificate(folder))
    key, certificate = (str(f) if by_name else f.read_text(encoding="utf-8") for f in files)
    roles = {
        f"tls_{role}_{what}": path
        for role in ("client", "scheduler", "worker")
        for what, path in (("key", key), ("cert", certificate))
    }
    return Security(tls_ca_file=certificate, require_encryption=True, **roles)  # type: ignore[no-untyped-call]


def remove_keys(folder: Path) -> None:
    """The cluster is over."""
    for path in (_certificate(folder), _key(folder)):
        path.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _key(folder: Path) -> Path:
    return folder / "key.pem"


def _certificate(folder: Path) -> Path:
    return folder / "certificate.pem"
