"""The cache: its limit, who goes first, who is never evicted, and a disk that is full."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.data.fetch.cache import Cache, default_folder
from pipeline.data.fetch.faults import CacheFullError
from pipeline.data.fetch.pins import Owner, pin, pinned
from tests.conftest import REPOSITORY
from tests.mirror.nginx import Nginx
from tests.pipeline.data.fetch.conftest import Fetch, Mirror, left_over


def fill(cache: Cache, **ages: int) -> dict[str, Path]:
    """Files of 1000 bytes that were used so many seconds ago."""
    files = {}
    for name, age in ages.items():
        path = cache.place(f"eos/opendata/atlas/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 1000)
        os.utime(path, (time.time() - age, 0))
        files[name] = path
    return files


def names(cache: Cache) -> set[str]:
    """The files that are there."""
    return {
        p.name for p in cache.folder.rglob("*") if p.is_file() and p.parent.name != ".ladon-pins"
    }


def test_the_one_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=3000)
    files = fill(cache, a=30, b=10, c=20)
    assert cache.make_room(tmp_path / "new.part", 1000) == [files["a"]]
    assert names(cache) == {"b", "c"}
    cache.touch([files["c"]])
    cache.arrived(tmp_path / "new.part")
    assert cache.make_room(tmp_path / "newer.part", 2000) == [files["b"]]
    assert names(cache) == {"c"}


def test_using_a_file_does_not_change_when_it_was_changed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    file = fill(cache, a=100)["a"]
    cache.touch([file])
    assert file.stat().st_mtime == 0
    assert time.time() - file.stat().st_atime < 50


def test_files_of_another_user_may_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = fill(cache := Cache(tmp_path), a=1)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refuse)  # as utimensat(2) for whoever does not own a file
    cache.touch(files.values())


def test_room_that_was_promised_is_not_given_twice(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=3000)
    files = fill(cache, a=30, b=10)
    assert cache.make_room(tmp_path / "one.part", 1000) == []
    assert cache.make_room(tmp_path / "two.part", 1000) == [files["a"]]
    (tmp_path / "one.part").write_bytes(b"x" * 600)  # what has come counts once
    assert cache.make_room(tmp_path / "one.part", 1000) == []


OTHER_PROCESS = """
import sys
from pathlib import Path
from pipeline.data.fetch.cache import Cache
cache = Cache(Path(sys.argv[1]), limit=3000)
cache.make_room(cache.folder / "other.part", 1000)
print("promised", flush=True)
sys.stdin.read()
"""


def test_nor_by_two_processes(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=3000)
    files = fill(cache, a=30, b=10)
    command = [sys.executable, "-c", OTHER_PROCESS, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "promised\n"
        assert cache.make_room(tmp_path / "one.part", 1000) == [files["a"]]
        with pytest.raises(CacheFullError, match=r"1e-06 GB too little"):
            cache.make_room(tmp_path / "two.part", 2000)
        assert names(cache) == set()
        other.communicate("")
    assert cache.make_room(tmp_path / "two.part", 2000) == []  # what died promises nothing
    for part in ("one", "two"):
        cache.arrived(tmp_path / f"{part}.part")
    assert list((tmp_path / ".ladon-pins").iterdir()) == []


def test_a_disk_without_room_for_the_promise_is_made_room_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path, limit=1500)
    files = fill(cache, a=30)

    def full(*_: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pipeline.data.fetch.cache.promise", full)
    assert cache.make_room(tmp_path / "one.part", 1000) == [files["a"]]


def test_other_files_of_the_folder_s_owner_stay(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=1000)
    thesis, notes = tmp_path / "thesis.tex", tmp_path / "eos" / "notes.txt"
    files = fill(cache, a=10)
    for file in (thesis, notes):
        file.write_bytes(b"x" * 5000)
        os.utime(file, (0, 0))
    assert cache.make_room(tmp_path / "new.part", 1000) == [files["a"]]
    assert thesis.exists()
    assert notes.exists()


def test_what_a_working_process_needs_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=2000)
    files = fill(cache, a=30, b=10)
    pin(tmp_path, Owner.ourselves(), [files["a"]])
    assert cache.make_room(tmp_path / "new.part", 1000) == [files["b"]]
    cache.arrived(tmp_path / "new.part")
    with pytest.raises(CacheFullError, match=r"needed by .*-\d+; raise data.cache_gb"):
        cache.make_room(tmp_path / "newer.part", 1500)
    assert names(cache) == {"a"}


def test_the_pins_of_a_process_that_ended_are_forgotten(tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    gone = Owner(Owner.ourselves().host, int(child.stdout), "gone")
    file = fill(Cache(tmp_path), a=1)["a"]
    path = pin(tmp_path, gone, [file])
    assert pinned(tmp_path) == {}
    assert not path.exists()


def test_the_pins_of_another_host_hold_for_a_week(tmp_path: Path) -> None:
    file = fill(Cache(tmp_path), a=1)["a"]
    path = pin(tmp_path, Owner("elsewhere", 1, "run on elsewhere"), [file])
    assert pinned(tmp_path) == {file: "run on elsewhere"}
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "since": told["since"] - 8 * 24 * 3600}))
    assert pinned(tmp_path) == {}


class Interrupted(Cache):
    """A cache where another process does something while this one looks at its files."""

    def interrupt(self, *meanwhile: Callable[[], object]) -> Interrupted:
        """At each of the next looks it does the next of these."""
        self._meanwhile = list(meanwhile)
        return self

    def _files(self) -> list[tuple[Path, int, int]]:
        found = super()._files()
        if self._meanwhile:
            self._meanwhile.pop(0)()
        return found


def test_what_is_pinned_while_we_look_for_what_may_go_stays(tmp_path: Path) -> None:
    cache = Interrupted(tmp_path, limit=2000)
    files = fill(cache, a=30, b=10)
    # The first look is at how much there is, the second at what may go.
    cache.interrupt(bool, lambda: pin(tmp_path, Owner.ourselves(), [files["a"]]))
    assert cache.make_room(tmp_path / "new.part", 1000) == [files["b"]]


@pytest.mark.nginx
def test_what_is_evicted_before_it_is_pinned_comes_again(
    web: Nginx, mirror: Mirror, fetch: Fetch, tmp_path: Path
) -> None:
    file = mirror.files[0]
    cache = Interrupted(tmp_path / "cache").interrupt()
    fetch(web.url, cache=cache, files=[file])
    cache.interrupt(cache.place(file.uri).unlink)
    outcome = fetch(web.url, cache=cache, files=[file])
    assert outcome.paths[file.uri].read_bytes() == mirror.content(file)


def test_all_filesets_of_a_run_are_pinned(tmp_path: Path) -> None:
    files = fill(Cache(tmp_path), a=1, b=1)
    run = Owner("elsewhere", 1, "a run of two channels")
    for file in files.values():
        pin(tmp_path, run, [file], "fileset")
    assert set(pinned(tmp_path)) == set(files.values())


def test_the_owner_of_a_run_is_who_holds_its_lock(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text(json.dumps({"host": "node7", "pid": 12, "job": None}))
    assert Owner.of_run(tmp_path) == Owner("node7", 12, str(tmp_path))
    assert Owner.of_run(tmp_path / "none") == Owner.ourselves()


def test_more_than_the_limit_is_refused_before_anything_comes(
    mirror: Mirror, fetch: Fetch, tmp_path: Path
) -> None:
    with pytest.raises(CacheFullError, match=r"its limit data.cache_gb=0.001; raise it"):
        fetch("http://127.0.0.1:9", cache=Cache(tmp_path / "cache", limit=1_000_000))
    assert not (tmp_path / "cache").exists()


@pytest.mark.nginx
def test_a_transfer_that_just_fits(
    web: Nginx, mirror: Mirror, fetch: Fetch, tmp_path: Path
) -> None:
    cache = Cache(tmp_path / "cache", limit=sum(f.size for f in mirror.files))
    old = fill(cache, old=10, older=20)
    outcome = fetch(web.url, cache=cache)
    assert outcome.failures == ()
    assert set(outcome.evicted) == set(old.values())
    assert names(cache) == {Path(f.uri).name for f in mirror.files}


def test_the_user_s_cache_is_where_xdg_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_folder() == Path("/somewhere/ladon/data")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", "/home/someone")
    assert default_folder() == Path("/home/someone/.cache/ladon/data")


FILLING = """
import sys
from pathlib import Path
from pipeline.data.fetch.cache import Cache
from pipeline.data.fetch.faults import DiskFullError
from pipeline.data.fetch.part import open_part
folder = Path(sys.argv[1])
try:
    with open_part(folder / ".big.part", lambda: False, lambda: False) as part:
        while True:
            part.append(b"x" * 100_000)
