"""What points share: the same code on the same inputs is run, and judged, once.

Twenty trials of a model that writes the same module twenty times cost one execution. What an
execution made is kept below `executions/` under a hash of what it was made from, as further names
of the same files, and is put there by rename: two that come at the same time both compute, and the
second finds the first. Only what came to an end by itself is kept: an execution that failed may
have failed because of where it ran.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.files import (
    folder_beside,
    read_json,
    sha256_file,
    sha256_json,
    take_away,
    write_json,
)
from pipeline.steps.context import Place

FOLDER = Path("executions")


def key_of(place: Place, record: dict[str, Any]) -> str:
    """Name of the execution that a record tells of."""
    made_from = (place.stage, record["solution_sha256"], record["inputs_sha256"])
    return sha256_json(list(made_from))[:32]


def take_over(place: Place, record: dict[str, Any]) -> dict[str, str] | None:
    """Link the files of an execution of the same code on the same inputs into the stage's folder.

    The hashes of the files, as in a record; None where there is no such execution, or where a file
    of it is gone or changed.
    """
    kept = FOLDER / key_of(place, record)
    if not (kept / "execution.json").exists():
        return None
    execution = read_json(kept / "execution.json")
    files: dict[str, str] = execution["files"]
    if any(not _is(kept / name, digest) for name, digest in files.items()):
        take_away(kept)
        return None
    for name in files:
        _link(kept / name, place.folder / name)
    write_json(place.folder / "timing.json", {**execution["timing"], "taken_over": True})
    return files


def keep(place: Place, record: dict[str, Any], timing: dict[str, Any]) -> None:
    """Keep an execution that came to its end for the points after this one."""
    kept = FOLDER / key_of(place, record)
    if record["status"] != "ok" or kept.exists():
        return
    with folder_beside(kept) as new:
        for name in record["files"]:
            _link(place.folder / name, new / name)
        write_json(new / "execution.json", {"files": record["files"], "timing": timing})
        with suppress(OSError):  # somebody was faster
            os.rename(new, kept)


def verdict_file(place: Place, record: dict[str, Any]) -> Path | None:
    """Where the verdict on an execution against this reference is kept; None where it is not."""
    if record["status"] != "ok":
        return None
    kept = FOLDER / key_of(place, record)
    if not (kept / "execution.json").exists():
        return None
    if read_json(kept / "execution.json")["files"] != record["files"]:
        return None  # the same code gave something else
    reference = sha256_file(place.reference_folder / "record.json")
    judged_as = sha256_json([reference, place.plan.solver, place.plan.reference])
    return kept / f"verdict-{judged_as[:16]}.json"


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256_file(path) == digest


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, target)
