"""The final modules after convert, and the first ones that need a second round."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pandas as pd
import pytest
import uproot

from pipeline.stages.contract import ContractError
from pipeline.stages.inspect.reference import inspect
from pipeline.stages.registry import contract_module, trial_of
from pipeline.stages.solution import load_solution
from tests.pipeline.scripted.replies import module_of
from tests.pipeline.stages.tables import Chain

BITS = 1e-9
"""Relative: the same likelihood and minimiser; what is left is the order of sums."""


def ask(chain: Chain, stage: str, number: str, folder: Path, sealed: bool = False) -> Any:
    contract = contract_module(stage).CONTRACT
    scope = chain.settings.channel.name
    path = folder / f"{stage}.py"
    path.write_text(module_of(f"{scope}/{stage}/{number}-coder.md"), encoding="utf-8")
    arguments = contract.arguments(chain.context(stage, sealed))
    module = load_solution(path, contract.defines)
    return contract.accept(contract.call(module, arguments), arguments)


def equal(found: dict[str, Any], right: dict[str, Any]) -> None:
    assert found.keys() == right.keys()
    for name, value in right.items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(found[name], value, check_exact=True)
        else:
            assert found[name] == value, name


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize(("channel", "stage", "number"), [
    ("hyy", "preprocess", "02"), ("hzz4l", "preprocess", "04"), ("hyy", "classify", "02"),
])  # fmt: skip
def test_tables_are_those_of_our_solutions(
    channel: str, stage: str, number: str, sealed: bool, chains: dict[str, Chain], tmp_path: Path
) -> None:
    chain = chains[channel]
    found = ask(chain, stage, number, tmp_path, sealed)
    equal(found, chain.product(stage, sealed))


def test_tables_without_rows_have_their_columns(chains: dict[str, Chain], tmp_path: Path) -> None:
    for channel, number in (("hyy", "02"), ("hzz4l", "04")):
        contract = contract_module("preprocess").CONTRACT
        arguments = contract.arguments(chains[channel].context("preprocess"))
        none = {name: table.iloc[:0] for name, table in arguments["tables"].items()}
        path = tmp_path / f"{channel}.py"
        path.write_text(module_of(f"{channel}/preprocess/{number}-coder.md"), encoding="utf-8")
        arguments = {**arguments, "tables": none}
        module = load_solution(path, contract.defines)
        equal(
            contract.accept(contract.call(module, arguments), arguments),
            contract.accept(contract.call(_ours("preprocess"), arguments), arguments),
        )


def _ours(stage: str) -> Any:
    contract = contract_module(stage)
    path = Path(str(contract.__file__)).with_name("reference.py")
    return load_solution(path, contract.CONTRACT.defines)


def test_boundaries_are_those_of_our_search(chains: dict[str, Chain], tmp_path: Path) -> None:
    chain = chains["hyy"]
    right = chain.product("categorize")
    assert len(right["boundaries"]) >= 1
    equal(ask(chain, "categorize", "04", tmp_path), right)


def test_the_first_search_does_not_stop(chains: dict[str, Chain], tmp_path: Path) -> None:
    chain = chains["hyy"]
    context = chain.context("categorize")
    (given,) = trial_of("categorize").slices(context)
    product = ask(chain, "categorize", "02", tmp_path)
    found = trial_of("categorize").findings(given, product, context)
    assert [f.name for f in found if not f.passed] == ["every boundary gains enough"]


def test_the_first_four_lepton_tables_lack_one(chains: dict[str, Chain], tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"'background', 'control', 'data', 'signal'\], found"):
        ask(chains["hzz4l"], "preprocess", "02", tmp_path)


FIT = ("mu", "mu_err", "mu_interval_95", "cross_section_pb")


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("channel", ["hzz4l", pytest.param("hyy", marks=pytest.mark.slow)])
def test_the_fit_is_the_same(
    channel: str, sealed: bool, chains: dict[str, Chain], tmp_path: Path
) -> None:
    found = ask(chains[channel], "measure", "02", tmp_path, sealed)
    right = chains[channel].product("measure", sealed)
    for name in FIT:
        assert found[name] == pytest.approx(right[name], rel=BITS), name
    assert found["significance"] == pytest.approx(right["significance"], rel=BITS)
    for source in ("stat", "syst", "lumi"):
        mine, theirs = (one["cross_section_err_pb"][source] for one in (found, right))
        assert mine == pytest.approx(theirs, rel=1e-6), source  # differences of squares
    assert found["profile"]["two_delta_nll"] == pytest.approx(
        right["profile"]["two_delta_nll"], rel=1e-4, abs=1e-4
    )
    for mine, theirs in zip(found["categories"], right["categories"], strict=True):
        assert mine["function"] == theirs["function"]
        assert mine["spurious_signal"] == pytest.approx(theirs["spurious_signal"], rel=1e-6)
        assert mine["signal_shape"] == pytest.approx(theirs["signal_shape"], rel=BITS)
        assert mine["chi2"] == pytest.approx(theirs["chi2"], rel=1e-6)
        assert mine["ndf"] == theirs["ndf"]


def test_inspect_says_what_ours_says(tmp_path: Path) -> None:
    path = tmp_path / "some.root"
    with uproot.recreate(path) as file:
        tree = file.mktree("folder/analysis", {"x": "float64", "lists": "var * float32"})
        tree.extend({"x": np.ones(2), "lists": ak.Array([[1.0], [2.0, 3.0]])})
    solution = tmp_path / "inspect.py"
    solution.write_text(module_of("any/inspect/02-coder.md"), encoding="utf-8")
    module = load_solution(solution, {"inspect": ("path",)})
    found = module.inspect(str(path))
    assert found == inspect(str(path))
    assert found["trees"]["folder/analysis"]["entries"] == 2
