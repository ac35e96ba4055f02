"""Convert in parts: what jobs make apart is, gathered, what one job makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from executors import make_executor
from pipeline.data.parts import counted_part, read_part, write_parts
from pipeline.data.verify import adler32_file
from pipeline.files import read_json, sha256_file
from pipeline.settings import Settings
from pipeline.stages.convert.contract import reference_path
from pipeline.stages.convert.part import gather, write_part
from pipeline.stages.convert.product import write_product
from pipeline.stages.convert.runner import convert_all
from tests.pipeline.stages.convert.files import fileset

Files = dict[str, list[Path]]


def whole(files: Files) -> dict[str, Any]:
    """A fileset as the step makes it, in chunks of 100 events."""
    found = fileset(files, 100)
    for sample in found["samples"].values():
        sample |= {"dsid": None, "xsec_pb": None, "filter_efficiency": None, "k_factor": None,
                   "sum_of_weights": None, "reason": None, "normalisable": True}  # fmt: skip
        for file in sample["files"]:
            path = Path(file["path"])
            file |= {"size": path.stat().st_size, "adler32": adler32_file(path),
                     "verified": "checksum", "problem": None}  # fmt: skip
    return found


def in_parts(content: dict[str, Any], settings: Settings, folder: Path, parts: int) -> Path:
    """Output of a conversion by so many jobs, one after the other."""
    solution = reference_path(settings)
    write_parts(content, parts, folder / "f.parts.json")
    for number in range(parts):
        part = read_part(folder / "f.parts.json", number)
        if not part.get("counted", True):
            part = counted_part(part, settings.data)
        with make_executor("inline") as executor:
            product = convert_all(
                solution, part, settings, folder / "chunks", executor, part=number
            )
        write_part(product, folder / "parts" / str(number))
    gather(
        [folder / "parts" / str(n) for n in range(parts)], content, settings,
        sha256_file(solution), folder / "output", folder / "sealed",
    )  # fmt: skip
    return folder


def at_once(content: dict[str, Any], settings: Settings, folder: Path) -> Path:
    with make_executor("inline") as executor:
        product = convert_all(
            reference_path(settings), content, settings, folder / "chunks", executor
        )
    write_product(product, folder / "output", folder / "sealed")
    return folder


def hashes(folder: Path) -> dict[str, str]:
    files = [p for name in ("output", "sealed") for p in (folder / name).iterdir()]
    return {p.relative_to(folder).as_posix(): sha256_file(p) for p in files}


@pytest.mark.parametrize("parts", [2, 3, 5])
def test_the_same_bits(tmp_path: Path, files: Files, settings: Settings, parts: int) -> None:
    content = whole(files)
    one = hashes(at_once(content, settings, tmp_path / "one"))
    assert hashes(in_parts(content, settings, tmp_path / "many", parts)) == one
    assert len(one) == 5  # two tables, one of them sealed, cut flow and ledger


def test_entries_that_nobody_knew_are_counted_on_the_way(
    tmp_path: Path, files: Files, settings: Settings
) -> None:
    content = whole(files)
    known = hashes(at_once(content, settings, tmp_path / "one"))
    unknown = {**whole(files), "chunks": [], "counted": False}
    for sample in unknown["samples"].values():
        for file in sample["files"]:
            file["entries"] = None
    folder = in_parts(unknown, settings, tmp_path / "many", 2)
    found = hashes(folder)
    for name in known:
        if not name.endswith("ledger.json"):
            assert found[name] == known[name], name
    counted = read_json(folder / "output" / "ledger.json")["samples"]
    listed = read_json(tmp_path / "one" / "output" / "ledger.json")["samples"]
    for name, sample in listed.items():
        assert counted[name]["entries_done"] == sample["entries_done"]
        assert counted[name]["complete"]
    counts = read_json(folder / "output" / "counts.json")
    assert sum(c["entries"] for c in counts) == sum(s["entries_done"] for s in listed.values())


def test_a_sample_that_lost_a_file_is_not_complete(
    tmp_path: Path, files: Files, settings: Settings
) -> None:
    unknown = {**whole(files), "chunks": [], "counted": False}
    (name, sample), other = list(unknown["samples"].items())
    sample["files"][1]["adler32"] = "deadbeef"
    folder = in_parts(unknown, settings, tmp_path, 3)
    ledger = read_json(folder / "output" / "ledger.json")["samples"]
    assert not ledger[name]["complete"]
    assert "adler32 deadbeef" in ledger[name]["reason"]
    assert ledger[other[0]]["complete"]


def test_a_killed_job_starts_where_it_was(tmp_path: Path, files: Files, settings: Settings) -> None:
    content = whole(files)
    in_parts(content, settings, tmp_path, 2)
    made = {p: p.stat().st_mtime_ns for p in (tmp_path / "chunks").rglob("*.json")}
    in_parts(content, settings, tmp_path, 2)
    assert made == {p: p.stat().st_mtime_ns for p in (tmp_path / "chunks").rglob("*.json")}
    assert {p.parent.name for p in made} == {"0", "1"}
