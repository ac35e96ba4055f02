"""The inspect stage: our solution on real files, and what its contract refuses."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.configure import configure
from pipeline.stages.contract import ContractError
from pipeline.stages.inspect.contract import CONTRACT
from pipeline.stages.inspect.reference import inspect


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "tree", "entries", "branches"),
    [
        ("2016e-8tev/MC/mc_117049.ttbar_had.root", "mini", 2517, 46),
        ("2020e-13tev/4lep/Data/data_A.4lep.root", "mini", 39, 81),
        (
            (
                "2025e-13tev-beta/exactly4lep/"
                "ODEO_FEB2025_v0_exactly4lep_data15_periodD.exactly4lep.root"
            ),
            "analysis",
            3424,
            117,
        ),
    ],
)
def test_real_files(samples: Path, name: str, tree: str, entries: int, branches: int) -> None:
    found = inspect(str(samples / name))["trees"]
    assert found[tree]["entries"] == entries
    assert len(found[tree]["branches"]) == branches


def test_a_good_summary_becomes_plain_types() -> None:
    given = {"a": {"trees": {"mini": {"entries": np.int64(3), "branches": {"met": "float"}}}}}
    accepted = CONTRACT.accept(given, {"paths": {"a": "x"}})
    assert accepted == {"a": {"trees": {"mini": {"entries": 3, "branches": {"met": "float"}}}}}
    assert type(accepted["a"]["trees"]["mini"]["entries"]) is int


@pytest.mark.parametrize(
    ("summary", "message"),
    [
        (None, "expected inspect() to return a dict with a dict 'trees', found None"),
        ({"trees": ["mini"]}, "a dict 'trees'"),
        ({"trees": {"mini": 3}}, "expected a dict for tree 'mini' of sample a, found 3"),
        ({"trees": {"mini": {"entries": 1.5, "branches": {}}}}, "a whole number of 'entries'"),
        ({"trees": {"mini": {"entries": 1, "branches": ["met"]}}}, "a dict 'branches'"),
    ],
)
def test_what_is_refused(summary: Any, message: str) -> None:
    with pytest.raises(ContractError) as caught:
        CONTRACT.accept({"a": summary}, {"paths": {"a": "x"}})
    assert message in str(caught.value)


def test_of_many_streamed_files_some_are_copied(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of 317 runs one file each is too much to be copied; what lies here is always given."""
    asked: list[list[str]] = []

    def copies(_: Any, files: list[dict[str, Any]]) -> dict[str, str]:
        asked.append([f["path"] for f in files])
        return {f["path"]: f["path"].rpartition("/")[2] for f in files}

    monkeypatch.setattr("pipeline.stages.inspect.contract.local_copies", copies)

    def sample(kind: str, path: str) -> dict[str, Any]:
        return {"kind": kind, "files": [{"path": path, "entries": 1, "size": int(6e9)}]}

    runs = {f"data_{n}": sample("data", f"https://host/d{n}.root") for n in range(5)}
    simulated = {f"mc_{n}": sample("mc", f"https://host/m{n}.root") for n in range(5)}

    class Context:
        settings = configure([])
        fileset: dict[str, Any] = {  # noqa: RUF012
            "tree": "t", "samples": {**runs, **simulated, "near": sample("mc", "near.root")},
        }  # fmt: skip

    given = CONTRACT.arguments(Context())["paths"]  # type: ignore[arg-type]
    assert list(given) == ["data_0", "data_1", "mc_0", "near"]
    assert len(asked[0]) == 4
    assert "7 of 10 samples with streamed files are not inspected" in capsys.readouterr().out
    monkeypatch.setattr("pipeline.stages.inspect.contract.MOST_COPIED", 1)
    assert list(CONTRACT.arguments(Context())["paths"]) == ["data_0", "mc_0", "near"]  # type: ignore[arg-type]


def test_the_first_readable_file_of_each_sample_is_given() -> None:
    class Context:
        settings = configure([])
        fileset: dict[str, Any] = {  # noqa: RUF012
            "tree": "analysis",
            "samples": {
                "b": {"files": [{"path": "1", "entries": None}, {"path": "2", "entries": 5}]},
                "a": {"files": []},
            },
        }

    assert CONTRACT.arguments(Context()) == {"paths": {"b": "2"}}  # type: ignore[arg-type]
