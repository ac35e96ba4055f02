"""Parts of a fileset: each file in exactly one, and what jobs count comes back into the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.configure import configure
from pipeline.data.parts import counted_part, part_sha256, read_part, with_counts, write_parts
from pipeline.data.verify import adler32_file
from tests.mirror.upstream import upstream


def fileset(sizes: list[list[int]]) -> dict[str, Any]:
    """Samples with files of these sizes, in two chunks each."""
    samples, chunks = {}, []
    for s, own in enumerate(sizes):
        files = [
            {"uri": f"u{s}.{f}", "path": f"/p/{s}/{f}", "size": size, "adler32": "0" * 8,
             "entries": 4, "verified": "size", "problem": None}
            for f, size in enumerate(own)
        ]  # fmt: skip
        samples[f"s{s}"] = {
            "kind": "data", "complete": True, "dsid": None, "xsec_pb": None, "k_factor": None,
            "filter_efficiency": None, "sum_of_weights": None, "reason": None,
            "normalisable": True, "files": files,
        }  # fmt: skip
        for f in files:
            for start in (0, 2):
                chunks.append({"id": f"{f['uri']}.{start}", "sample": f"s{s}", "path": f["path"],
                               "start": start, "stop": start + 2})  # fmt: skip
    return {"tree": "t", "samples": samples, "chunks": chunks, "notes": ["of the whole"]}


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.lists(st.integers(0, 10**9), max_size=6), min_size=1, max_size=5),
    st.integers(1, 9),
)
def test_each_file_and_each_chunk_is_in_one_part(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[list[int]], parts: int
) -> None:
    whole = fileset(sizes)
    index = tmp_path_factory.mktemp("parts") / "f.parts.json"
    write_parts(whole, parts, index)
    found = [read_part(index, number) for number in range(parts)]
    files = [
        (name, file["number"], file["path"])
        for part in found
        for name, sample in part["samples"].items()
        for file in sample["files"]
    ]
    assert sorted(files) == sorted(
        (name, place, file["path"])
        for name, sample in whole["samples"].items()
        for place, file in enumerate(sample["files"])
    )
    # in the order of the whole, so that rows can be put one after the other
    assert [c for part in found for c in part["chunks"]] == whole["chunks"]


def test_parts_are_of_about_the_same_size(tmp_path: Path) -> None:
    write_parts(fileset([[10] * 60, [20] * 20]), 10, tmp_path / "f.parts.json")
    sizes = [
        sum(f["size"] for s in read_part(tmp_path / "f.parts.json", n)["samples"].values()
            for f in s["files"])
        for n in range(10)
    ]  # fmt: skip
    assert sizes == [100] * 10


@pytest.fixture
def uncounted(tmp_path: Path) -> dict[str, Any]:
    """Two readable files of 5 and 7 entries, and a broken one, none of them counted."""
    whole = fileset([[0, 0], [0]])
    for name, place, entries in (("s0", 0, 5), ("s0", 1, 7), ("s1", 0, 0)):
        path = tmp_path / f"{name}.{place}.root"
        if entries:
            with uproot.recreate(path) as file:
                file.mktree("t", {"x": np.arange(entries)})
        else:
            path.write_bytes(b"no ROOT file")
        file = whole["samples"][name]["files"][place]
        file |= {"path": str(path), "size": path.stat().st_size, "adler32": adler32_file(path),
                 "entries": None}  # fmt: skip
    return {**whole, "chunks": [], "counted": False, "part": 0, "parts": 1}


def numbered(whole: dict[str, Any]) -> dict[str, Any]:
    for sample in whole["samples"].values():
        for place, file in enumerate(sample["files"]):
            file["number"] = place
    return whole


def test_a_job_counts_verifies_and_cuts(uncounted: dict[str, Any]) -> None:
    data = configure(["data.chunk_size=3"]).data
    found = counted_part(numbered(uncounted), data)
    assert [f["entries"] for f in found["samples"]["s0"]["files"]] == [5, 7]
    assert {f["verified"] for f in found["samples"]["s0"]["files"]} == {"checksum"}
    ranges = [(c["start"], c["stop"]) for c in found["chunks"]]
    assert ranges == [(0, 2), (2, 5), (0, 2), (2, 4), (4, 7)]
    assert found["samples"]["s0"]["complete"]
    broken = found["samples"]["s1"]
    assert broken["files"][0]["problem"]["kind"] == "corrupt"
    assert not broken["complete"]
    assert not broken["normalisable"]
    assert "expected a ROOT file" in broken["reason"]


def test_a_wrong_checksum_is_a_problem_of_that_file_alone(uncounted: dict[str, Any]) -> None:
    uncounted["samples"]["s0"]["files"][1]["adler32"] = "deadbeef"
    found = counted_part(numbered(uncounted), configure([]).data)
    first, second = found["samples"]["s0"]["files"]
    assert (first["entries"], first["problem"]) == (5, None)
    assert second["problem"]["kind"] == "verification"
    assert [c["path"] for c in found["chunks"]] == [first["path"]]


def test_another_number_of_entries_is_said_and_converted(uncounted: dict[str, Any]) -> None:
    uncounted["samples"]["s0"]["files"][0]["entries"] = 6
    found = counted_part(numbered(uncounted), configure(["data.verify=size"]).data)
    assert found["samples"]["s0"]["reason"] == "expected 6 entries in s0.0.root, found 5"
    assert not found["samples"]["s0"]["complete"]
    assert sum(c["stop"] - c["start"] for c in found["chunks"]) == 5 + 7


def test_what_jobs_counted_makes_the_same_chunks_in_the_whole(uncounted: dict[str, Any]) -> None:
    part = counted_part(numbered(uncounted), configure(["data.chunk_size=3"]).data)
    counts = [
        {"sample": name, **{k: f[k] for k in ("number", "entries", "verified", "problem")}}
        for name, sample in part["samples"].items()
        for f in sample["files"]
    ]
    assert with_counts(uncounted, counts, 3)["chunks"] == part["chunks"]


def test_a_job_counts_what_is_on_the_network_and_opens_only_what_is_not_known(
    uncounted: dict[str, Any], tmp_path: Path
) -> None:
    """As from the disk, but for the checksum; the addresses come through as they are."""
    data = configure(["data.chunk_size=3", "data.verify=size"]).data
    local = counted_part(numbered(uncounted), data)
    known = uncounted["samples"]["s0"]["files"][1]
    known["entries"] = 7
    with upstream(tmp_path) as web:
        for sample in uncounted["samples"].values():
            for file in sample["files"]:
                file["path"] = f"{web.url}/ok//{Path(file['path']).name}"
        found = counted_part(uncounted, data)
        asked = {path for path, number in web.asked.items() if number}
    assert [c["id"] for c in found["chunks"]] == [c["id"] for c in local["chunks"]]
    assert found["chunks"][0]["path"] == f"{web.url}/ok//s0.0.root"
    assert {f["verified"] for f in found["samples"]["s0"]["files"]} == {"size"}
    assert asked == {"/ok//s0.0.root", "/ok//s1.0.root"}
    assert found["samples"]["s1"]["files"][0]["problem"]["kind"] == "corrupt"
    assert "take another mirror" in found["samples"]["s1"]["reason"]


def test_the_hash_of_a_part_does_not_depend_on_where_files_lie(uncounted: dict[str, Any]) -> None:
    before = part_sha256(uncounted)
    uncounted["samples"]["s0"]["files"][0]["path"] = "/elsewhere"
    assert part_sha256(uncounted) == before
    uncounted["samples"]["s0"]["files"][0]["size"] += 1
    assert part_sha256(uncounted) != before
