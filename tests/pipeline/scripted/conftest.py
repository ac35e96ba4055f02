"""Both channels, run with our own solutions, shared by the tests of this room."""

from __future__ import annotations

import pytest

from tests.pipeline.stages.tables import Chain, Content, diphoton, four_lepton, settings

DIPHOTON = diphoton(Content(tight=6_000, loose=10_000, simulated=1_000), seed=5)


@pytest.fixture(scope="session")
def chains(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chain]:
    """By channel; all stages before measure have run."""
    hyy = Chain.start(tmp_path_factory.mktemp("hyy"), DIPHOTON, settings())
    hyy.run("preprocess", "classify", "categorize")
    chosen = settings(channel="hzz4l")
    hzz4l = Chain.start(tmp_path_factory.mktemp("hzz4l"), four_lepton(), chosen)
    hzz4l.run("preprocess")
    return {"hyy": hyy, "hzz4l": hzz4l}
