"""Where conf and manifests are found: in the checkout, or beside the installed distribution."""

import sys
from pathlib import Path

import pytest

import pipeline.paths
from pipeline.paths import ResourceError, resource

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def test_the_checkout_comes_first() -> None:
    assert resource("conf") == REPOSITORY / "conf"
    assert resource("data_manifests") == REPOSITORY / "data_manifests"


def test_an_installed_ladon_finds_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.paths, "__file__", str(tmp_path / "site/pipeline/paths.py"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(ResourceError, match=r"expected 'conf' in .* or .*share/ladon/conf, found"):
        resource("conf")
    (tmp_path / "share/ladon/conf").mkdir(parents=True)
    assert resource("conf") == tmp_path / "share/ladon/conf"
