"""The folder of one server: where its record, key, leases, metrics and logs are."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

TAIL_BYTES = 100_000
_SRUN = re.compile(r"srun: (error: \S+: tasks? [\d,-]+: |launch/slurm: |Force|forcing|Job step ab)")
_RULE = "=" * 23
_BEFORE = ("Head node started.", "Running command on head node")


@dataclass(frozen=True)
class ServerFolder:
    """Names of the files of one server."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def launch(self) -> Path:
        return self.path / "launch.json"

    @property
    def record(self) -> Path:
        return self.path / "record.json"

    @property
    def script(self) -> Path:
        return self.path / "serve.sbatch"

    @property
    def key_file(self) -> Path:
        """API key of this server, mode 0600."""
        return self.path / "api_key"

    @property
    def ray_token(self) -> Path:
        """Token of this server's Ray cluster, mode 0600."""
        return self.path / "ray_token"

    @property
    def leases(self) -> Path:
        return self.path / "leases"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def stop_file(self) -> Path:
        """Its presence asks the keeper to stop; its text says why."""
        return self.path / "stop"

    def log(self, start: int) -> Path:
        """Log of vLLM's start number `start`, from 1."""
        return self.logs / f"vllm-{start}.log"

    def make(self) -> None:
        """Make the inside of the folder, with a key that nobody else knows."""
        self.leases.mkdir()
        self.logs.mkdir()
        for path in (self.key_file, self.ray_token):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(32))

    def newest_log(self) -> Path | None:
        """The log that was written to last; None if there is none yet."""
        logs = [(path.stat().st_mtime_ns, path) for path in self.logs.glob("*.log")]
        return max(logs)[1] if logs else None


def last_lines(path: Path | None, count: int = 5) -> str:
    """The last `count` lines of a log that say something, joined by ' | '; '' if there are none."""
    if path is None or not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        text = file.read().decode("utf-8", errors="replace")
    lines = _without_the_end([line.strip() for line in text.splitlines() if line.strip()])
    return " | ".join(lines[-count:])


def _without_the_end(lines: list[str]) -> list[str]:
    """`lines` without what srun and Ray tell about the end itself, which hides its reason.

    Ray tells at length how it stops its cluster. `ray symmetric-run` draws a rule before its
    program, after a line that says so, and one after it.
    """
    lines = [line for line in lines if not _SRUN.match(line)] or lines
    rules = [
        number
        for number, line in enumerate(lines)
        if line == _RULE and not (number and lines[number - 1].startswith(_BEFORE))
    ]
    return lines[: rules[-1]] if rules and rules[-1] else lines


def write_private(path: Path, text: str) -> None:
    """Write `text` for the user alone (mode 0600), by rename: readers see the old or the new."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:  # mkstemp made it with mode 0600
            file.write(text)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
