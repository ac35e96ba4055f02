"""What crosses the wall comes back as it was, and what cannot cross is named."""

from __future__ import annotations

import json
import math
from typing import Any

import awkward as ak
import hypothesis.extra.numpy as hnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executors.sandbox.inside import decoding, encoding, formulas
from pipeline.physics.significance import asimov_z

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64) + 1, 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
DTYPES = st.sampled_from([*sorted(encoding.DTYPES), ">f4", ">i8"])
ARRAYS = hnp.arrays(DTYPES.map(np.dtype), hnp.array_shapes(max_dims=3, min_side=0, max_side=5))


def crossed(value: Any, hostile: bool = True) -> Any:
    """`value` after one crossing; strict (as into the host) where `hostile`."""
    encoded = encoding.encode(value, from_host=not hostile)
    memory = np.zeros(encoded.size, dtype=np.uint8).data
    start, size = encoding.write(encoded, memory)
    return decoding.decode(memory, start, size, hostile, formulas.BUILTINS)


@given(PLAIN)
@settings(deadline=None)
def test_plain_values(value: Any) -> None:
    # As text, because NaN is not equal to itself.
    assert repr(crossed(value)) == repr(value)


@given(ARRAYS)
@settings(deadline=None)
def test_arrays(array: np.ndarray[Any, Any]) -> None:
    back = crossed(array)
    assert back.dtype == array.dtype.newbyteorder("=")
    assert back.shape == array.shape
    assert np.array_equal(back, array, equal_nan=array.dtype.kind in "fc")


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"))))
@settings(deadline=None)
def test_arrays_of_text(words: list[str]) -> None:
    assert crossed(np.array(words, dtype=str)).tolist() == words


@pytest.mark.parametrize(
    "cut",
    [lambda s: s, lambda s: s.iloc[1:3], lambda s: s.iloc[:0], lambda s: s[[False, True] * 2],
     lambda s: pd.concat([s, s.iloc[2:]]), lambda s: s.astype("string[python]"),
     lambda s: s.astype(object)],
)  # fmt: skip
def test_columns_of_text(cut: Any) -> None:
    """Also parts of longer ones, of which the rest stays behind."""
    table = pd.DataFrame({"t": cut(pd.Series(["é", "bc", "", "dd"]))}).reset_index(drop=True)
    assert crossed(table)["t"].tolist() == table["t"].tolist()
    letters = sum(len(text.encode()) for text in table["t"])
    assert sum(part.nbytes for part in encoding.encode(table, False).parts) == (
        letters + 8 * (len(table) + 1)
    )


@given(st.lists(st.lists(st.floats(width=32, allow_nan=False), max_size=4), max_size=6))
@settings(deadline=None)
def test_jagged_arrays(lists: list[list[float]]) -> None:
    array = ak.values_astype(ak.Array([*lists, [1.0]])[:-1], np.float32)
    back = crossed(array)
    assert back.tolist() == array.tolist()
    assert back.type.content == array.type.content


def events() -> ak.Array:
    return ak.Array(
        {
            "photon_pt": ak.values_astype(ak.Array([[50.5, 30.25], [], [20.0]]), np.float32),
            "met": np.array([1.5, 2.5, np.nan]),
            "eventNumber": np.array([1, 2, 2**60]),
            "trigP": np.array([True, False, True]),
        }
    )


def test_events_as_a_record() -> None:
    back = crossed(events())
    assert str(back.type) == str(events().type)
    assert repr(back.tolist()) == repr(events().tolist())


@pytest.mark.parametrize(
    "cut",
    [
        lambda e: e[[True, False, True]],
        lambda e: e[1:],
        lambda e: e[[2, 0]],
        lambda e: e[e.met > 100],
        lambda e: ak.mask(e.met, e.met > 2),
        lambda e: ak.firsts(e.photon_pt),
        lambda e: e.photon_pt[:, :1],
        lambda e: ak.to_regular(e.photon_pt[:, :0]),
    ],
)
def test_cut_and_masked_arrays(cut: Any) -> None:
    assert repr(crossed(cut(events())).tolist()) == repr(cut(events()).tolist())


