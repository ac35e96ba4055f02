"""Synthetic samples that several tests look at, made once."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.data.synthetic import generate
from pipeline.data_settings import DataSettings


def data_settings(**changes: Any) -> DataSettings:
    """Settings of synthetic data, at the defaults of conf/data/synthetic.yaml."""
    given = {"luminosity": 36.1, "mu": 1.0, "seed": 2025, "thinning": 0.1, **changes}
    return DataSettings("synthetic", "2025e-13tev-beta", synthetic=True, **given)


@pytest.fixture(scope="session")
def hyy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Records by sample of H -> yy at 2 fb^-1."""
    folder = tmp_path_factory.mktemp("hyy")
    return {r["sample"]: r for r in generate("hyy", data_settings(luminosity=2.0), folder)}


@pytest.fixture(scope="session")
def hzz4l(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Records by sample of H -> ZZ* -> 4l at 36.1 fb^-1."""
    folder = tmp_path_factory.mktemp("hzz4l")
    return {r["sample"]: r for r in generate("hzz4l", data_settings(), folder)}


def paths(records: dict[str, dict[str, Any]], kind: str) -> list[Path]:
    """Files of the samples of a kind."""
    return [Path(r["path"]) for r in records.values() if r["kind"] == kind]
