"""How fast convert is on one core, as it was measured, and how much it leaves on disk."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.files import read_json, write_json
from pipeline.plan.amount import Amount
from pipeline.settings import Settings

STORED = Path(__file__).with_name("throughput.json")
OWN = Path("throughput.json")
"""Below run.outputs: what `ladon plan --measure` found on this machine; it goes before STORED."""
ELSEWHERE = 2.0
"""Factor to which a rate is taken to hold on another machine, or on other files: an assumption, of
the size of the difference between processors and file systems of ten years."""


@dataclass(frozen=True)
class Calibration:
    """Convert of one channel and selection, measured chunk by chunk on one core."""

    channel: str
    selection: str
    events_per_s: tuple[float, float, float]
    """Of a chunk: median, slowest, fastest."""
    kept_bytes_per_event: float
    """Of chunk store and tables, per event read."""
    max_rss_mb: float
    chunks: int
    events: int
    file: str
    adler32: str
    synthetic: bool
    machine: str
    code_sha256: str

    @property
    def what(self) -> str:
        """What it was measured on, in words."""
        made = "synthetic" if self.synthetic else "real"
        return (
            f"measured on {self.chunks} chunks of {self.file} ({made}), one core of {self.machine}"
        )

    def rate(self) -> Amount:
        """Events per second of a core; wider on another machine, and if the file was synthetic."""
        value, low, high = self.events_per_s
        if self.machine == machine() and not self.synthetic:
            return Amount(value, low, high, self.what)
        said = f"{self.what}; taken to hold for other files and machines to a factor {ELSEWHERE:g}"
        return Amount(value, low, high, said).times(Amount.within(1.0, ELSEWHERE, ""), said)


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
    """What is known for these settings: measured here, else what comes with Ladon, else None."""
    wanted = (settings.channel.name, settings.channel.selection)
    for path in (Path(settings.run.outputs) / OWN, STORED):
        if not path.is_file():
            continue
        for plain in read_json(path)["calibrations"]:
            if (plain["channel"], plain["selection"]) == wanted:
                return Calibration(**{**plain, "events_per_s": tuple(plain["events_per_s"])})
    return None


def keep(found: Calibration, path: Path) -> None:
    """Put a calibration into a file of them, in the place of the one for the same selection."""
    kept: list[dict[str, Any]] = read_json(path)["calibrations"] if path.is_file() else []
    same = (found.channel, found.selection)
    kept = [c for c in kept if (c["channel"], c["selection"]) != same]
    write_json(path, {"schema": 1, "calibrations": [*kept, asdict(found)]})


def default_file(settings: Settings) -> Path:
    """Where a measurement of this machine is kept."""
    return Path(settings.run.outputs) / OWN
