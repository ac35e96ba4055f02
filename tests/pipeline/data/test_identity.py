"""Spellings of checksums and addresses: the quirks of the portal's records."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.base import is_remote
from pipeline.data.errors import ManifestError
from pipeline.data.identity import (
    basename,
    format_adler32,
    normalise_adler32,
    portal_path,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("adler32:29634ba7", "29634ba7"),
        ("adler32c3116579", "c3116579"),
        ("adler32:037f48e7", "037f48e7"),
        ("adler32:37f48e7", "037f48e7"),
        ("37F48E7", "037f48e7"),
        ("00000001", "00000001"),
        (" 1 ", "00000001"),
    ],
)
def test_checksums_come_to_one_form(text: str, expected: str) -> None:
    assert normalise_adler32(text) == expected


@pytest.mark.parametrize("text", ["", "adler32:", "md5:29634ba7", "29634ba7c", "xyz"])
def test_anything_else_is_no_checksum(text: str) -> None:
    with pytest.raises(ManifestError, match="expected an adler32 checksum"):
        normalise_adler32(text)


@given(st.binary(max_size=300))
def test_what_zlib_computes_reads_back_in_every_spelling(content: bytes) -> None:
    value = zlib.adler32(content)
    for text in (f"adler32:{value:08x}", f"adler32{value:08X}", f"adler32:{value:x}", f"{value:x}"):
        assert normalise_adler32(text) == format_adler32(value)


def test_four_addresses_of_one_file() -> None:
    path = "eos/opendata/atlas/OutreachDatasets/2020-08-19/4lep/Data/data_A.4lep.root"
    for uri in (
        f"root://eospublic.cern.ch//{path}",
        f"root://eospublic.cern.ch:1094//{path}",
        f"https://opendata.cern.ch/{path}",
        f"/{path}",
    ):
        assert portal_path(uri) == path
        assert basename(uri) == "data_A.4lep.root"


def test_addresses_are_told_from_folders() -> None:
    assert is_remote("root://eospublic.cern.ch//eos")
    assert is_remote("HTTPS://opendata.cern.ch/eos")
    assert not is_remote("/eos/opendata")
    assert not is_remote("root/data")
