"""The files and settings of the tests of convert, and one conversion of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from executors import make_executor
from pipeline.settings import Settings
from pipeline.skim import keep_skim
from pipeline.stages.convert.contract import reference_path
from pipeline.stages.convert.product import ConvertProduct, write_product
from pipeline.stages.convert.runner import convert_all
from tests.pipeline.stages.convert.conftest import files, settings
from tests.pipeline.stages.convert.files import fileset

__all__ = ["files", "settings"]


def convert(content: dict, settings: Settings, folder: Path) -> ConvertProduct:
    """Convert into `folder`, as the step does."""
    product = convert_all(
        reference_path(settings), content, settings, folder / "chunks", make_executor("inline")
    )
    write_product(product, folder / "output", folder / "sealed")
    return product


@pytest.fixture(scope="session")
def converted(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, list[Path]], settings: Settings
) -> tuple[Path, ConvertProduct]:
    """A run folder with what convert made from ROOT, in eight chunks or so."""
    folder = tmp_path_factory.mktemp("from ROOT")
    return folder, convert(fileset(files, 100), settings, folder)


@pytest.fixture
def skim(converted: tuple[Path, ConvertProduct], settings: Settings, tmp_path: Path) -> Path:
    """A skim of that conversion, of its own for each test."""
    folder = keep_skim(converted[1], settings, tmp_path / "skims")
    assert folder is not None
    return folder
