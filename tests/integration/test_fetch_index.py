"""`ladon fetch --index` from a real web server to the list of files that a run consists of.

The index is the publisher's own, byte for byte, and the manifest the release's. A mirror holds that
one; the other 316 are not to be had.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.data.identity import portal_path
from pipeline.data.manifest import load_manifest
from tests.command import Ladon
from tests.mirror.nginx import Nginx, nginx
from tests.pipeline.data.test_run_index import FILES, REAL, RUN

pytestmark = pytest.mark.nginx
RELEASE = "2024r-pp"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Nginx]:
    (index,) = load_manifest(RELEASE).skim("physlite").sample(RUN).indexes
    place = tmp_path / "mirror" / portal_path(index.uri)
    place.parent.mkdir(parents=True)
    place.write_text(REAL)
    with nginx(tmp_path / "mirror", tmp_path / "nginx") as server:
        yield server


def test_from_the_index_on_a_server_to_the_files_of_the_run(
    web: Nginx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    ladon = Ladon(tmp_path)
    words = (
        "fetch", "channel=hyy", "data=opendata_2024", f"data.source={web.url}",
        f"data.cache='{tmp_path / 'cache'}'",
    )  # fmt: skip

    dry = ladon(*words, "--index", "--dry-run")
    assert "317 files" in dry
    assert f"{web.url}/{portal_path(FILES[0].uri).rsplit('/', 1)[0]}" in dry
    assert web.requests() == []
    before = ladon(*words, "--dry-run")
    assert not any(portal_path(file.uri) in before for file in FILES)

    child = ladon.start(*words, "--index")
    said, _ = child.communicate()
    assert child.returncode == 1, said  # 316 are missing, and it says so
    assert "316 of 317 files could not be fetched" in said
    assert f"1 runs of {RELEASE} list their files now: 2 files" in said
    assert "316 runs are not resolved" in said
    assert [line for line, status in web.requests() if status == 200] != []

    shown = json.loads(ladon("data", "show", f"{RELEASE}/physlite/{RUN}", "--json"))
    assert [(f["uri"], f["size"], f["adler32"]) for f in shown["files"]] == [
        (f.uri, f.size, f.adler32) for f in FILES
    ]
    listed = ladon(*words, "--dry-run")
    for file in FILES:
        assert f"{file.size / 1e6:.1f} MB  {web.url}/{portal_path(file.uri)}" in listed
