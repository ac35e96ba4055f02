"""`ladon fetch` as users give it: what it says, what it brings, and its exit code."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.configure import configure
from pipeline.data.manifest import ManifestFile
from pipeline.data.manifest_form import columns, write_manifest
from tests.command import Ladon
from tests.mirror.files import lay, manifest_of
from tests.mirror.nginx import Nginx, nginx

pytestmark = pytest.mark.nginx
SETTINGS = ["channel=hyy", "data=opendata_2025", "data.location=x"]


def samples(files: list[ManifestFile]) -> dict[str, object]:
    """One data sample per file, under the names that the channel wants; nothing in the others."""
    names = [name for p in configure(SETTINGS).channel.processes.values() for name in p.samples]
    none = dict.fromkeys(
        ("dsid", "cross_section_pb", "filter_efficiency", "k_factor", "sum_of_weights",
         "sum_of_weights_squared", "n_events", "campaign", "facts_source")
    )  # fmt: skip
    return {
        name: {
            **none, "kind": "data", "process": name, "files": columns(files[i : i + 1]),
            "corrections": [], "warnings": [], "indexes": [],
        }
        for i, name in enumerate(names)
    }  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, list[ManifestFile]]:
    """A mirror of three small files, and the manifest beside it."""
    root = tmp_path / "mirror"
    files = lay(root, {"a.root": 200_000, "b.root": 100_000, "c.root": 50_000})
    write_manifest(tmp_path / "manifest.json.gz", manifest_of(configure(SETTINGS), samples(files)))
    return root, files


def command(tmp_path: Path, source: str, *more: str) -> list[str]:
    """The words of a fetch into a cache of its own."""
    return [
        "fetch", "channel=hyy", "data=opendata_2025", f"data.source={source}",
        f"data.manifest={tmp_path / 'manifest.json.gz'}", f"data.cache={tmp_path / 'cache'}", *more,
    ]  # fmt: skip


def fetched(tmp_path: Path) -> dict[str, bytes]:
    """What is in the cache."""
    return {p.name: p.read_bytes() for p in (tmp_path / "cache").rglob("*.root")}


def test_all_files_and_what_to_do_next(
    small: tuple[Path, list[ManifestFile]], tmp_path: Path
) -> None:
    root, files = small
    with nginx(root, tmp_path / "nginx") as web:
        dry = Ladon(tmp_path)(*command(tmp_path, web.url, "--dry-run"))
        assert "3 files, 0.000 GB; 0 are in" in dry
        assert fetched(tmp_path) == {}
        said = Ladon(tmp_path)(*command(tmp_path, web.url, "--jobs", "2"))
    assert "[3/3]" in said
    assert "3 of 3 files are in" in said
    assert "next: ladon run channel=hyy data=opendata_2025" in said
    (line,) = (x for x in said.splitlines() if x.startswith("next: "))
    # Without them the run would fetch other files into another cache.
    assert {f"data.manifest={tmp_path / 'manifest.json.gz'}", f"data.source={web.url}",
            f"data.cache={tmp_path / 'cache'}"} < set(shlex.split(line))  # fmt: skip
    assert fetched(tmp_path) == {
        Path(f.uri).name: next(root.rglob(Path(f.uri).name)).read_bytes() for f in files
    }


def test_a_file_that_nobody_has_is_listed_and_the_exit_code_is_1(
    small: tuple[Path, list[ManifestFile]], tmp_path: Path
) -> None:
    root, _ = small
    next(root.rglob("b.root")).unlink()
    with nginx(root, tmp_path / "nginx") as web:
        child = Ladon(tmp_path).start(*command(tmp_path, web.url))
        said, _ = child.communicate()
    assert child.returncode == 1
    assert "ladon: 1 of 3 files could not be fetched" in said
    assert f"  b.root: {web.url}/eos/opendata/atlas/test/b.root answered 404 Not Found" in said
    assert set(fetched(tmp_path)) == {"a.root", "c.root"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fetch"], "expected the release to fetch, found none"),
        (["fetch", "data=synthetic"], "found data=synthetic, whose files a run makes itself"),
        (["fetch", "data=opendata_2025", "data.location=/x"], "found data.location=/x"),
        (["fetch", "data=opendata_2025", "data.source=ftp://x"], "found 'ftp://x'"),
        (["fetch", "data=opendata_2025", "data.source='http://[::1'"], "found 'http://[::1'"),
        (["fetch", "data=opendata_2025", "data.source='http://x:99999'"], "found 'http://x:99999'"),
        (["fetch", "data=opendata_2025", "data.cache_gb=0"], "expected data.cache_gb > 0"),
        (["fetch", "data=opendata_2025", "--jobs", "many"], "after --jobs, found many"),
        (["fetch", "data=opendata_2025", "data.manifest=/x"], "found no file"),
        (["fetch", "data=opendata_2025", "--now"], "unknown option '--now' for fetch"),
    ],
)
def test_a_user_s_mistake_is_one_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    text = capsys.readouterr().err
    assert said in text
    assert text.startswith("ladon: ")
    assert text.count("\n") == 1


def lay_one(folder: Path, size: int) -> Path:
    """A mirror of one file, and its manifest beside it."""
    root = folder / "mirror"
    files = lay(root, {"a.root": size})
    write_manifest(folder / "manifest.json.gz", manifest_of(configure(SETTINGS), samples(files)))
    return root


def under_way(folder: Path, web: Nginx) -> subprocess.Popen[str]:
    """A fetch over a slow line of which some bytes have come."""
    child = Ladon(folder).start(*command(folder, f"{web.url}/slow"))
    until = time.monotonic() + 60
    while not any(p.stat().st_size for p in (folder / "cache").rglob(".*.part")):
        assert time.monotonic() < until
        assert child.poll() is None
        time.sleep(0.05)
    return child


def test_killed_and_given_again_it_goes_on(tmp_path: Path) -> None:
    root = lay_one(tmp_path, 3_000_000)
    with nginx(root, tmp_path / "nginx") as web:
        child = under_way(tmp_path, web)
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        assert fetched(tmp_path) == {}
        Ladon(tmp_path)(*command(tmp_path, web.url))
        assert [status for line, status in web.requests() if "GET" in line][-1] == 206
    assert fetched(tmp_path) == {"a.root": next(root.rglob("a.root")).read_bytes()}


def test_stopped_by_the_user_it_says_how_to_go_on(tmp_path: Path) -> None:
    root = lay_one(tmp_path, 9_000_000)
    with nginx(root, tmp_path / "nginx") as web:
        child = under_way(tmp_path, web)
        os.kill(child.pid, signal.SIGINT)
        said, _ = child.communicate()
    assert child.returncode == 130
    assert said.endswith("stopped; the same command goes on where this one was\n")
    assert "Traceback" not in said


def test_two_processes_and_one_cache(tmp_path: Path) -> None:
    root = tmp_path / "mirror"
    files = lay(root, {"a.root": 1_000_000, "b.root": 900_000})
    write_manifest(tmp_path / "manifest.json.gz", manifest_of(configure(SETTINGS), samples(files)))
    with nginx(root, tmp_path / "nginx") as web:
        both = [
            Ladon(tmp_path).start(*command(tmp_path, f"{web.url}/slow", "--jobs", "1"))
            for _ in range(2)
        ]
        said = [child.communicate()[0] for child in both]
        assert [child.returncode for child in both] == [0, 0], said
        asked = [line for line, _ in web.requests()]
    assert len(asked) == 2, asked  # each file came once
    assert fetched(tmp_path) == {p.name: p.read_bytes() for p in root.rglob("*.root")}
    assert [p for p in (tmp_path / "cache").rglob(".*") if p.suffix == ".part"] == []
