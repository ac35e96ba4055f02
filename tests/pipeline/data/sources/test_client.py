"""The official client against the local server: quirks of what it returns are noticed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.data.build_manifests import Services, build
from pipeline.data.errors import ManifestError
from pipeline.data.manifest import Manifest, load_manifest, manifest_folder
from pipeline.data.manifest_form import from_dict
from pipeline.data.sources.client import fetch_datasets
from pipeline.data.sources.open_data import OpenData
from pipeline.data.sources.stand_in import stand_in

pytestmark = pytest.mark.realdata


OPENED = "data15_13TeV_Run_00271733_file_index.json"
OPENED_FILES = [
    {
        "uri": f"root://eospublic.cern.ch//eos/opendata/atlas/rucio/data15_13TeV/{name}",
        "size": size,
        "checksum": checksum,
    }
    for name, size, checksum in (
        ("DAOD_PHYSLITE.37001682._000002.pool.root.1", 50099971, "adler32:414b341a"),
        ("DAOD_PHYSLITE.37001682._000001.pool.root.1", 169007613, "adler32:e817fdab"),
    )
]
"""The files of a run as the portal's interface lists them once it has read the index."""


class Quirky(OpenData):
    """The real tables, with what the real services were seen to do and the tables do not show."""

    def datasets(self, release: str) -> list[dict[str, Any]]:
        """The client returned 19 of 21 addresses of 700320, and one of 2 of 700601."""
        found = super().datasets(release)
        for dataset in found:
            if dataset["dataset_number"] == "700320":
                dataset["file_list"] = dataset["file_list"][2:]
            if dataset["dataset_number"] == "700601":
                dataset["file_list"] = dataset["file_list"][:1]
            if dataset["dataset_number"] == "700602":
                dataset["file_list"] = [*dataset["file_list"], dataset["file_list"][0] + "0"]
        return found

    def record(self, recid: int) -> dict[str, Any] | None:
        """Record 15006 lists an archive, a stray file, and one twice; 80000 opens an index."""
        found = super().record(recid)
        if recid == 80000 and found is not None:
            metadata = found["metadata"]
            metadata["files"] = [f for f in metadata["files"] if OPENED not in f["uri"]]
            metadata["_file_indices"] = [{"key": OPENED, "files": OPENED_FILES}]
        if recid == 15006 and found is not None:
            files = found["metadata"]["files"]
            again = {**files[0], "uri": files[0]["uri"].replace("cern.ch/", "cern.ch:1094/")}
            stray = files[0]["uri"].rsplit("/", 1)[0]
            files += [
                again,
                {**files[0], "uri": f"{stray}/FilesToProcess.txt~"},
                {**files[0], "uri": f"{stray}.zip"},
            ]
        return found


@pytest.fixture(scope="module")
def quirky(open_data: Path) -> Iterator[Services]:
    source = Quirky(open_data)
    with stand_in(source) as address:
        yield Services(address, address, source)


@pytest.fixture(scope="module")
def physlite(quirky: Services) -> Manifest:
    return from_dict(build("2024r-pp", quirky, manifest_folder()))


@pytest.mark.parametrize(("dsid", "listed", "files"), [("700320", 19, 21), ("700601", 1, 2)])
def test_fewer_addresses_than_files_are_said_and_the_record_is_taken(
    physlite: Manifest, dsid: str, listed: int, files: int
) -> None:
    sample = physlite.skim("physlite").sample(dsid)
    assert sample.files == load_manifest("2024r-pp").skim("physlite").sample(dsid).files
    assert len(sample.files) == files
    assert sample.entries == sample.n_events
    assert sample.warnings == (
        (
            f"The official client lists {listed} of the {files} files of this sample that the "
            "record lists; the record's list was taken."
        ),
    )


def test_more_addresses_than_files_are_said(physlite: Manifest) -> None:
    (warning,) = physlite.skim("physlite").sample("700602").warnings
    assert "lists 1 files of this sample that the record does not list, such as DAOD_" in warning


def test_an_index_that_the_portal_has_opened_resolves_its_run(physlite: Manifest) -> None:
    runs = physlite.skim("physlite").samples
    opened = runs["data15_run_00271733"]
    assert (opened.resolved, opened.indexes, opened.size) == (True, (), 219_107_584)
    assert [f.adler32 for f in opened.files] == ["e817fdab", "414b341a"]
    assert sum(not s.resolved for s in runs.values()) == 316


def test_a_complete_list_is_no_warning(physlite: Manifest) -> None:
    assert physlite.skim("physlite").sample("700321").warnings == ()


def test_what_is_no_file_of_a_sample_is_counted_and_changes_nothing(quirky: Services) -> None:
    found = from_dict(build("2020e-13tev", quirky, manifest_folder()))
    assert [x.reason for x in found.left_out] == [
        "listed twice",
        "not a ROOT file",
        "archive of files that are listed one by one",
    ]
    assert found.skims == load_manifest("2020e-13tev").skims
    assert load_manifest("2020e-13tev").left_out == ()


def test_rows_of_one_number_are_told_apart_by_their_names(quirky: Services) -> None:
    """The 2020 table has three rows of 410000; the client keys by number and keeps the last."""
    rows = {d.short: d for d in fetch_datasets("2020e-13tev", quirky.api) if d.number == "410000"}
    assert sorted(rows) == ["ttbar_lep", "ttbar_lep_1largeRjet1lep", "ttbar_lep_1lep1tau"]
    for skim, short in (("2lep", "ttbar_lep"), ("1lep1tau", "ttbar_lep_1lep1tau")):
        sample = load_manifest("2020e-13tev").skim(skim).sample("410000")
        assert sample.process == "ttbar_lep"
        assert sample.facts_source == f"mc_2020.json, 410000 {short}"
        assert sample.sum_of_weights == rows[short].facts["sum_of_weights"]


def test_datasets_come_in_pages(quirky: Services) -> None:
    """432 of them in 2020, of which the client asks 1,000 a time; the server cuts as asked."""
    import requests

    query = {"release_name": "2020e-13tev", "skip": "400", "limit": "100"}
    session = requests.Session()
    session.trust_env = False
    count = session.get(f"{quirky.api}/datasets/count", params=query, timeout=10).json()["count"]
    page = session.get(f"{quirky.api}/datasets", params=query, timeout=10).json()
    assert len(fetch_datasets("2020e-13tev", quirky.api)) == count == 400 + len(page)
    one = session.get(f"{quirky.api}/metadata/2020e-13tev/TTBAR_lep", timeout=10)
    assert one.json()["dataset_number"] == "410000"
    assert session.get(f"{quirky.api}/metadata/2020e-13tev/none", timeout=10).status_code == 404


def test_a_service_that_does_not_answer_is_a_sentence() -> None:
    with pytest.raises(ManifestError, match=r"expected the datasets of release 2016e-8tev from"):
        fetch_datasets("2016e-8tev", "http://127.0.0.1:9")
