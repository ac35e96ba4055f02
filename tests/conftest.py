"""Fixtures of the whole suite: the real data, and the rule that a skip in CI is a failure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from executors.sandbox import zygote
from tests.command import SMALL_DATA, Ladon

REPOSITORY = Path(__file__).resolve().parent.parent


def _open_data_folder() -> Path | None:
    named = os.environ.get("LADON_OPEN_DATA")
    if named:
        return Path(named)
    beside = REPOSITORY.parent / "shared" / "open_data"
    return beside if beside.is_dir() else None


@pytest.fixture(scope="session")
def open_data() -> Path:
    """Folder with the real ATLAS Open Data files and metadata."""
    folder = _open_data_folder()
    if folder is None or not (folder / "catalog.csv.gz").exists():
        pytest.skip(
            "the real ATLAS Open Data files are not here; set LADON_OPEN_DATA to the folder "
            "that holds catalog.csv.gz and samples/"
        )
    return folder


@pytest.fixture(scope="session")
def samples(open_data: Path) -> Path:
    """Folder with the real sample files, one folder per release."""
    return open_data / "samples"


@pytest.fixture(scope="session", autouse=True)
def sandboxes_start_at_once() -> Iterator[None]:
    """Where there can be a zygote, the sandboxes that tests open are copies of it, as in a run."""
    zygote.begin()
    yield
    zygote.end()


@pytest.fixture(scope="session")
def scripted_run(tmp_path_factory: pytest.TempPathFactory) -> Ladon:
    """One finished small run of the scripted model, shared by the tests that only look."""
    command = Ladon(tmp_path_factory.mktemp("scripted"))
    command("run", "run.name=small", *SMALL_DATA)
    return command


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


SERVICES = ("slurm", "vllm", "apptainer")
"""Markers of tests that use a service of this machine: one process runs them all, and first."""


def _scope(file: str) -> str:
    """What must stay in one process: all tests of services, or those of a file (its fixtures)."""
    text = (REPOSITORY / file).read_text(encoding="utf-8")
    return "services" if any(f"mark.{name}" in text for name in SERVICES) else file


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that no process is alone at the end."""
    files = {item.path: _scope(item.path.relative_to(REPOSITORY).as_posix()) for item in items}
    items.sort(key=lambda i: (files[i.path] != "services", "integration" not in i.path.parts))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Which tests run beside each other under `make test` (pytest-xdist with --dist loadscope).

    By the names of files: pytest-xdist 3.8 cannot tell groups by markers with pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return _scope(nodeid.partition("::")[0])

    return Scheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """Where LADON_NO_SKIP is set (CI, after `make testbed`), a skipped test has failed."""
    report = yield
    if report.skipped and os.environ.get("LADON_NO_SKIP") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where the testbed provides what it needs: {report.longrepr}"
    return report
