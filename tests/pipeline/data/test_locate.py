"""Finding files: a flat folder, the portal's layout at any depth, links, doubles, strangers."""

import shutil
from pathlib import Path

import pytest

from pipeline.data.errors import LocationError
from pipeline.data.identity import portal_path
from pipeline.data.locate import Located, locate, open_location
from pipeline.data.manifest import load_manifest

MANIFEST = load_manifest("2020e-13tev")
FOUR_LEPTON = MANIFEST.skim("4lep")
(DATA_A,) = FOUR_LEPTON.sample("data_A").files


def put(folder: Path, name: str = "data_A.4lep.root", content: bytes = b"x") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize(
    "below",
    [".", "4lep", "4lep/Data", "a/b/c", str(Path(portal_path(DATA_A.uri)).parent)],
)
def test_a_file_is_found_in_every_layout(tmp_path: Path, below: str) -> None:
    path = put(tmp_path / below)
    assert locate(MANIFEST, "4lep", tmp_path).paths == {DATA_A.uri: path}


def test_other_skims_of_the_release_are_neither_found_nor_strangers(tmp_path: Path) -> None:
    put(tmp_path, "data_A.GamGam.root")
    put(tmp_path, "data_A.5lep.root")
    put(tmp_path, "notes.txt")
    located = locate(MANIFEST, "4lep", tmp_path)
    assert located == Located({}, (tmp_path / "data_A.5lep.root",), ())


def test_of_two_copies_the_one_like_the_portal_is_taken(tmp_path: Path) -> None:
    put(tmp_path / "a")
    mirrored = put(tmp_path / "z/2020-08-19/4lep/Data")
    put(tmp_path / "z/4lep/Data")
    located = locate(MANIFEST, "4lep", tmp_path)
    assert located.paths[DATA_A.uri] == mirrored
    assert located.ambiguous == (f"data_A.4lep.root is there 3 times; {mirrored} was taken",)


def test_links_to_files_and_folders_are_followed_once(tmp_path: Path) -> None:
    real = put(tmp_path / "store")
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "linked").symlink_to(real.parent)
    (mirror / "round").symlink_to(mirror)
    located = locate(MANIFEST, "4lep", mirror)
    assert located.paths == {DATA_A.uri: mirror / "linked" / "data_A.4lep.root"}
    assert not located.ambiguous
    (mirror / "data_B.4lep.root").symlink_to(real)
    assert len(locate(MANIFEST, "4lep", mirror).paths) == 2


def test_a_link_that_leads_nowhere_is_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "data_A.4lep.root").symlink_to(tmp_path / "gone.root")
    located = locate(MANIFEST, "4lep", tmp_path)
    assert not located.paths
    assert located.missing(FOUR_LEPTON.sample("data_A").files) == [DATA_A.uri]


@pytest.mark.realdata
def test_the_real_files_in_place_and_copied_flat(samples: Path, tmp_path: Path) -> None:
    place = samples / "2020e-13tev"
    found = locate(MANIFEST, "4lep", place)
    assert sorted(p.name for p in found.paths.values()) == [
        "data_A.4lep.root",
        "data_B.4lep.root",
        "data_C.4lep.root",
    ]
    for path in found.paths.values():
        shutil.copy(path, tmp_path)
    assert locate(MANIFEST, "4lep", tmp_path).paths.keys() == found.paths.keys()
    assert len(locate(MANIFEST, "4lep", samples).unknown) == 5


def test_no_place_a_wrong_place_and_a_file(tmp_path: Path) -> None:
    with pytest.raises(LocationError, match=r"give data\.location=PATH"):
        open_location(None, "2020e-13tev")
    with pytest.raises(LocationError, match="found nothing; give the folder"):
        open_location(str(tmp_path / "nowhere"), "2020e-13tev")
    with pytest.raises(FileNotFoundError, match="found a file; give the folder"):
        open_location(str(put(tmp_path)), "2020e-13tev")
    assert open_location(str(tmp_path), "2020e-13tev") == tmp_path.resolve()
