"""What convert costs in processor seconds, as it was measured, and how much it leaves on disk."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.files import RunFileError, read_json, write_json
from pipeline.plan.amount import Amount, total
from pipeline.settings import Settings

SCHEMA = 2
"""1 had seconds by the clock."""
STORED = Path(__file__).with_name("throughput.json")
OWN = Path("throughput.json")
"""Below run.outputs: what `ladon plan --measure` found on this machine; it goes before STORED."""
ELSEWHERE = 2.0
"""Factor to which a rate is taken to hold on another machine, or on other files: an assumption, of
the size of the difference between processors and file systems of ten years."""
OF_REAL = 1.3
"""Factor to which what is kept of one real file is taken to hold for others: as of their bytes."""
FEW_EVENTS = 10_000
OF_FEW = 5.0
"""Factor to which fewer than FEW_EVENTS events say how fast many are: an assumption, for baskets,
caches and rare large events that such a file does not have."""


@dataclass(frozen=True)
class Calibration:
    """Convert of one channel and selection, measured chunk by chunk on one core."""

    channel: str
    selection: str
    s_per_event: float
    s_per_chunk: float
    """Processor seconds that a chunk takes besides those of its events."""
    s_per_file: float
    """That opening a file takes; its chunks in one process share it."""
    s_per_process: float
    """That a worker takes to start, and to load everything."""
    slowest: float
    fastest: float
    """Time of the slowest and of the fastest chunk over what these two numbers give."""
    kept_bytes_per_event: float
    """Of chunk store and tables, per event read."""
    max_rss_mb: float
    chunks: int
    events: int
    file: str
    adler32: str
    synthetic: bool
    executor: str
    """Kind of the worker that was measured."""
    machine: str
    code_sha256: str

    @property
    def what(self) -> str:
        """What it was measured on, in words."""
        made = "synthetic" if self.synthetic else "real"
        return (
            f"measured on {self.chunks} chunks of {self.file} ({made}), one worker "
            f"({self.executor}) on {self.machine}, in processor seconds"
        )

    @property
    def events_per_s(self) -> float:
        """In very large chunks."""
        return 1 / (self.s_per_event or self.s_per_chunk)

    def seconds(self, events: Amount, chunks: Amount, files: Amount, processes: Amount) -> Amount:
        """Processor seconds for so many events in so many chunks, openings of files and workers.

        Wider on another machine, for files that are not synthetic, and where few were measured.
        """
        work = total(
            [
                events.times(self.s_per_event), chunks.times(self.s_per_chunk),
                files.times(self.s_per_file), processes.times(self.s_per_process),
            ]
        )  # fmt: skip
        spread = Amount(1.0, self.fastest, self.slowest, "")
        said = self.what
        if self.machine != machine() or self.synthetic:
            spread = spread.times(Amount.within(1.0, ELSEWHERE, ""))
            said += f"; taken to hold for other files and machines to a factor {ELSEWHERE:g}"
        if self.events < FEW_EVENTS:
            spread = spread.times(Amount.within(1.0, OF_FEW, ""))
            said += f"; of {self.events} events, to a factor {OF_FEW:g} more"
        return work.times(spread, said)

    def kept(self, events: Amount) -> Amount:
        """Bytes that convert leaves of so many events: what passes differs between files."""
        factor = ELSEWHERE if self.synthetic or self.events < FEW_EVENTS else OF_REAL
        per_event = Amount.within(self.kept_bytes_per_event, factor, "")
        return events.times(
            per_event, f"events, and what convert kept of {self.file}, to a factor {factor:g}"
        )


def machine() -> str:
    """Processor and number of cores of this machine."""
    import os

    name = platform.processor() or platform.machine()
    with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{name}, {os.cpu_count()} cores"


def calibration_of(settings: Settings) -> Calibration | None:
    """What is known for these settings: measured here, else what comes with Ladon, else None.

    Raises RunFileError for a file of measurements that holds something else.
    """
    wanted = (settings.channel.name, settings.channel.selection)
    for path in (default_file(settings), STORED):
        for known in _kept(path):
            if (known.channel, known.selection) == wanted:
                return known
    return None


def keep(found: Calibration, path: Path) -> None:
    """Put a calibration into a file of them, in the place of the one for the same selection."""
    same = (found.channel, found.selection)
    kept = [c for c in _kept(path) if (c.channel, c.selection) != same]
    plain = [asdict(c) for c in (*kept, found)]
    write_json(path, {"schema": SCHEMA, "calibrations": plain})


def _kept(path: Path) -> list[Calibration]:
    """The calibrations in a file; none of another schema, whose seconds are another thing."""
    content: Any = read_json(path) if path.is_file() else {}
    try:
        if content.get("schema") != SCHEMA:
            return []
        return [Calibration(**plain) for plain in content["calibrations"]]
    except (AttributeError, LookupError, TypeError) as error:
        raise RunFileError(
            f"expected what `ladon plan --measure` keeps in {path}, found another content "
            f"({error}); remove the file and measure again"
        ) from error


def default_file(settings: Settings) -> Path:
    """Where a measurement of this machine is kept."""
    return Path(settings.run.outputs) / OWN
