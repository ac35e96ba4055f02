"""Counting entries, and what damaged files say."""

import errno
from pathlib import Path

import numpy as np
import pytest
import uproot

from pipeline.data.file_entry import entries_of
from pipeline.data.manifest import ManifestFile
from pipeline.data.probe import Problem, count_entries


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.root"
    with uproot.recreate(path) as file:
        file.mktree("mini", {"x": "float64"}).extend({"x": np.arange(5000, dtype=np.float64)})
    return path


def test_a_good_file_gives_its_entries(good: Path) -> None:
    assert count_entries(good, "mini") == 5000


def test_another_tree_is_named(good: Path) -> None:
    assert count_entries(good, "analysis") == Problem(
        "wrong_tree", "expected tree 'analysis' in good.root, found mini"
    )


def test_a_published_file_has_no_entries_only_if_it_has_no_tree(good: Path, tmp_path: Path) -> None:
    """A name of the tree that is not the file's must not make the file count as empty."""

    def counted(path: Path) -> int | Problem:
        size = path.stat().st_size
        listed = ManifestFile(f"root://x//{path.name}", size, "00000001", None)
        return entries_of(listed, path, size, "checksum", "analysis")

    assert counted(good) == Problem(
        "wrong_tree", "expected tree 'analysis' in good.root, found mini"
    )
    bare = tmp_path / "bare.root"
    with uproot.recreate(bare) as file:
        file["passed"] = "none"
    assert counted(bare) == 0
    bare.write_bytes(bare.read_bytes() + b"more")
    listed = ManifestFile("root://x//bare.root", 1, "00000001", None)
    other = entries_of(listed, bare, bare.stat().st_size, "none", "analysis")
    assert other == Problem("no_tree", "expected tree 'analysis' in bare.root, found no tree")


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "nothing.root"
    path.touch()
    problem = count_entries(path, "mini")
    assert isinstance(problem, Problem)
    assert problem.kind == "empty"


@pytest.mark.parametrize("share", [0.999, 0.5, 0.1])
def test_a_cut_file_is_truncated_whatever_is_left(good: Path, share: float) -> None:
    content = good.read_bytes()
    good.write_bytes(content[: int(len(content) * share)])
    problem = count_entries(good, "mini")
    assert isinstance(problem, Problem)
    assert problem.kind == "truncated"
    assert "good.root" in problem.message


@pytest.mark.parametrize("content", [b"not a ROOT file at all" * 50, b"root" + bytes(500), b"r"])
def test_what_is_no_root_file_is_corrupt(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.root"
    path.write_bytes(content)
    problem = count_entries(path, "mini")
    assert isinstance(problem, Problem)
    assert problem.kind in ("corrupt", "no_tree")


def test_entries_of_an_rntuple_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "synthetic.root"
    with uproot.recreate(path) as file:
        file.mkrntuple("events", {"run": np.arange(7)})
    assert count_entries(path, "events") == 7
    other = count_entries(path, "analysis")
    assert isinstance(other, Problem)
    assert other.message == "expected tree 'analysis' in synthetic.root, found events"


def test_a_disk_that_fails_for_a_moment_is_no_problem_of_the_file(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would leave the file out, and its sample without normalisation, for a fault of ours."""

    def failing(path: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr(uproot, "open", failing)
    with pytest.raises(OSError, match="Input/output error"):
        count_entries(good, "mini")
