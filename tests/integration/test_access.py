"""The same run from a folder, a web server and an XRootD server: the same bits, however it reads.

The files are synthetic, under the names and paths of the 2025 release; a manifest of their own says
so, and the run with it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.configure import configure
from pipeline.data.manifest_form import write_manifest
from pipeline.files import read_json, sha256_file
from tests.command import SMALL, Ladon
from tests.mirror.files import lay_real, lay_synthetic
from tests.mirror.nginx import before, nginx
from tests.mirror.upstream import upstream
from tests.mirror.xrootd import xrootd

CHOSEN = (*SMALL, "data=opendata_2025", "channel=hyy")


@dataclass(frozen=True)
class Mirror:
    """A mirror, the manifest of its files, and the command that reads it."""

    ladon: Ladon
    root: Path
    manifest: Path

    def run(self, name: str, location: str, *more: str) -> dict[str, Any]:
        """The results of a run that reads from `location`."""
        self.ladon(
            "run", *CHOSEN, f"data.manifest='{self.manifest}'", f"data.location='{location}'",
            f"data.cache='{self.ladon.folder / 'caches' / name}'", f"run.name={name}", *more,
        )  # fmt: skip
        return self.ladon.results(name)

    def tables(self, name: str) -> dict[str, str]:
        """Hashes of everything that the stages of a run made, by stage and name."""
        point = self.ladon.folder / "outputs" / name / "points" / "main"
        return {
            p.relative_to(point).as_posix(): sha256_file(p)
            for part in ("output", "sealed")
            for p in sorted(point.glob(f"*/{part}/**/*"))
            if p.is_file()
        }

    def fileset(self, name: str) -> dict[str, Any]:
        """The fileset of a run."""
        (path,) = (
            p
            for p in (self.ladon.folder / "outputs" / name / "fileset").glob("*.json")
            if p.name.count(".") == 1
        )
        content: dict[str, Any] = read_json(path)
        return content


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    folder = tmp_path_factory.mktemp("access")
    settings = configure(["data=synthetic", *SMALL])
    manifest = lay_synthetic(settings, folder / "mirror", folder / "made")
    return Mirror(Ladon(folder), folder / "mirror", manifest)


@pytest.fixture(scope="module")
def local(mirror: Mirror) -> dict[str, Any]:
    """The results of the run that reads the folder itself."""
    return mirror.run("folder", str(mirror.root))


@pytest.fixture(scope="module")
def web(mirror: Mirror, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with (
        upstream(mirror.root) as behind,
        nginx(mirror.root, tmp_path_factory.mktemp("nginx"), before(behind.url)) as server,
    ):
        yield server.url


@pytest.fixture(scope="module")
def grid(mirror: Mirror, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with xrootd(mirror.root, tmp_path_factory.mktemp("xrootd")) as address:
        yield address


def same(results: dict[str, Any], local: dict[str, Any]) -> None:
    """Everything that was measured is equal; where it was read from, and how long it took, is not.

    The settings name the location, so their hashes differ, as do those of what names them.
    """
    whole = ("categories", "measurement") if results["measurement"] is not None else ()
    for key in ("samples", "cutflow", "synthetic", "release", *whole):
        found, expected = results[key], local[key]
        if key == "samples":
            found, expected = (
                {n: {k: v for k, v in s.items() if k != "verified"} for n, s in x.items()}
                for x in (found, expected)
            )
        assert found == expected, key
    for key in ("manifest_sha256", "code_sha256"):
        assert results["provenance"][key] == local["provenance"][key], key


STAGES = "stages=[inspect,convert]"
"""All that reads files: what comes after starts from its tables."""


def check(
    mirror: Mirror, local: dict[str, Any], name: str, location: str, access: str, *more: str
) -> None:
    results = mirror.run(name, location, f"data.access={access}", *more)
    same(results, local)
    tables, of_folder = mirror.tables(name), mirror.tables("folder")
    if more:
        of_folder = {k: v for k, v in of_folder.items() if k.startswith(("inspect/", "convert/"))}
    assert len(tables) > 40
    assert tables == of_folder
    fileset = mirror.fileset(name)
    ids = [[c["id"] for c in f["chunks"]] for f in (fileset, mirror.fileset("folder"))]
    assert ids[0] == ids[1]
    verified = {f["verified"] for s in fileset["samples"].values() for f in s["files"]}
    assert verified == {"checksum" if access == "copy" else "size"}
    paths = [c["path"] for c in fileset["chunks"]]
    assert all(p.startswith(location) for p in paths) == (access == "stream")
    said = [n for n in fileset["notes"] if "their checksums were not verified" in n]
    assert bool(said) == (access == "stream")


def test_a_folder_of_synthetic_files_under_real_names_says_so(
    mirror: Mirror, local: dict[str, Any]
) -> None:
    assert local["synthetic"] is True
    assert local["notes"][0] == "Synthetic data, as its manifest says; not ATLAS data."
    assert local["official"] == []
    run = mirror.ladon.folder / "outputs" / "folder"
    assert "Synthetic data" in (run / "report.html").read_text()
    assert mirror.fileset("folder")["synthetic"] is True


@pytest.mark.nginx
@pytest.mark.parametrize(("access", "more"), [("copy", (STAGES,)), ("stream", ())])
def test_from_a_web_server(
    mirror: Mirror, local: dict[str, Any], web: str, access: str, more: tuple[str, ...]
) -> None:
    check(mirror, local, f"web-{access}", web, access, *more)


@pytest.mark.xrootd
@pytest.mark.parametrize(("access", "more"), [("copy", ()), ("stream", (STAGES,))])
def test_from_xrootd(
    mirror: Mirror, local: dict[str, Any], grid: str, access: str, more: tuple[str, ...]
) -> None:
    check(mirror, local, f"grid-{access}", grid, access, *more)


@pytest.mark.nginx
def test_a_server_that_answers_502_for_a_while(
    mirror: Mirror, local: dict[str, Any], web: str
) -> None:
    results = mirror.run("flaky", f"{web}/upstream/fails-1", STAGES, "data.access=stream")
    assert results["cutflow"] == local["cutflow"]
    convert = {k: v for k, v in mirror.tables("folder").items() if k.startswith("convert/")}
    assert {k: v for k, v in mirror.tables("flaky").items() if k.startswith("convert/")} == convert


@pytest.mark.nginx
def test_streamed_files_are_converted_by_several_jobs(
    mirror: Mirror, local: dict[str, Any], web: str
) -> None:
    """Nobody opens a file before the job that converts it, and the bits are the same."""
    more = (STAGES, "data.access=stream", "site.budget.convert_jobs=3")
    results = mirror.run("jobs", web, *more)
    assert results["cutflow"] == local["cutflow"]
    assert mirror.fileset("jobs")["counted"] is False
    convert = {k: v for k, v in mirror.tables("folder").items() if k.startswith("convert/")}
    found = {k: v for k, v in mirror.tables("jobs").items() if k.startswith("convert/")}
    said = {k for k in {*convert, *found} if convert.get(k) != found.get(k)}
    assert said <= {"convert/output/counts.json", "convert/output/ledger.json"}
    ledgers = [
        read_json(mirror.ladon.folder / "outputs" / n / "points/main/convert/output/ledger.json")
        for n in ("jobs", "folder")
    ]
    counts = [sorted((c["id"], c["sha256"]) for c in one["chunks"]) for one in ledgers]
    assert counts[0] == counts[1]


def test_files_whose_entries_only_the_jobs_count(mirror: Mirror, local: dict[str, Any]) -> None:
    """As those of 2024r-pp: inspect, the trial of convert and the judge can do without them."""
    plain = json.loads(gzip.decompress(mirror.manifest.read_bytes()))
    for skim in plain["skims"].values():
        for sample in skim["samples"].values():
            for folder in sample["files"]:
                folder["entries"] = [None] * len(folder["names"])
    uncounted = replace(mirror, manifest=mirror.root / "uncounted.json.gz")
    write_manifest(uncounted.manifest, plain)
    agent = ("solver=agent", "model=scripted", "site.budget.convert_jobs=3", STAGES)
    results = uncounted.run("uncounted", str(mirror.root), *agent)
    assert uncounted.fileset("uncounted")["counted"] is False
    assert results["cutflow"] == local["cutflow"]
    point = mirror.ladon.folder / "outputs" / "uncounted" / "points" / "main"
    for stage in ("inspect", "convert"):
        verdict = read_json(point / stage / "verdict.json")
        assert (verdict["outcome"], verdict["rung"]) == ("passed", "exact"), verdict
    assert mirror.ladon("verify", "uncounted").endswith("every number is that of its files\n")


@pytest.mark.nginx
def test_a_mirror_of_files_with_other_bytes_is_refused(mirror: Mirror, web: str) -> None:
    for way, said in (("wrong", "expected adler32"), ("short", "bytes at")):
        child = mirror.ladon.start(
            "run", *CHOSEN, f"data.manifest='{mirror.manifest}'", f"run.name={way}",
            f"data.location={web}/upstream/{way}", "data.cache=caches/bad",
        )  # fmt: skip
        text, _ = child.communicate()
        assert child.returncode == 1
        assert said in text
        assert "could not be fetched" in text


@pytest.mark.nginx
@pytest.mark.realdata
def test_real_files_from_a_web_server(ladon: Ladon, samples: Path, tmp_path: Path) -> None:
    name = "ODEO_FEB2025_v0_exactly4lep_data15_periodD.exactly4lep.root"
    real = samples / "2025e-13tev-beta" / "exactly4lep" / name
    uri = f"root://eospublic.cern.ch//eos/opendata/atlas/rucio/opendata/{name}"
    lay_real({uri: real}, tmp_path / "mirror")
    flows = []
    with nginx(tmp_path / "mirror", tmp_path / "nginx") as server:
        for access in ("copy", "stream"):
            ladon(
                "run", "channel=hzz4l", "data=opendata_2025", "data.partial=true",
                "solver=reference", f"data.location={server.url}", f"data.access={access}",
                f"data.cache='{tmp_path / 'cache'}'", f"run.name={access}",
            )  # fmt: skip
            flows.append(ladon.results(access))
    for results in flows:
        counts = [n for _, n in results["cutflow"]["data15_periodD"]]
        assert counts == [3424, 458, 395, 110, 2, 2, 2]
        assert results["synthetic"] is False
    assert [r["samples"]["data15_periodD"]["verified"] for r in flows] == [["checksum"], ["size"]]
