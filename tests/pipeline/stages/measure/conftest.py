"""One diphoton analysis up to the categories, shared by the tests of measure."""

import pytest

from tests.pipeline.stages.tables import Chain, Content, diphoton, settings

TABLES = diphoton(Content(tight=12_000, loose=20_000, simulated=1_500), seed=4)


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    made = Chain.start(tmp_path_factory.mktemp("measure"), TABLES, settings())
    made.run("preprocess", "classify", "categorize")
    return made
