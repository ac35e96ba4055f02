"""What preprocess gets and what it accepts."""

import gc
import tracemalloc
from dataclasses import replace
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


NARROW = ("weight", "sum_weights", "ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated")


def preprocessed(chain: Chain, folder: Path, stored: bool, narrow: bool, sealed: bool) -> Path:
    """What the contract keeps of our solution, given whole tables or some columns of them."""
    solution = SimpleNamespace(preprocess=module("preprocess", "reference").preprocess)
    if narrow:
        solution.COLUMNS = list(NARROW)
    context = replace(chain.context("preprocess", sealed), stored=stored)
    arguments = CONTRACT.arguments(context)
    result = CONTRACT.call(solution, arguments)  # type: ignore[arg-type]
    CONTRACT.write(CONTRACT.accept(result, arguments), folder)
    return folder


@pytest.mark.parametrize("channel", ["hyy", "hzz4l"])
@pytest.mark.parametrize("sealed", [False, True])
def test_the_same_files_whatever_a_solution_asks_for(
    channel: str, sealed: bool, tmp_path: Path
) -> None:
    tables = FEW if channel == "hyy" else four_lepton()
    chain = Chain.start(tmp_path / "chain", tables, settings(channel=channel))
    ways = [(stored, narrow) for stored in (False, True) for narrow in (False, True)]
    found = []
    for stored, narrow in ways:
        folder = tmp_path / f"{stored}-{narrow}"
        preprocessed(chain, folder, stored, narrow, sealed)
        found.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert len(found[0]) == 5
    assert found[0] == found[1] == found[2] == found[3]


def test_a_solution_gets_the_columns_that_it_declares(chain: Chain) -> None:
    seen = {}

    class Curious:
        COLUMNS = ("weight", "no_such", "weight")

        @staticmethod
        def preprocess(tables: dict, info: dict) -> dict:
            seen.update({name: list(table.columns) for name, table in tables.items()})
            return {}

    for stored in (False, True):
        arguments = CONTRACT.arguments(replace(chain.context("preprocess"), stored=stored))
        CONTRACT.call(Curious, arguments)  # type: ignore[arg-type]
        assert set(map(tuple, seen.values())) == {("weight", "m_yy", "input_row")}
        assert len(seen) == len(FEW)


def test_columns_that_are_no_names_are_refused(chain: Chain) -> None:
    arguments = CONTRACT.arguments(chain.context("preprocess"))
    for wrong in ("weight", [1], {"weight": 1}):
        solution = SimpleNamespace(COLUMNS=wrong, preprocess=None)
        with pytest.raises(ContractError, match="COLUMNS to be a list of names, found"):
            CONTRACT.call(solution, arguments)  # type: ignore[arg-type]


def test_a_weight_is_never_filled_in(chain: Chain) -> None:
    """The input has a column of that name, which is another thing."""
    solution = SimpleNamespace(
        COLUMNS=list(NARROW), preprocess=module("preprocess", "reference").preprocess
    )
    for stored in (False, True):
        arguments = CONTRACT.arguments(replace(chain.context("preprocess"), stored=stored))
        result = CONTRACT.call(solution, arguments)  # type: ignore[arg-type]
        result["data"] = result["data"].drop(columns="weight")
        with pytest.raises(ContractError, match="'data' to have the columns weight, found"):
            CONTRACT.accept(result, arguments)


def test_memory_of_writing_does_not_grow_with_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.files.ROW_GROUP", 500)
    monkeypatch.setattr("pipeline.stages.chosen_rows.ChosenRows.blocks.__defaults__", (500,))
    peaks, sizes = [], []
    for factor in (1, 6):
        content = diphoton(Content(tight=1500 * factor, loose=1500 * factor, simulated=60))
        chain = Chain.start(tmp_path / str(factor), content, settings())
        arguments = CONTRACT.arguments(replace(chain.context("preprocess"), stored=True))
        solution = module("preprocess", "reference")
        product = CONTRACT.accept(CONTRACT.call(solution, arguments), arguments)
        gc.collect()
        tracemalloc.start()
        try:
            CONTRACT.write(product, tmp_path / f"made{factor}")
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        made = CONTRACT.read(tmp_path / f"made{factor}")
        sizes.append(max(made[name].memory_usage().sum() for name in ("background", "data")))
    more, larger = peaks[1] - peaks[0], sizes[1] - sizes[0]
    assert larger > 500_000  # bytes of the largest table, above those of the small one
    # What is left is one small frame per row group that a block touches, whatever its rows, and
    # what Python has not collected yet; the whole table at once would be all of `larger`, and more.
    assert more < larger / 2, f"{more} bytes of memory for a table larger by {larger}"