except DiskFullError as error:
    print(error)
print(list(folder.iterdir()))
"""


@pytest.mark.sandbox
def test_a_full_disk_gives_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    said = subprocess.run(
        ["bwrap", "--bind", "/", "/", "--dev", "/dev", "--size", "1000000", "--tmpfs",
         str(tmp_path / "disk"), sys.executable, "-c", FILLING, str(tmp_path / "disk")],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[4],
    ).stdout  # fmt: skip
    assert "found the disk full (No space left on device); free some space or give" in said
    assert said.endswith("[]\n")


ROOM = """
import sys
from pathlib import Path
from pipeline.data.fetch.cache import Cache
from pipeline.data.fetch.faults import CacheFullError
try:
    Cache(Path(sys.argv[1])).check_room(10_000_000, 0)
except CacheFullError as error:
    print(error)
"""


@pytest.mark.sandbox
def test_a_disk_that_is_too_small_is_refused_before_anything_comes(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    said = subprocess.run(
        ["bwrap", "--bind", "/", "/", "--dev", "/dev", "--size", "1000000", "--tmpfs",
         str(tmp_path / "disk"), sys.executable, "-c", ROOM, str(tmp_path / "disk")],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[4],
    ).stdout  # fmt: skip
    assert "expected room for 0.01 GB on the disk of the cache" in said
    assert "give data.cache=DIR on another disk" in said


def test_left_over_sees_partial_files(tmp_path: Path) -> None:
    (tmp_path / ".a.root.5-0.part").touch()
    assert len(left_over(tmp_path)) == 1
