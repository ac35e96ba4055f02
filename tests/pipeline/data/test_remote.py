"""A run's files in the cache: pinned while it works, and fetched again if they were evicted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.configure import configure
from pipeline.data.errors import LocationError, VerificationError
from pipeline.data.fetch.pins import pinned
from pipeline.data.fileset import build_fileset
from pipeline.data.remote import renew
from pipeline.files import write_json
from pipeline.settings import Settings, to_dict
from tests.mirror.files import lay_real
from tests.mirror.nginx import Nginx, nginx

pytestmark = [pytest.mark.nginx, pytest.mark.realdata]
NAME = "ODEO_FEB2025_v0_exactly4lep_data15_periodD.exactly4lep.root"
URI = f"root://eospublic.cern.ch//eos/opendata/atlas/rucio/opendata/{NAME}"


@pytest.fixture
def web(samples: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    lay_real({URI: samples / "2025e-13tev-beta" / "exactly4lep" / NAME}, tmp_path / "mirror")
    with nginx(tmp_path / "mirror", tmp_path / "nginx") as server:
        yield server


def settings(location: str, cache: Path, *more: str) -> Settings:
    return configure(
        ["channel=hzz4l", "data=opendata_2025", "data.partial=true", f"data.location={location}",
         f"data.cache='{cache}'", *more]
    )  # fmt: skip


def only(fileset: dict) -> dict:  # type: ignore[type-arg]
    (file,) = fileset["samples"]["data15_periodD"]["files"]
    return file


def test_copied_verified_and_pinned_in_the_portal_s_layout(web: Nginx, in_tmp: Path) -> None:
    cache = in_tmp / "cache"
    file = only(build_fileset(settings(web.url, cache)))
    place = cache / "eos/opendata/atlas/rucio/opendata" / NAME
    assert (file["path"], file["verified"], file["entries"]) == (str(place), "checksum", 3424)
    assert place in pinned(cache)


def test_a_file_that_was_damaged_in_the_cache_is_fetched_again(web: Nginx, in_tmp: Path) -> None:
    chosen = settings(web.url, in_tmp / "cache")
    place = Path(only(build_fileset(chosen))["path"])
    whole = place.read_bytes()
    place.write_bytes(whole[:-1] + b"?")
    assert only(build_fileset(chosen))["verified"] == "checksum"
    assert place.read_bytes() == whole


def test_a_run_that_goes_on_gets_back_what_was_evicted(web: Nginx, in_tmp: Path) -> None:
    chosen = settings(web.url, in_tmp / "cache")
    fileset = build_fileset(chosen)
    run = in_tmp / "run"
    write_json(run / "fileset" / "k.json", fileset)
    write_json(run / "fileset" / "k.settings.json", to_dict(chosen))
    (run / ".lock").write_text(json.dumps({"host": "node7", "pid": 1, "job": None}))
    place = Path(only(fileset)["path"])
    place.unlink()
    said: list[str] = []
    renew(run, said.append)
    assert place.is_file()
    pins = [json.loads(p.read_text()) for p in (in_tmp / "cache" / ".ladon-pins").glob("*.json")]
    assert [p["files"] for p in pins if p["name"] == str(run)] == [
        [str(place.relative_to(in_tmp / "cache"))]
    ]
    assert said == [f"1 files are gone from {in_tmp / 'cache'}: fetching them again"]


def test_streamed_by_its_size(web: Nginx, in_tmp: Path) -> None:
    fileset = build_fileset(settings(web.url, in_tmp / "cache", "data.access=stream"))
    file = only(fileset)
    assert file["path"] == f"{web.url}/eos/opendata/atlas/rucio/opendata/{NAME}"
    assert (file["verified"], file["entries"]) == ("size", 3424)
    assert fileset["notes"][0].startswith("the luminosity of 36.1")
    assert "their checksums were not verified" in fileset["notes"][1]
    assert not (in_tmp / "cache").exists()


def test_another_size_than_the_manifest_s_is_refused(web: Nginx, in_tmp: Path) -> None:
    link = next((in_tmp / "mirror").rglob(NAME))
    content = link.read_bytes()
    link.unlink()
    link.write_bytes(content + b"more")
    chosen = settings(web.url, in_tmp / "cache", "data.access=stream")
    with pytest.raises(VerificationError, match=r"expected size \d+ bytes of ODEO"):
        build_fileset(chosen)


@pytest.mark.parametrize("access", ["copy", "stream"])
def test_a_mirror_without_any_file_of_the_skim(web: Nginx, in_tmp: Path, access: str) -> None:
    chosen = settings(f"{web.url}/nothing", in_tmp / "cache", f"data.access={access}")
    with pytest.raises(LocationError, match=r"found not one of them; check data\.location"):
        build_fileset(chosen)
