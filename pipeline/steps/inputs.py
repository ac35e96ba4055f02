"""What an execution or a try depends on besides its code, as one hash."""

from __future__ import annotations

from typing import Any

from pipeline.files import read_json, sha256_json
from pipeline.steps.context import Place


def inputs_of(place: Place) -> dict[str, Any]:
    """The fileset, the reference, and what the stages before wrote, as they would be anywhere."""
    upstream = {
        stage: read_json(folder / "record.json")["files"]
        for stage, folder in place.upstream().items()
    }
    return {
        "fileset": without_places(place.fileset()),
        "reference": place.plan.reference,
        "upstream": upstream,
    }


def inputs_sha256(place: Place, code_sha256: str) -> str:
    """Hash of everything that the result of running this code depends on."""
    return sha256_json({"solution": code_sha256, **inputs_of(place)})


def without_places(fileset: Any) -> Any:
    """The fileset as it would be anywhere else: what the files are, not where they lie."""
    if isinstance(fileset, dict):
        kept = {k: v for k, v in fileset.items() if k not in ("path", "location")}
        return {k: without_places(v) for k, v in kept.items()}
    if isinstance(fileset, list):
        return [without_places(item) for item in fileset]
    return fileset
