"""The sentence for a chunk that could not be read."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import uproot

from executors.diagnosis import diagnose, is_passing
from tests.executors.conftest import chunks_of

FAULT = ValueError("zlib: Error -3 while decompressing data\nmore lines")


def caused_by(cause: BaseException) -> Exception:
    error = RuntimeError("reading failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (OSError(errno.EIO, "Input/output error"), True),
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.ENOENT, "No such file"), False),
        (TimeoutError("too late"), True),
        (ConnectionResetError("gone"), True),
        (caused_by(OSError(errno.ESTALE, "Stale file handle")), True),
        (FAULT, False),
    ],
)
def test_is_passing(error: Exception, passing: bool) -> None:
    assert is_passing(error) == passing


def test_damage_inside_of_a_good_file(root_file: Path) -> None:
    (chunk,) = chunks_of(root_file, 0, 100)
    kind, sentence = diagnose(chunk, ["pt"], FAULT)
    assert kind == "file"
    assert "entries 0 to 100 of tree 'analysis' in events.root" in sentence
    assert "ValueError: zlib: Error -3 while decompressing data)" in sentence
    assert "fetch the file again" in sentence


def test_a_system_fault_says_nothing_about_the_file(root_file: Path) -> None:
    (chunk,) = chunks_of(root_file, 0, 100)
    kind, sentence = diagnose(chunk, ["pt"], OSError(errno.EIO, "Input/output error"))
    assert kind == "system"
    assert "give the same command again" in sentence


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "found bad.root empty"),
        (b"<html>404</html>", "that begins with b'<html>40'"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "bad.root"
    path.write_bytes(content)
    (chunk,) = chunks_of(path, 0, 10)
    kind, sentence = diagnose(chunk, ["pt"], FAULT)
    assert kind == "file"
    assert said in sentence


def test_a_file_whose_list_of_contents_is_damaged(root_file: Path, tmp_path: Path) -> None:
    """The header says where the list of streamers lies (fSeekInfo); the tree needs it."""
    content = bytearray(root_file.read_bytes())
    with uproot.open(root_file) as file:
        place = file.file.fSeekInfo
    content[place : place + 40] = b"\xff" * 40
    path = tmp_path / "bad.root"
    path.write_bytes(content)
    (chunk,) = chunks_of(path, 0, 10)
    kind, sentence = diagnose(chunk, ["pt"], FAULT)
    assert kind == "file"
    assert "bad.root" in sentence
    assert "fetch" in sentence


def test_a_large_file_keeps_its_end_in_eight_bytes(root_file: Path, tmp_path: Path) -> None:
    """Files beyond 2 GB have a version above a million and a wider header."""
    path = tmp_path / "large.root"
    head = b"root" + (1_062_600).to_bytes(4, "big") + bytes(4) + (3 * 10**9).to_bytes(8, "big")
    path.write_bytes(head + bytes(100))
    (chunk,) = chunks_of(path, 0, 10)
    _, sentence = diagnose(chunk, ["pt"], FAULT)
    assert "expected 3000000000 bytes in large.root as its header says, found 120" in sentence
