"""The official numbers, from the official files, through the whole graph."""

import shutil
from pathlib import Path

import pytest

from pipeline.report.results import validate_results
from tests.command import Ladon

pytestmark = pytest.mark.realdata
SELECTED_2020 = {"data_A": (39, 27), "data_B": (156, 86), "data_C": (237, 146)}


def run_2020(ladon: Ladon, location: Path, name: str) -> dict:
    ladon(
        "run", "channel=hzz4l", "data=opendata_2020", f"data.location='{location}'",
        "data.verify=none", "data.partial=true", "solver=reference", f"run.name={name}",
    )  # fmt: skip
    results = ladon.results(name)
    validate_results(results)
    return results


def test_2020_four_leptons(ladon: Ladon, samples: Path) -> None:
    results = run_2020(ladon, samples / "2020e-13tev", "real2020")
    found = {n: (s["entries"], s["selected"]) for n, s in results["samples"].items()}
    assert found == SELECTED_2020
    assert results["measurement"] is None
    assert "no simulated signal" in results["measurement_reason"]
    assert all(row["agrees"] for row in results["official"])
    assert len(results["official"]) >= 3


def test_2020_from_the_folder_itself_and_with_another_file_beside_them(
    ladon: Ladon, samples: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "my files"
    shutil.copytree(samples / "2020e-13tev" / "4lep" / "Data", folder)
    folder.chmod(0o755)
    shutil.copy(folder / "data_A.4lep.root", folder / "data_D.4lep.root")
    shutil.copy(folder / "data_B.4lep.root", folder / "mc_301215.ZPrime2000_ee.4lep.root")
    results = run_2020(ladon, folder, "beside")
    found = {n: (s["entries"], s["selected"]) for n, s in results["samples"].items()}
    assert found == {**SELECTED_2020, "data_D": (39, 27), "301215": (156, 86)}
    assert results["samples"]["301215"]["role"] == "other"


def test_2025_period_d(ladon: Ladon, samples: Path) -> None:
    ladon(
        "run", "channel=hzz4l", "data=opendata_2025",
        f"data.location={samples / '2025e-13tev-beta'}", "data.partial=true",
        "solver=reference", "run.name=real2025",
    )  # fmt: skip
    results = ladon.results("real2025")
    validate_results(results)
    assert [n for _, n in results["cutflow"]["data15_periodD"]] == [3424, 458, 395, 110, 2, 2, 2]
    assert results["samples"]["data15_periodD"]["verified"] == ["checksum"]
    assert all(row["agrees"] for row in results["official"])


def test_an_incomplete_release_is_refused_unless_told(ladon: Ladon, samples: Path) -> None:
    child = ladon.start(
        "run", "channel=hzz4l", "data=opendata_2025",
        f"data.location={samples / '2025e-13tev-beta'}", "run.name=refused",
    )  # fmt: skip
    text, _ = child.communicate()
    assert child.returncode == 1
    assert "data.partial=true" in text
    assert "Traceback" not in text


def test_a_corrupt_file_is_named_and_the_rest_is_finished(
    ladon: Ladon, samples: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(samples / "2020e-13tev" / "4lep" / "Data", folder)
    folder.chmod(0o755)
    victim = folder / "data_B.4lep.root"
    victim.chmod(0o644)
    content = bytearray(victim.read_bytes())
    content[len(content) // 4 : len(content) // 2] = b"\xff" * (len(content) // 4)
    victim.write_bytes(content)
    (folder / "data_C.4lep.root").chmod(0o644)
    (folder / "data_C.4lep.root").write_bytes(b"")
    results = run_2020(ladon, folder, "damaged")
    assert results["samples"]["data_A"]["selected"] == 27
    assert not results["samples"]["data_B"]["normalisable"]
    assert any("data_B.4lep.root" in note for note in results["notes"])
    assert any("data_C.4lep.root" in note for note in results["notes"])


def test_2024_physlite(ladon: Ladon, samples: Path, tmp_path: Path) -> None:
    """The example's 100 events are of DSID 700322: it stands for the first file of that sample."""
    name = "DAOD_PHYSLITE.37621317._000001.pool.root.1"
    shutil.copyfile(samples / "2024r-pp/PHYSLITE_example.root", tmp_path / name)
    ladon(
        "run", "channel=hyy", "data=opendata_2024", f"data.location={tmp_path}",
        "data.verify=none", "data.partial=true", "solver=reference", "stages=[inspect,convert]",
        "run.name=physlite",
    )  # fmt: skip
    results = ladon.results("physlite")
    validate_results(results)
    assert [n for _, n in results["cutflow"]["700322"]] == [100, 0, 0, 0, 0, 0, 0, 0]
    assert results["samples"]["700322"]["entries"] == 100
    assert results["stages"]["convert"]["outcome"] == "reference"
    notes = "\n".join(results["notes"])
    assert "no scale factors but that of pile-up, and no missing transverse momentum" in notes
    assert "317 of 317 data samples are incomplete" in notes
    assert "645 of its 646 file(s) missing" in notes


def test_2016_four_leptons(ladon: Ladon, samples: Path) -> None:
    ladon(
        "run", "channel=hzz4l", "data=opendata_2016",
        f"data.location={samples / '2016e-8tev'}", "data.verify=none", "data.partial=true",
        "solver=reference", "run.name=real2016",
    )  # fmt: skip
    results = ladon.results("real2016")
    validate_results(results)
    assert [n for _, n in results["cutflow"]["105986"]] == [12500, 12500, 12369, 167, 164, 160]
    assert results["measurement"] is None
    assert "no official H→ZZ* selection" in "\n".join(results["notes"])
