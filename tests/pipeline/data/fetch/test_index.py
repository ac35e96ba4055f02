"""Run indexes: fetched like any file, and taken into the manifest; those that lie are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.data import manifest as manifests
from pipeline.data import manifest_choice
from pipeline.data.errors import ManifestError
from pipeline.data.fetch.cache import Cache
from pipeline.data.fetch.index import fetch_indexes, indexes
from pipeline.data.fetch.transfer import Transfer
from pipeline.data.identity import portal_path
from pipeline.data.manifest import Manifest, load_manifest
from pipeline.data.manifest_form import from_dict, write_manifest
from pipeline.data.run_index import index_folder
from pipeline.data.verify import adler32_file
from tests.mirror.nginx import nginx
from tests.pipeline.data.fetch.conftest import HASTY

FOLDER = "root://eospublic.cern.ch//eos/opendata/atlas/rucio/data15_13TeV"
RELEASE = "2024r-pp"


def sample(run: str, index: dict[str, Any]) -> dict[str, Any]:
    """A run of which only the index is known."""
    none = dict.fromkeys(
        ("dsid", "cross_section_pb", "filter_efficiency", "k_factor", "sum_of_weights",
         "sum_of_weights_squared", "n_events", "facts_source")
    )  # fmt: skip
    return {
        **none, "kind": "data", "process": run, "files": [], "corrections": [], "warnings": [],
        "campaign": "data15_13TeV", "indexes": [index],
    }  # fmt: skip


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """A release of two runs, the mirror of their indexes, and the user's folders."""
    samples = {}
    for run in ("271733", "276790"):
        uri = f"{FOLDER}/run_{run}_file_index.json"
        path = tmp_path / "mirror" / portal_path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        listed = [
            {"checksum": f"adler32:0000000{n}", "filename": f"data15_13TeV:{run}._{n}.root.1",
             "size": 100 * n, "uri": f"{FOLDER}/{run}._{n}.root.1"}
            for n in (1, 2)
        ]  # fmt: skip
        path.write_text(json.dumps(listed))
        index = {"uri": uri, "size": path.stat().st_size, "adler32": adler32_file(path)}
        samples[run] = sample(run, index)
    none = {"files": 0, "events": None, "bytes": 0, "rounded": 1, "source": "tests"}
    plain = {
        "schema": 2, "release": RELEASE, "sources": {"tests": "0" * 64}, "left_out": [],
        "published": dict.fromkeys(("data", "mc", "total"), none),
        "skims": {"PHYSLITE": {"tree": "CollectionTree", "samples": samples}},
    }  # fmt: skip
    write_manifest(tmp_path / "manifest.json.gz", plain)
    for module in (manifests, manifest_choice):
        monkeypatch.setattr(module, "manifest_path", lambda _: tmp_path / "manifest.json.gz")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    load_manifest.cache_clear()
    return from_dict(plain)


@pytest.mark.nginx
def test_indexes_resolve_the_runs_that_they_list(release: Manifest, tmp_path: Path) -> None:
    with nginx(tmp_path / "mirror", tmp_path / "nginx") as web:
        transfer = Transfer(Cache(tmp_path / "cache"), (web.url,), patience=HASTY)
        outcome, known = fetch_indexes(transfer, RELEASE, indexes(release), lambda *_: None)
    assert outcome.failures == ()
    assert (known.resolved, known.unresolved, known.files, known.bytes) == (2, 0, 4, 600)
    files = load_manifest(RELEASE).skim("PHYSLITE").sample("276790").files
    assert [(f.uri, f.size, f.adler32) for f in files] == [
        (f"{FOLDER}/276790._1.root.1", 100, "00000001"),
        (f"{FOLDER}/276790._2.root.1", 200, "00000002"),
    ]
    load_manifest.cache_clear()


@pytest.mark.nginx
def test_a_run_whose_index_is_another_stays_unresolved(release: Manifest, tmp_path: Path) -> None:
    other = next((tmp_path / "mirror").rglob("run_271733_file_index.json"))
    other.write_text(other.read_text().replace("100", "101"))
    with nginx(tmp_path / "mirror", tmp_path / "nginx") as web:
        transfer = Transfer(Cache(tmp_path / "cache"), (web.url,), patience=HASTY)
        outcome, known = fetch_indexes(transfer, RELEASE, indexes(release), lambda *_: None)
    (failure,) = outcome.failures
    assert failure.reason.startswith("run_271733_file_index.json: expected adler32")
    assert (known.resolved, known.unresolved, known.files) == (1, 1, 2)
    load_manifest.cache_clear()


@pytest.mark.nginx
def test_indexes_that_were_damaged_here_are_fetched_again(
    release: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (portal_path(file.uri) for file in indexes(release))
    with nginx(tmp_path / "mirror", tmp_path / "nginx") as web:
        words = ["fetch", "--index", "channel=hyy", "data=opendata_2024",
                 f"data.source={web.url}", f"data.cache={tmp_path / 'cache'}"]  # fmt: skip
        assert main(words) == 0
        for path in (index_folder(RELEASE) / Path(one).name, tmp_path / "cache" / other):
            path.write_bytes(b"x" * path.stat().st_size)
        load_manifest.cache_clear()
        assert main(words) == 0
    assert "2 runs of 2024r-pp list their files now" in capsys.readouterr().out
    assert load_manifest(RELEASE).skim("PHYSLITE").sample("271733").resolved
    load_manifest.cache_clear()


def test_a_release_without_indexes_says_so() -> None:
    with pytest.raises(ManifestError, match="expected run indexes in release 2020e-13tev, found"):
        indexes(load_manifest("2020e-13tev"))


@pytest.mark.parametrize("which", [(), ("--all",)])
def test_a_fetch_says_which_runs_it_does_not_know(
    index_home: Path, capsys: pytest.CaptureFixture[str], which: tuple[str, ...]
) -> None:
    assert main(["fetch", "channel=hyy", "data=opendata_2024", "--dry-run", *which]) == 0
    said = capsys.readouterr().out
    assert "the files of 317 runs of 2024r-pp are not known, first data15_run_" in said
    assert "`ladon fetch --index` gets its lists" in said


def test_the_release_2024_lists_317_runs_by_index() -> None:
    assert len(indexes(load_manifest(RELEASE))) == 317
