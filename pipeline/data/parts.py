"""Parts of a fileset: each file in exactly one of them, so that each job loads what is its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from executors.base import is_remote
from pipeline.data.chunks import cut
from pipeline.data.errors import VerificationError
from pipeline.data.fetch.transfer import JOBS
from pipeline.data.file_entry import entries_of
from pipeline.data.identity import basename
from pipeline.data.manifest import ManifestFile
from pipeline.data.probe import Problem
from pipeline.data.remote import patient
from pipeline.data.verify import Mode, verify_file
from pipeline.data_settings import DataSettings
from pipeline.files import read_json, sha256_json, write_json

PARTS_SCHEMA = 1
FACTS = (
    "kind", "complete", "dsid", "xsec_pb", "filter_efficiency", "k_factor", "sum_of_weights",
)  # fmt: skip
"""What a job has to know of a sample besides its files (see `convert.runner.facts_of`)."""


def part_path(folder: Path, number: int) -> Path:
    """The file of a part in the folder of a fileset's parts."""
    return folder / f"{number}.json"


def write_parts(fileset: Mapping[str, Any], parts: int, index: Path) -> None:
    """Write the parts below `<index without .json>/`, and then `index`, which counts them.

    A part is a fileset of its own, with the files that fall to it; `number` of a file is its place
    among its sample's files in the whole fileset. Files go to parts in their order, each part with
    about the same number of bytes; a part may have no file.
    """
    folder = index.with_suffix("")
    chunks: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for chunk in fileset["chunks"]:
        chunks.setdefault((chunk["sample"], chunk["path"]), []).append(chunk)
    head = {k: v for k, v in fileset.items() if k not in ("samples", "chunks", "notes")}
    files = 0
    for number, own in enumerate(_shares(fileset, parts)):
        samples: dict[str, Any] = {}
        mine: list[dict[str, Any]] = []
        for name, place, file in own:
            about = fileset["samples"][name]
            sample = samples.setdefault(name, {**{k: about[k] for k in FACTS}, "files": []})
            sample["files"].append({**file, "number": place})
            mine += chunks.get((name, file["path"]), [])
        files += len(own)
        part = {**head, "part": number, "parts": parts, "samples": samples, "chunks": mine}
        write_json(part_path(folder, number), part)
    write_json(index, {"schema": PARTS_SCHEMA, "parts": parts, "files": files})


def _shares(
    fileset: Mapping[str, Any], parts: int
) -> Iterator[list[tuple[str, int, Mapping[str, Any]]]]:
    """(sample, place, file) of each part, in the order of the fileset."""
    every = [
        (name, place, file)
        for name, sample in fileset["samples"].items()
        for place, file in enumerate(sample["files"])
    ]
    total = sum(file["size"] for _, _, file in every) or 1
    found: list[list[tuple[str, int, Mapping[str, Any]]]] = [[] for _ in range(parts)]
    before = 0
    for one in every:
        middle = before + one[2]["size"] / 2
        found[min(parts - 1, int(parts * middle / total))].append(one)
        before += one[2]["size"]
    yield from found


def read_part(index: Path, number: int) -> dict[str, Any]:
    """A part of the fileset whose parts `index` counts."""
    part: dict[str, Any] = read_json(part_path(index.with_suffix(""), number))
    return part


def counted_part(part: Mapping[str, Any], data: DataSettings) -> dict[str, Any]:
    """The part with its files verified, their entries counted, and cut into chunks.

    Several files are looked at at a time; one on the network whose entries the manifest knows is
    not opened. A file that is not what the manifest says, or cannot be read, has a problem: one of
    many thousands must not stop the others, but its sample is not complete any more. It has no
    chunks, unless the number of its entries is all that is wrong.
    """
    files = [(n, file) for n, sample in part["samples"].items() for file in sample["files"]]
    with ThreadPoolExecutor(JOBS) as pool:
        found = pool.map(lambda own: _count(own[1], part, data), files)
        counts = [
            {"sample": name, "number": file["number"], **told}
            for (name, file), told in zip(files, found, strict=True)
        ]
    return with_counts(part, counts, data.chunk_size)


def may_be_read(fileset: Mapping[str, Any], file: Mapping[str, Any]) -> bool:
    """Whether a file of a fileset can be read as far as is known.

    One without entries has a problem where files were counted; where that is left to the jobs of
    convert, nobody has opened any.
    """
    return file["entries"] is not None or not fileset.get("counted", True)


def with_counts(
    fileset: Mapping[str, Any], counts: list[dict[str, Any]], chunk_size: int
) -> dict[str, Any]:
    """A fileset, or a part of one, with what was counted: entries, problems, and the chunks."""
    told = {(c["sample"], c["number"]): c for c in counts}
    samples, chunks = {}, []
    for name, sample in fileset["samples"].items():
        files, problems = [], []
        for place, file in enumerate(sample["files"]):
            found = told[name, file.get("number", place)]
            files.append({**file, **{k: found[k] for k in ("entries", "verified", "problem")}})
            if found["problem"] is not None:
                problems.append(found["problem"]["message"])
            if found["entries"]:
                chunks += cut(
                    name, _listed(file), file["path"], file["size"], found["entries"],
                    chunk_size,
                )  # fmt: skip
        complete = bool(sample["complete"]) and not problems
        samples[name] = {**sample, "files": files, "complete": complete}
        if problems:
            said = "; ".join([*filter(None, [sample.get("reason")]), *problems[:MOST_SAID]])
            samples[name] |= {"reason": said, "normalisable": False}
    return {**fileset, "samples": samples, "chunks": [c.plain() for c in chunks]}


MOST_SAID = 3
"""Problems of files that the reason of an incomplete sample quotes."""


def _count(file: Mapping[str, Any], part: Mapping[str, Any], data: DataSettings) -> dict[str, Any]:
    listed, where = _listed(file), str(file["path"])
    tree, size = part["tree"], file["size"]
    counted: int | Problem
    try:
        if is_remote(where):
            # Its size was compared before; where the entries are known nothing is opened.
            verified: Mode = "none" if data.verify == "none" else "size"
            counted = patient(lambda: entries_of(listed, where, size, verified, tree), where)
        else:
            verified = verify_file(Path(where), listed, data.verify)
            counted = entries_of(listed, where, size, verified, tree)
    except (VerificationError, FileNotFoundError) as error:
        counted, verified = Problem("verification", str(error)), "none"
    entries = None if isinstance(counted, Problem) else counted
    problem = counted if isinstance(counted, Problem) else None
    if entries is not None and listed.entries not in (None, entries):
        message = f"expected {listed.entries} entries in {basename(where)}, found {entries}"
        problem = Problem("entries", message)  # what is there is converted all the same
    return {
        "entries": entries,
        "verified": verified,
        "problem": None if problem is None else asdict(problem),
    }


def _listed(file: Mapping[str, Any]) -> ManifestFile:
    return ManifestFile(file["uri"], file["size"], file["adler32"], file["entries"])


def part_sha256(part: Mapping[str, Any]) -> str:
    """Hash of what a part is, wherever its files lie."""
    return sha256_json(_without_places(part))


def _without_places(content: Any) -> Any:
    if isinstance(content, Mapping):
        kept = {k: v for k, v in content.items() if k not in ("path", "location")}
        return {k: _without_places(v) for k, v in kept.items()}
    if isinstance(content, list):
        return [_without_places(item) for item in content]
    return content
