"""Verification by checksum, by size, or not at all."""

import zlib
from pathlib import Path

import pytest

from pipeline.data.errors import VerificationError
from pipeline.data.manifest import ManifestFile, load_manifest
from pipeline.data.verify import BLOCK, adler32_file, verify_file

PERIOD_D = "ODEO_FEB2025_v0_exactly4lep_data15_periodD.exactly4lep.root"


def test_a_checksum_over_several_blocks_tells_each_block(tmp_path: Path) -> None:
    content = bytes(range(256)) * (BLOCK // 256) + b"tail"
    (tmp_path / "x").write_bytes(content)
    told: list[int] = []
    assert adler32_file(tmp_path / "x", told.append) == f"{zlib.adler32(content):08x}"
    assert told == [BLOCK, 4]


def test_the_checksum_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    assert adler32_file(tmp_path / "x") == "00000001"


@pytest.mark.realdata
def test_the_real_file_is_the_record_s(samples: Path) -> None:
    path = samples / "2025e-13tev-beta" / "exactly4lep" / PERIOD_D
    sample = load_manifest("2025e-13tev-beta").skim("exactly4lep").sample("data15_periodD")
    assert adler32_file(path) == "35ffb644"
    assert verify_file(path, sample.files[0], "checksum") == "checksum"


def test_wrong_size_and_wrong_checksum_name_both_sides(tmp_path: Path) -> None:
    path = tmp_path / "x.root"
    path.write_bytes(b"abc")
    good = ManifestFile("root://a//x.root", 3, "024d0127", None)
    assert verify_file(path, good, "checksum") == "checksum"
    longer = ManifestFile("root://a//x.root", 4, "024d0127", None)
    for mode in ("size", "checksum"):
        with pytest.raises(
            VerificationError, match=r"size 4 bytes of x.root, found 3 bytes in .*/x"
        ):
            verify_file(path, longer, mode)  # type: ignore[arg-type]
    other = ManifestFile("root://a//x.root", 3, "024d0128", None)
    assert verify_file(path, other, "size") == "size"
    with pytest.raises(
        ValueError, match=r"adler32 024d0128 of x.root, found 024d0127 .*verify=none"
    ):
        verify_file(path, other, "checksum")
    assert verify_file(path, longer, "none") == "none"
