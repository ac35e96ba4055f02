"""The portal's records: every spelling read, what is no sample's file left out and counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from pipeline.data.errors import ManifestError
from pipeline.data.manifest import LeftOut, RunIndex
from pipeline.data.sources.records import fetch_record, read_record

FOLDER = "/eos/opendata/atlas/OutreachDatasets/2020-08-19/GamGam"
SERVER = "root://eospublic.cern.ch/"


def entry(uri: str, checksum: str = "adler32:29634ba7", size: int = 81250713) -> dict[str, Any]:
    return {"uri": uri, "size": size, "checksum": checksum}


def record(*files: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"files": list(files), **metadata}}


@pytest.mark.parametrize(
    "uri",
    [
        f"root://eospublic.cern.ch/{FOLDER}/Data/data_A.GamGam.root",
        f"root://eospublic.cern.ch:1094/{FOLDER}/Data/data_A.GamGam.root",
        f"https://opendata.cern.ch{FOLDER}/Data/data_A.GamGam.root",
    ],
)
def test_one_address_for_every_spelling(uri: str) -> None:
    (listed,) = read_record(15006, record(entry(uri))).files
    assert listed.file.uri == f"{SERVER}{FOLDER}/Data/data_A.GamGam.root"


@pytest.mark.parametrize(
    ("checksum", "expected"),
    [
        ("adler32:29634ba7", "29634ba7"),
        ("adler32c3116579", "c3116579"),
        ("adler32:37f48e7", "037f48e7"),
        ("adler32:037f48e7", "037f48e7"),
    ],
)
def test_one_checksum_for_every_spelling(checksum: str, expected: str) -> None:
    uri = f"{SERVER}{FOLDER}/Data/data_A.GamGam.root"
    (listed,) = read_record(15006, record(entry(uri, checksum))).files
    assert listed.file.adler32 == expected


def test_archives_and_strays_are_left_out_and_said() -> None:
    """The 2020 records list zip duplicates of their files and a stray list of an editor."""
    data = f"{SERVER}{FOLDER}/Data/data_A.GamGam.root"
    found = read_record(
        15006,
        record(
            entry(data),
            entry(f"{SERVER}{FOLDER}.zip"),
            entry(f"{SERVER}{FOLDER}/MC/FilesToProcess.txt~"),
            entry(data.replace("cern.ch/", "cern.ch:1094/"), "adler3229634ba7"),
        ),
    )
    assert [f.file.uri for f in found.files] == [data]
    assert found.left_out == [
        LeftOut(f"{SERVER}{FOLDER}.zip", "archive of files that are listed one by one"),
        LeftOut(f"{SERVER}{FOLDER}/MC/FilesToProcess.txt~", "not a ROOT file"),
        LeftOut(data, "listed twice"),
    ]


def test_the_same_file_with_two_checksums_is_refused() -> None:
    data = f"{SERVER}{FOLDER}/Data/data_A.GamGam.root"
    with pytest.raises(ManifestError, match=r"one size and checksum of .* 29634ba7 and 81250713 b"):
        read_record(15006, record(entry(data), entry(data, "adler32:29634ba8")))


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        ({}, "KeyError: 'metadata'"),
        ([], "expected metadata with files"),
        (record({"uri": f"{SERVER}{FOLDER}/Data/a.root", "size": 1}), "KeyError: 'checksum'"),
        (record({"size": 1, "checksum": "1"}), "KeyError: 'uri'"),
        (record(_file_indices=[{"key": "a"}]), "KeyError: 'files'"),
        (record({**entry(f"{SERVER}{FOLDER}/a.root"), "checksum": None}), "8 hex digits, found N"),
        (record(), "expected files in record 15006, found none"),
        (record({"uri": "a.zip", "size": 1}), "expected files in record 15006, found none"),
    ],
)
def test_an_answer_of_another_form_is_a_sentence(plain: Any, said: str) -> None:
    """And one without files, with which a manifest would silently lack samples."""
    with pytest.raises(ManifestError, match=said):
        read_record(15006, plain)


def test_indexes_that_are_read_and_those_that_are_not() -> None:
    folder = "root://eospublic.cern.ch//eos/opendata/atlas/rucio/data15_13TeV/"
    index = folder + "file-indexes/data15_13TeV_Run_00271733_file_index.json"
    file = entry(folder + "DAOD_PHYSLITE.37001682._000001.pool.root.1", "adler32:e817fdab", 7)
    closed = read_record(
        80000,
        record(
            {**entry(index, "adler32:417c94a6", 528), "type": "index.json"},
            {**entry(index.replace(".json", ".txt")), "type": "index.txt"},
        ),
    )
    assert closed.files == []
    assert closed.indexes == [RunIndex(index, 528, "417c94a6")]
    assert [x.reason for x in closed.left_out] == ["not a ROOT file"]
    key = index.rsplit("/", 1)[1]
    opened = read_record(80000, record(_file_indices=[{"key": key, "files": [file]}]))
    assert opened.indexes == []
    assert [(x.file.size, x.index) for x in opened.files] == [(7, key)]


def test_events_of_a_record_are_those_of_its_only_file() -> None:
    """Each 2016 record has one file, and the record states its events."""
    uri = f"{SERVER}{FOLDER}/MC/mc_105986.ZZ.root"
    one = read_record(3801, record(entry(uri), distribution={"number_events": 125000}))
    assert [x.file.entries for x in one.files] == [125000]
    two = read_record(
        1, record(entry(uri), entry(uri + ".1"), distribution={"number_events": 125000})
    )
    assert [x.file.entries for x in two.files] == [None, None]


def test_a_portal_that_does_not_answer_is_a_sentence() -> None:
    with pytest.raises(
        ManifestError, match=r"expected record 7 from http://127\.0\.0\.1:9/api/rec"
    ):
        fetch_record("http://127.0.0.1:9", 7)


class _Flaky(BaseHTTPRequestHandler):
    """Answers 502 twice, then as the portal does."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        body = json.dumps(record(entry(f"{SERVER}{FOLDER}/Data/data_A.GamGam.root"))).encode()
        self.send_response(502 if self.asked <= 2 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing to say."""


@pytest.fixture
def flaky() -> Iterator[str]:
    _Flaky.asked = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Flaky)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_transient_502_is_asked_again(flaky: str) -> None:
    assert len(fetch_record(flaky, 15006).files) == 1
    assert _Flaky.asked == 3
