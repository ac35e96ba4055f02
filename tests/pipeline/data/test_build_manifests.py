"""Building the manifests: the committed bytes come out again, and stale patches are refused."""

import copy
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipeline.data.build_manifests import Services, build, main, services
from pipeline.data.errors import ManifestError
from pipeline.data.manifest import known_manifests, manifest_folder, manifest_path
from pipeline.data.manifest_form import write_manifest
from pipeline.files import read_json, write_json


@pytest.fixture(scope="module")
def asked(open_data: Path) -> Iterator[Services]:
    """Local services that answer from the real tables."""
    with services(open_data) as running:
        yield running


@pytest.fixture
def reviewed(tmp_path: Path) -> Path:
    """A copy of the reviewed files, to change."""
    for name in ("records.json", "corrections.json", "published.json"):
        (tmp_path / name).write_bytes((manifest_folder() / name).read_bytes())
    return tmp_path


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = read_json(manifest_folder() / "manifest.schema.json")
    return loaded


def content(release: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(gzip.decompress(manifest_path(release).read_bytes()))
    return loaded


@pytest.mark.realdata
@pytest.mark.parametrize("release", known_manifests())
def test_the_committed_manifest_is_what_the_sources_give(
    asked: Services, tmp_path: Path, release: str
) -> None:
    manifest = build(release, asked, manifest_folder())
    assert manifest == content(release)
    write_manifest(tmp_path / "a.json.gz", manifest)
    write_manifest(tmp_path / "b.json.gz", manifest)
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()


@pytest.mark.parametrize("release", known_manifests())
def test_the_committed_manifest_meets_its_schema_and_is_small(
    schema: dict[str, Any], release: str
) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content(release), schema)
    assert manifest_path(release).stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("adler32", "adler32:29634ba7"), ("adler32", "37f48e7"), ("sizes", "81250713"),
        ("names", "data_A.zip"), ("names", "FilesToProcess.txt~"),
    ],
)  # fmt: skip
def test_the_schema_refuses_what_is_not_normalised(
    schema: dict[str, Any], key: str, value: str
) -> None:
    manifest = copy.deepcopy(content("2020e-13tev"))
    manifest["skims"]["GamGam"]["samples"]["data_A"]["files"][0][key] = [value]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest, schema)


@pytest.mark.realdata
def test_a_correction_that_no_longer_fits_is_refused(asked: Services, reviewed: Path) -> None:
    patches = read_json(reviewed / "corrections.json")
    patches["corrections"][0]["old"] = 1.0
    write_json(reviewed / "corrections.json", patches)
    with pytest.raises(ManifestError, match=r"expected cross_section_pb 1.0 of sample 341081"):
        build("2020e-13tev", asked, reviewed)
    patches["corrections"][0].update(old=2.6433864e-06, sample="999999")
    write_json(reviewed / "corrections.json", patches)
    with pytest.raises(ManifestError, match="names sample '999999'"):
        build("2020e-13tev", asked, reviewed)


@pytest.mark.realdata
def test_the_command_writes_what_is_committed(
    open_data: Path, reviewed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema_file = "manifest.schema.json"
    (reviewed / schema_file).write_bytes((manifest_folder() / schema_file).read_bytes())
    place = ["--open-data", str(open_data), "--output", str(reviewed)]
    assert main([*place, "2016e-8tev"]) == 0
    told = capsys.readouterr().out
    assert "1 skims, 44 samples, 44 files, 6695347118 bytes of data" in told
    assert '"mc_8tev.json"' in told
    written = gzip.decompress((reviewed / "2016e-8tev.json.gz").read_bytes())
    assert json.loads(written) == content("2016e-8tev")
    assert not (reviewed / "2020e-13tev.json.gz").exists()
    assert main([*place, "2016e-8tv"]) == 2
    assert "records.json has no release '2016e-8tv'; nearest: 2016e-8tev" in capsys.readouterr().err
    (reviewed / schema_file).write_text('{"properties": {"release": {"const": "x"}}}')
    assert main([*place, "2016e-8tev"]) == 2
    assert "release is not as manifest.schema.json says" in capsys.readouterr().err


def test_a_folder_without_tables_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--open-data", str(tmp_path), "--output", str(manifest_folder())]) == 2
    assert "expected catalog.csv.gz and the tables" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("records.json", "{", "", "expected JSON in the reviewed file"),
        ("corrections.json", "{", "{,", "line 1 column 2"),
        ("corrections.json", '"warnings"', '"warnigns"', "found no warnings among schema, "),
        ("corrections.json", '"reason"', '"raeson"', "found no reason and raeson, which nothing"),
        ("corrections.json", '"text"', '"txt"', "found no text and txt, which nothing reads"),
        ("published.json", '"published"', '"publisht"', "found no published among"),
        ("published.json", '"files"', '"fils"', "entry 1 of published in"),
        ("published.json", '"kind": "total"', '"kind": "totl"', "found 'totl'; nearest: total"),
        ("records.json", '"tree"', '"tre"', "expected tree and skims of release 2016e-8tev"),
    ],
)
def test_a_slip_in_a_reviewed_file_is_a_sentence(
    open_data: Path, reviewed: Path, capsys: pytest.CaptureFixture[str],
    name: str, old: str, new: str, said: str,
) -> None:  # fmt: skip
    path = reviewed / name
    path.write_text(path.read_text().replace(old, new, 1))
    assert main(["--open-data", str(open_data), "--output", str(reviewed), "2016e-8tev"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("build_manifests: expected")
    assert said in told
    assert str(path) in told
    assert "delete" not in told


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("file", "name", "key", "value", "said"),
    [
        ("corrections", "corrections", "release", "2020e-13tv", "found '2020e-13tv'; nearest"),
        ("corrections", "warnings", "release", ["2020e-13tv"], "found '2020e-13tv'; nearest"),
        ("corrections", "corrections", "quantity", "xsec", "found 'xsec'; it has cross_section_pb"),
        ("corrections", "entries", "skim", "GamGan", "found 'GamGan'; nearest: GamGam"),
        ("published", "published", "release", "2016e-8tv", "found '2016e-8tv'; nearest"),
    ],
)
def test_an_entry_that_would_silently_do_nothing_is_refused(
    asked: Services, reviewed: Path, file: str, name: str, key: str, value: Any, said: str
) -> None:
    """A correction of a release that there is not is put into no manifest, and nobody is told."""
    path = reviewed / f"{file}.json"
    plain = read_json(path)
    plain[name][0][key] = value
    write_json(path, plain)
    release = "2025e-13tev-beta" if name == "entries" else "2020e-13tev"
    with pytest.raises(ManifestError, match=f"expected a known .*{said}"):
        build(release, asked, reviewed)


@pytest.mark.realdata
def test_entries_of_a_sample_with_several_files_are_refused(
    asked: Services, reviewed: Path
) -> None:
    path = reviewed / "corrections.json"
    patches = read_json(path)
    one = {"release": "2024r-pp", "skim": "physlite", "sample": "345060", "entries": 5}
    patches["entries"].append({**one, "source": "nobody"})
    write_json(path, patches)
    with pytest.raises(ManifestError, match=r"expected one file of sample 345060 .* found 17"):
        build("2024r-pp", asked, reviewed)
