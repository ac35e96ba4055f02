"""What Snakemake has under way: the marks that it keeps of outputs that are not finished."""

from __future__ import annotations

import binascii
import os
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.status.reading import Reader, mtime_of

MARKS = Path(".snakemake") / "incomplete"
"""One file for each output, named by its path in base64 (snakemake.persistence, file back end)."""


@dataclass(frozen=True)
class Flight:
    """One output that is being made: since when, and by which SLURM job, if by one."""

    since: float
    """When it was sent to SLURM, or was begun there or here."""
    job: str | None
    """Snakemake's mark names it from the submission until the job begins, and then no more."""


def flights(run: Path, reader: Reader, began: float) -> dict[str, Flight]:
    """Output, relative to the run -> its flight; marks from before this start are of a dead one."""
    found = {}
    for path, name in _marks(run / MARKS, ""):
        output = _decoded(name)
        since = mtime_of(path)
        if output is None or since is None or since < began - 1:
            continue
        job = (reader.json(path) or {}).get("external_jobid")
        found[output] = Flight(since, None if job is None else str(job))
    return found


def comments_of(output: str) -> tuple[str, ...]:
    """The comments that Snakemake's SLURM plugin may give the job that makes this output.

    rule_<rule>_wildcards_<wildcards>, with every slash as an underscore.
    """
    folder, _, file = output.rpartition("/")
    owner, _, stage = folder.rpartition("/")
    words: dict[str, tuple[tuple[str, ...], ...]] = {
        "solution.py": (("solve", owner, stage), ("adopt", owner, stage)),
        "record.json": (("convert", owner), ("gather", owner))
        if stage == "convert"
        else (("execute", owner, stage),),
        "verdict.json": (("judge", owner.removeprefix("points/"), stage),),
        "results.json": (("collect", stage),),
    }
    if folder == "fileset":
        key, _, rest = file.partition(".")
        found: tuple[tuple[str, ...], ...] = (
            (("synthesize", key),)
            if rest == "synthetic.json"
            else (("fileset", key), ("fileset_parts", key))
        )
    else:
        found = words.get(file, ())
    if owner.endswith("/convert") and stage == "parts":
        number = file.removesuffix(".json")
        found = (("convert_part", owner.removesuffix("/convert"), number),)
    if output == "report.html":
        return ("rule_report",)
    return tuple(
        f"rule_{rule}_wildcards_{'_'.join(wildcards).replace('/', '_')}"
        for rule, *wildcards in found
    )


def _marks(folder: Path, before: str) -> Iterator[tuple[Path, str]]:
    """Every mark with its whole name: long ones are cut into folders that begin with @."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("@"):
            yield from _marks(Path(entry.path), before + entry.name[1:])
        else:
            yield Path(entry.path), before + entry.name


def _decoded(name: str) -> str | None:
    try:
        return urlsafe_b64decode(name.encode()).decode()
    except (binascii.Error, ValueError):
        return None