def test_rows_that_were_cut_away_do_not_travel_along() -> None:
    hidden = ak.Array({"m": ak.Array([[1.0], [125.125, 2.0], [3.0]]), "x": [1.0, 125.125, 3.0]})
    for kept in (hidden[[True, False, True]], hidden[2:], hidden[:1], hidden[[0, 2]].m):
        encoded = encoding.encode(kept, from_host=True)
        memory = bytearray(encoded.size)
        encoding.write(encoded, memoryview(memory))
        assert np.float64(125.125).tobytes() not in bytes(memory)


def test_tables() -> None:
    table = pd.DataFrame(
        {
            "m_yy": np.array([125.0, np.nan], np.float32),
            "event_number": np.array([1, 2**60]),
            "tight": [True, False],
            "process": ["ggH", "VBF é"],
            "sample": pd.Categorical(["a", "b"]),
            "n": pd.array([1, None], dtype="Int64"),
        },
        index=[7, 9],
    )
    back = crossed({"signal": table})["signal"]
    assert list(back.columns) == list(table.columns)
    assert list(back.index) == [0, 1]
    assert back.dtypes["m_yy"] == np.float32
    assert back.dtypes["event_number"] == np.int64
    assert back.dtypes["process"] == table.dtypes["process"]
    assert back["process"].tolist() == ["ggH", "VBF é"]
    assert back["sample"].tolist() == ["a", "b"]
    assert back["event_number"].tolist() == [1, 2**60]
    assert math.isnan(back["n"][1])
    back.loc[0, "m_yy"] = 1.0
    assert back["m_yy"][0] == 1.0


def test_table_without_rows_or_columns() -> None:
    assert crossed(pd.DataFrame({"x": np.array([], float)})).shape == (0, 1)
    assert crossed(pd.DataFrame(index=range(3))).shape == (3, 0)


def test_other_kinds_become_the_nearest() -> None:
    assert crossed((1, 2)) == [1, 2]
    assert crossed(np.float32(0.5)) == 0.5
    assert type(crossed(np.int16(3))) is int
    assert type(crossed(np.float64(3))) is float
    assert crossed(np.array(3.5)) == 3.5
    assert crossed(pd.Series([1.5, 2.5], index=[4, 5])).tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (object(), r"value: .*type 'object'"),
        ({"a": [1, {2}]}, r"value\['a'\]\[1\]: .*type 'set'"),
        ({1: 2}, r"expected text as keys, found 1"),
        (b"bytes", r"type 'bytes'"),
        (np.array([1, None], dtype=object), r"objects of type 'int'"),
        (np.array(["2020-01-01"], dtype="M8[D]"), r"dtype datetime64"),
        (np.ma.masked_array([1.0], [True]), r"without a mask"),
        (np.zeros(2, dtype=[("a", "f8")]), r"dtype \[\('a'"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), r"unique, found \['a', 'a'\]"),
        (pd.DataFrame({"p": ["ggH", None]}), r"value\['p'\]: "),
        (ak.Array(["text"])[0:1], None),
        ({"__builtin__": "asimov_z"}, r"'__builtin__' is not for data"),
    ],
)
def test_what_cannot_cross_is_named(value: Any, says: str | None) -> None:
    if says is None:
        with pytest.raises(decoding.DecodeError, match="parameters"):
            crossed(value)
    else:
        with pytest.raises(encoding.UnsupportedValueError, match=says):
            crossed(value)


def test_builtin_is_the_formula_of_the_physics_to_the_bit() -> None:
    rebuilt = crossed({"f": {"__builtin__": "asimov_z"}}, hostile=False)["f"]
    rng = np.random.default_rng(1)
    for s, b in rng.lognormal(0, 4, (500, 2)):
        assert rebuilt(s, b) == asimov_z(s, b)
    assert rebuilt(1, 0) == rebuilt(0, 1) == rebuilt(-1, 1) == 0
    with pytest.raises(ValueError, match="numbers of events"):
        rebuilt(float("nan"), 1.0)


def test_host_does_not_take_a_function_from_a_worker() -> None:
    text = json.dumps({"parts": [], "tree": {"builtin": "asimov_z"}}).encode()
    with pytest.raises(decoding.DecodeError, match="known kind"):
        decoding.decode(memoryview(text), 0, len(text), True, formulas.BUILTINS)


@pytest.mark.parametrize("value", [2**64, {"a": [-(2**80)]}, "\ud800", {"\udfff": 1}])
def test_what_no_file_can_hold_does_not_cross(value: Any) -> None:
    with pytest.raises(encoding.UnsupportedValueError, match=r"64 bits|no Unicode"):
        crossed(value)
