"""Run indexes: a real one resolves its run; what is not one is refused with a sentence."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.configure import configure
from pipeline.data.errors import ManifestError
from pipeline.data.manifest import ManifestFile, RunIndex, Sample, load_manifest, manifest_path
from pipeline.data.manifest_choice import chosen_manifest, written_manifest
from pipeline.data.run_index import (
    Resolution,
    index_folder,
    missing_indexes,
    parse_entries,
    parse_index,
    resolve,
    with_indexes,
)

RELEASE, RUN, OTHER_RUN = "2024r-pp", "data15_run_00271733", "data15_run_00267148"
FOLDER = "root://eospublic.cern.ch//eos/opendata/atlas/rucio/data15_13TeV/"
REAL = """[
  {
    "checksum": "adler32:e817fdab",
    "filename": "data15_13TeV:DAOD_PHYSLITE.37001682._000001.pool.root.1",
    "size": 169007613,
    "uri": "root://eospublic.cern.ch//eos/opendata/atlas/rucio/data15_13TeV/DAOD_PHYSLITE.37001682._000001.pool.root.1"
  },
  {
    "checksum": "adler32:414b341a",
    "filename": "data15_13TeV:DAOD_PHYSLITE.37001682._000002.pool.root.1",
    "size": 50099971,
    "uri": "root://eospublic.cern.ch//eos/opendata/atlas/rucio/data15_13TeV/DAOD_PHYSLITE.37001682._000002.pool.root.1"
  }
]
"""
"""The publisher's index of run 271733, byte for byte: size and checksum are the record's."""
NAME = "DAOD_PHYSLITE.37001682._00000{}.pool.root.1"
FILES = (
    ManifestFile(FOLDER + NAME.format(1), 169007613, "e817fdab", None),
    ManifestFile(FOLDER + NAME.format(2), 50099971, "414b341a", None),
)


def sample(name: str = RUN) -> Sample:
    return load_manifest(RELEASE).skim("physlite").sample(name)


@pytest.fixture
def real(tmp_path: Path, index_home: Path) -> Path:
    path = tmp_path / "fetched.json"
    path.write_text(REAL)
    return path


def entries(*changed: dict[str, Any]) -> bytes:
    """The entries of the real index, each with some values changed."""
    plain = json.loads(REAL)
    return json.dumps([{**p, **c} for p, c in zip(plain, changed, strict=False)]).encode()


def test_the_real_index_is_the_one_that_the_record_lists(real: Path) -> None:
    (index,) = sample().indexes
    assert (index.size, index.adler32) == (528, "417c94a6")
    assert parse_index(REAL.encode(), index, sample(), real) == FILES


def test_a_run_is_resolved_by_its_index_and_only_that_run(real: Path, index_home: Path) -> None:
    assert not sample().resolved
    assert sample().entries is None
    (index,) = sample().indexes
    assert index in missing_indexes(RELEASE)
    found = resolve(RELEASE, {index.uri: real})
    assert found == Resolution(resolved=1, unresolved=316, files=2, bytes=219_107_584)
    assert index_folder(RELEASE) == index_home / RELEASE
    assert sample().resolved
    assert sample().files == FILES
    assert sample().year == 2015
    assert not sample(OTHER_RUN).resolved
    assert len(missing_indexes(RELEASE)) == 316
    assert index not in missing_indexes(RELEASE)


def test_the_portals_other_spelling_of_the_address_is_the_same_index(real: Path) -> None:
    (index,) = sample().indexes
    https = index.uri.replace("root://eospublic.cern.ch//", "https://opendata.cern.ch/")
    assert resolve(RELEASE, {https: real}).resolved == 1


def test_a_changed_index_is_refused_and_nothing_is_kept(real: Path, index_home: Path) -> None:
    (index,) = sample().indexes
    real.write_text(REAL.replace("169007613", "169007614"))
    with pytest.raises(ManifestError, match=r"expected 528 bytes with adler32 417c94a6 of the ind"):
        resolve(RELEASE, {index.uri: real})
    assert not index_home.exists()
    other = index.uri.replace("271733", "999999")
    with pytest.raises(ManifestError, match=r"expected an index that the manifest .* it lists 317"):
        resolve(RELEASE, {other: real})


def test_a_kept_index_that_rots_is_refused_and_wanted_again(real: Path, index_home: Path) -> None:
    (index,) = sample().indexes
    resolve(RELEASE, {index.uri: real})
    (kept,) = (index_home / RELEASE).iterdir()
    kept.write_text(REAL[:-2] + " \n")
    load_manifest.cache_clear()
    with pytest.raises(ManifestError, match="fetch it again with `ladon fetch --index`"):
        load_manifest(RELEASE)
    assert index in missing_indexes(RELEASE)
    assert resolve(RELEASE, {index.uri: real}).resolved == 1


def test_a_manifest_of_one_s_own_knows_the_indexes_too(
    real: Path, index_home: Path, tmp_path: Path
) -> None:
    """Else a run refuses its runs and says `ladon fetch --index`, however often that was given."""
    (index,) = sample().indexes
    resolve(RELEASE, {index.uri: real})
    own = tmp_path / "own.json.gz"
    own.write_bytes(manifest_path(RELEASE).read_bytes())
    place = f"data.location={tmp_path}"
    data = configure(["data=opendata_2024", place, f"data.manifest={own}"]).data
    assert chosen_manifest(data).skim("physlite").sample(RUN).files == FILES
    assert not written_manifest(data).skim("physlite").sample(RUN).resolved


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[{", "expected a JSON list of files in the index of data15_run_00271733, found Expect"),
        (b"{}", "expected a JSON list of files .* found dict"),
        (b"[]", "found an empty list"),
        (b"[7]", r"expected uri, size and checksum in entry 1 .* found 7"),
        (b'[{"uri": "x"}]', r"expected uri, size and checksum in entry 1 .* found \{'uri'"),
        (entries({}, {"size": "50099971"}), "expected a ROOT file with its size in entry 2"),
        (entries({}, {"size": -1}), "of size -1"),
        (entries({"uri": FOLDER + "x.zip"}), "expected a ROOT file with its size in entry 1"),
        (entries({}, json.loads(REAL)[0]), "expected each file once .* found .*_000001.*twice"),
        (entries({}, {"checksum": "md5:7"}), "expected an adler32 checksum"),
        (
            entries({"uri": FOLDER.replace("data15", "data16") + "D.pool.root.1"}),
            "expected files of data15_13TeV .* it is the index of another run",
        ),
        (entries({"uri": "root://elsewhere//eos/x.root"}), "expected the address of a file below"),
    ],
)
def test_what_is_no_index_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        parse_entries(content, sample(), Path("here.json"))


def test_a_file_of_two_runs_is_refused(tmp_path: Path) -> None:
    """Two runs whose indexes list the same file, each index whole by itself."""
    manifest = load_manifest(RELEASE)
    skim = manifest.skim("physlite")
    content = REAL.encode()
    runs = {}
    for name in (RUN, OTHER_RUN):
        checksum = f"{zlib.adler32(content):08x}"
        index = RunIndex(FOLDER + f"{name}_file_index.json", len(content), checksum)
        runs[name] = replace(skim.sample(name), indexes=(index,))
        (tmp_path / f"{name}_file_index.json").write_bytes(content)
    both = replace(manifest, skims={"physlite": replace(skim, samples=runs)})
    with pytest.raises(ManifestError, match=f"of one run, found it in those of {RUN}"):
        with_indexes(both, tmp_path)
