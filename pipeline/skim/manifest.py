"""The manifest of a skim, skim.json: what its parts are, what they were made from, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.data.errors import DataError
from pipeline.files import RunFileError, read_json, sha256_json
from pipeline.settings import Settings, to_dict
from pipeline.stages.convert.store import ChunkRecord, record_from

MANIFEST = "skim.json"
SKIM_SCHEMA = 1
_OF_CHANNEL = ("name", "skim", "tree", "selection", "blind", "processes")
_OF_GENERATOR = ("luminosity", "mu", "seed", "thinning")
"""What decides synthetic events besides; of real ones it is the analysis' own choice."""


class SkimError(DataError, ValueError):
    """A skim is damaged, or is not one of the events that are asked for."""


@dataclass(frozen=True)
class Part:
    """One Parquet file of a skim, `<key>.parquet`: the converted rows of one chunk."""

    key: str
    """Of the chunk store: it names entries, file, solution, channel, release and our readers."""
    sha256: str
    record: ChunkRecord


@dataclass(frozen=True)
class Skim:
    """A skim: every chunk of a fileset, converted by one solution; blinded rows marked as such."""

    key: str
    made_from: Mapping[str, Any]
    """The choices that decide which events are in it; see `choices`."""
    solution_sha256: str
    code_sha256: str
    """Of our own code that reads, blinds and keeps."""
    columns: tuple[tuple[str, str], ...]
    """(name, type) of every column of every part, the mark of blinded rows last."""
    fileset: Mapping[str, Any]
    """Sources (address, size, adler32, entries) and chunks, each path the name of its file."""
    parts: tuple[Part, ...]
    """In the order of the fileset's chunks."""

    def to_json(self) -> dict[str, Any]:
        """The content of skim.json, with totals for a reader and a hash over the whole."""
        plain = asdict(self)
        plain["parts"] = [asdict(part) for part in self.parts]
        records = [part.record for part in self.parts]
        totals = {
            name: sum(getattr(r, name) for r in records)
            for name in ("events", "rows", "blinded", "size")
        }
        content = {"schema": SKIM_SCHEMA, **plain, "totals": totals}
        return {**content, "content_sha256": sha256_json(content)}


def choices(settings: Settings) -> dict[str, Any]:
    """What must be the same for settings to mean the events of a skim.

    That they are synthetic too, made here or listed by a manifest that says so: no run may take
    them for real ones.
    """
    plain, data = to_dict(settings), settings.data
    generator = {n: plain["data"][n] for n in _OF_GENERATOR} if data.synthetic else {}
    return {
        "channel": {name: plain["channel"][name] for name in _OF_CHANNEL},
        "data": {"release": data.release, "synthetic": data.labelled_synthetic, **generator},
    }


def read_skim(folder: Path) -> Skim:
    """The skim in `folder`, its manifest checked against its own hash; the parts are not read.

    Raises SkimError where there is none, or where it was changed.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise SkimError(
            f"expected a skim in {folder}, found no {MANIFEST} there; give data.skim the folder of "
            "one below skims/ of an outputs folder, or leave it away to read the ROOT files"
        )
    try:
        content = read_json(path)
        told = content.pop("content_sha256")
        found = sha256_json(content)
        version = content["schema"]
    except (RunFileError, LookupError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise SkimError(f"expected the manifest of a skim in {path}, found none: {error}; {_NEXT}"
                        ) from error  # fmt: skip
    if told != found:
        raise SkimError(
            f"expected a manifest with the hash {told!r} in {path}, found {found}: it was changed; "
            f"{_NEXT}"
        )
    if version != SKIM_SCHEMA:
        raise SkimError(
            f"expected schema {SKIM_SCHEMA} in {path}, found {version!r}: it was made by another "
            f"version of Ladon; {_NEXT}"
        )
    return _skim(content)


_NEXT = "remove that folder and run once without data.skim to have the skim made again"


def _skim(content: Mapping[str, Any]) -> Skim:
    known = ("key", "made_from", "solution_sha256", "code_sha256", "fileset")
    return Skim(
        **{name: content[name] for name in known},
        columns=tuple((name, kind) for name, kind in content["columns"]),
        parts=tuple(
            Part(p["key"], p["sha256"], record_from(p["record"])) for p in content["parts"]
        ),
    )
