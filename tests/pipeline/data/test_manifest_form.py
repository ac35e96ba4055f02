"""The JSON form: files as columns come back as they were, whatever their folders."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.errors import ManifestError
from pipeline.data.manifest import ManifestFile
from pipeline.data.manifest_form import columns, files_of, read_manifest

FOLDERS = st.sampled_from(["root://eospublic.cern.ch//eos/opendata/atlas/a/", "root://x//y/z/"])
NAMES = st.text("abc._0123456789", min_size=1, max_size=12)


@given(
    st.lists(
        st.builds(
            ManifestFile,
            st.builds(str.__add__, FOLDERS, NAMES),
            st.integers(1, 10**13),
            st.from_regex(r"[0-9a-f]{8}", fullmatch=True),
            st.none() | st.integers(0, 10**9),
        )
    )
)
def test_files_come_back(files: list[ManifestFile]) -> None:
    """In their order within each folder, folders in the order of their first file."""
    back = files_of(columns(files))
    assert sorted(back, key=repr) == sorted(files, key=repr)
    for folder in {f.uri.rpartition("/")[0] for f in files}:
        of_folder = [f for f in files if f.uri.rpartition("/")[0] == folder]
        assert [f for f in back if f.uri.rpartition("/")[0] == folder] == of_folder


def test_columns_of_different_length_are_refused() -> None:
    block = {
        "folder": "root://x//",
        "names": ["a", "b"],
        "sizes": [1],
        "adler32": [],
        "entries": [],
    }
    with pytest.raises(ManifestError, match="found 2, 1, 0, 0 names, sizes, checksums and entries"):
        files_of([block])


@pytest.mark.parametrize("place", [10, -6])
def test_a_manifest_with_a_wrong_byte_is_a_sentence(tmp_path: Path, place: int) -> None:
    """In the compressed stream, and in the checksum behind it."""
    content = bytearray(gzip.compress(bytes(range(256)) * 9))
    content[place] = 0xFF  # at 10 the kind of the first block: there is none of that number
    path = tmp_path / "damaged.json.gz"
    path.write_bytes(content)
    with pytest.raises(ManifestError, match=r"expected a compressed manifest in .*damaged"):
        read_manifest(path)
