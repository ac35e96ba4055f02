"""What preprocess gets and what it accepts."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pipeline.files import read_table
from pipeline.stages.contract import ContractError
from pipeline.stages.preprocess.contract import CONTRACT, MissingTableError, blocked
from tests.pipeline.stages.tables import (
    DATA,
    Chain,
    Content,
    diphoton,
    four_lepton,
    module,
    samples,
    settings,
)

FEW = diphoton(Content(tight=600, loose=600, simulated=60))


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain.start(tmp_path, FEW, settings())


def result(chain: Chain) -> tuple[dict, dict]:
    """What our solution returns if it is given whole tables."""
    arguments = CONTRACT.arguments(chain.context("preprocess"))
    whole = SimpleNamespace(preprocess=module("preprocess", "reference").preprocess)
    return CONTRACT.call(whole, arguments), arguments  # type: ignore[arg-type]


def test_blinded_rows_come_only_in_the_sealed_pass(chain: Chain) -> None:
    plain = CONTRACT.arguments(chain.context("preprocess"))["tables"]
    sealed = CONTRACT.arguments(chain.context("preprocess", sealed=True))["tables"]
    assert len(sealed[DATA]) == len(FEW[DATA])
    assert len(sealed[DATA]) - len(plain[DATA]) > 50
    for name in plain:
        if name != DATA:
            pd.testing.assert_frame_equal(plain[name], sealed[name])


def test_info_says_what_the_task_says(chain: Chain) -> None:
    info = CONTRACT.arguments(chain.context("preprocess"))["info"]
    assert (info["channel"], info["release"]) == ("hyy", "2025e-13tev-beta")
    assert info["luminosity_fb"] == 36.1
    assert info["fit_range"] == info["keep_range"] == [105.0, 160.0]
    assert info["sidebands"] == [[105.0, 120.0], [130.0, 160.0]]
    assert (info["signal_window"], info["blind"]) == ([123.0, 127.0], [120.0, 130.0])
    assert info["samples"]["343981"]["xsec_pb"] == 0.1103
    assert info["samples"]["343981"]["normalisable"]


def test_missing_table_is_an_error_with_its_place(chain: Chain) -> None:
    (chain.folder / "convert" / "output" / "343981.parquet").unlink()
    with pytest.raises(MissingTableError, match="sample '343981' at"):
        CONTRACT.arguments(chain.context("preprocess"))


def test_sample_without_files_needs_no_table(tmp_path: Path) -> None:
    facts = samples(FEW)
    facts["345319"] |= {"files": [], "complete": False, "normalisable": False, "reason": "no file"}
    tables = {name: table for name, table in FEW.items() if name != "345319"}
    chain = Chain.start(tmp_path, tables, settings(), facts)
    assert "345319" not in CONTRACT.arguments(chain.context("preprocess"))["tables"]
    product = chain.product("preprocess")
    assert set(product["signal"]["process"]) == {"ggH", "VBF", "ttH"}
    assert product["samples"]["345319"]["reason"] == "no file"


def test_product_is_kept_and_read_again(chain: Chain, tmp_path: Path) -> None:
    product = chain.product("preprocess")
    again = CONTRACT.read(tmp_path / "preprocess" / "output")
    assert again["samples"] == product["samples"]
    for name in ("signal", "background", "control", "data"):
        pd.testing.assert_frame_equal(again[name], product[name])
    assert (
        read_table(tmp_path / "preprocess" / "output" / "data.parquet").shape == again["data"].shape
    )


def test_call_leaves_the_arguments_alone(chain: Chain) -> None:
    arguments = CONTRACT.arguments(chain.context("preprocess"))
    before = arguments["tables"][DATA].copy()

    class Vandal:
        @staticmethod
        def preprocess(tables: dict, info: dict) -> dict:
            tables[DATA]["weight"] = 0.0
            return {}

    CONTRACT.call(Vandal, arguments)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(arguments["tables"][DATA], before)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda r: r.pop("control"), "expected preprocess to return a dict of"),
        (lambda r: r.update(data=[]), "'data' to be a pandas DataFrame"),
        (lambda r: r.update(signal=r["signal"].drop(columns="pt_yy")), "'signal' to have"),
        (lambda r: r.update(background=r["background"].drop(columns="control_weight")), "'backgr"),
        (lambda r: r.update(signal=r["signal"].assign(weight=np.inf)), "finite numbers in column"),
        (lambda r: r.update(data=r["data"].assign(sample="dreamt")), "found 'dreamt'"),
    ],
)
def test_says_what_is_wrong(chain: Chain, spoil, message: str) -> None:  # type: ignore[no-untyped-def]
    returned, arguments = result(chain)
    spoil(returned)
    with pytest.raises(ContractError, match=message):
        CONTRACT.accept(returned, arguments)


def test_nothing_selected_anywhere_is_blocked(tmp_path: Path) -> None:
    empty = {name: table.iloc[:0] for name, table in FEW.items()}
    facts = samples(FEW)
    chain = Chain.start(tmp_path, empty, settings(), facts)
    reason = blocked(chain.context("preprocess"))
    assert reason is not None
    assert "no event of any sample passed" in reason


def test_not_blocked_with_events(chain: Chain, tmp_path: Path) -> None:
    assert blocked(chain.context("preprocess")) is None
    four = Chain.start(tmp_path / "four", four_lepton(), settings(channel="hzz4l"))
    assert blocked(four.context("preprocess", sealed=True)) is None
