"""Whatever bytes a worker leaves, the host gets a value or a DecodeError, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import awkward as ak
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executors.sandbox.inside import decoding, encoding

VALUE = {
    "array": np.arange(6.0).reshape(2, 3),
    "flags": np.array([True, False, True]),
    "text": np.array(["a", "bc", "é"]),
    "table": pd.DataFrame({"x": [1.5, 2.5], "p": ["ggH", "VBF"]}),
    "jagged": ak.Array([{"pt": [1.0, 2.0], "n": 1}, {"pt": [], "n": None}]),
    "mask": ak.mask(ak.Array([1, 2, 3]), [True, False, True]),
}


def written(value: Any) -> tuple[bytearray, int, int]:
    encoded = encoding.encode(value, from_host=False)
    memory = bytearray(encoded.size)
    start, size = encoding.write(encoded, memoryview(memory))
    return memory, start, size


def decoded(memory: bytes | bytearray, start: int, size: int) -> Any:
    return decoding.decode(memoryview(memory), start, size, hostile=True)


def forged(tree: Any, parts: list[Any], data: bytes = b"") -> Any:
    data += bytes(-len(data) % 64)
    text = json.dumps({"parts": parts, "tree": tree}).encode()
    return decoded(data + text, len(data), len(text))


def use(value: Any) -> None:
    """Touch every number and letter of a decoded value."""
    repr(value)
    if isinstance(value, dict):
        for item in value.values():
            use(item)
    elif isinstance(value, (np.ndarray, ak.Array)):
        value.tolist()


@given(st.data())
@settings(deadline=None, max_examples=400)
def test_changed_bytes_never_break_the_host(data: st.DataObject) -> None:
    memory, start, size = written(VALUE)
    for _ in range(data.draw(st.integers(1, 6))):
        where = data.draw(st.integers(0, len(memory) - 1))
        memory[where] = data.draw(st.integers(0, 255))
    try:
        value = decoded(memory, start, size)
    except decoding.DecodeError:
        return
    use(value)


KEYS = (
    "array", "text", "frame", "awkward", "list", "dict", "builtin", "part", "dtype", "shape",
    "length", "offsets", "letters", "rows", "columns", "form", "buffers", "class", "content",
    "contents", "parameters", "primitive", "form_key", "fields",
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**70) | st.text(max_size=5)
    | st.sampled_from(["<f8", "|b1", "NumpyArray", "ListOffsetArray", "RecordArray", "i64"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(KEYS),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON, st.lists(st.lists(st.integers(-5, 2**50), max_size=3), max_size=3))
@settings(deadline=None, max_examples=400)
def test_forged_trees_never_break_the_host(tree: Any, parts: list[Any]) -> None:
    try:
        value = forged(tree, parts, bytes(range(256)))
    except decoding.DecodeError:
        return
    use(value)


NUMBERS = {"class": "NumpyArray", "primitive": "float64", "form_key": "node1"}
LIST = {"class": "ListOffsetArray", "offsets": "i64", "form_key": "node0", "content": NUMBERS}


def awkward(form: Any, length: int, offsets: list[int], index: str = "node0-offsets") -> Any:
    data = np.array(offsets, np.int64).tobytes()
    numbers = np.arange(4.0).tobytes()
    first = -(-len(data) // 64) * 64
    tree = {"awkward": {"form": form, "length": length, "buffers": {index: 0, "node1-data": 1}}}
    return forged(tree, [[0, len(data)], [first, 32]], data.ljust(first, b"\0") + numbers)


def test_forging_helper_makes_valid_values_too() -> None:
    assert awkward(LIST, 2, [0, 1, 4]).tolist() == [[0.0], [1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    ("form", "length", "offsets"),
    [
        (LIST, 2, [0, 1, 5]),
        (LIST, 2, [0, 5, 4]),
        (LIST, 2, [-3, 1, 4]),
        (LIST, 2, [0, 1, -1]),
        (LIST, 3, [0, 1, 4]),
        (LIST, 2**40, [0, 1, 4]),
        ({"class": "RecordArray", "fields": [], "contents": [], "form_key": None}, 2**39, []),
        ({**NUMBERS, "parameters": {"__array__": "char"}}, 1, []),
        ({**NUMBERS, "inner_shape": [10**12]}, 1, []),
        ({"class": "RegularArray", "size": 0, "content": NUMBERS, "form_key": None}, 2**39, []),
        ({"class": "UnionArray", "tags": "i8", "index": "i64", "contents": [NUMBERS]}, 1, []),
    ],
)
def test_awkward_arrays_that_lie(form: Any, length: int, offsets: list[int]) -> None:
    with pytest.raises(decoding.DecodeError):
        awkward(form, length, offsets)


def test_index_of_an_option_may_not_point_outside() -> None:
    form = {"class": "IndexedOptionArray", "index": "i64", "form_key": "node0", "content": NUMBERS}
    assert awkward(form, 2, [3, -1], "node0-index").tolist() == [3.0, None]
    with pytest.raises(decoding.DecodeError):
        awkward(form, 2, [4, -1], "node0-index")


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ({"array": {"part": 0, "dtype": "|O", "shape": [8]}}, "dtype of numbers"),
        ({"array": {"part": 0, "dtype": "<f8", "shape": [9]}}, "do not make an array"),
        ({"array": {"part": 0, "dtype": "<f8", "shape": [-1]}}, "whole number"),
        ({"array": {"part": 0, "dtype": "<f8", "shape": [2**39, 2**39]}}, "do not make"),
        ({"array": {"part": 1, "dtype": "<f8", "shape": [8]}}, "lies outside"),
        ({"array": {"part": 2, "dtype": "<f8", "shape": [8]}}, "IndexError"),
        ({"text": {"length": 3, "offsets": 0, "letters": 0}}, "bytes of offsets"),
        ({"text": {"length": 7, "offsets": 0, "letters": 0}}, "not a value"),
        ({"frame": {"rows": 2, "columns": [["x", {"list": []}]]}}, "not a value"),
        ({"frame": {"rows": 2**39, "columns": []}}, "without columns"),
        ({"unknown": 1}, "known kind"),
        ({"list": [], "dict": {}}, "one key"),
        ([1, 2], "one key"),
    ],
)
def test_trees_that_lie(tree: Any, says: str) -> None:
    data = np.array([0, 5, 3, 1, 1, 1, 1, 1]).tobytes()
    with pytest.raises(decoding.DecodeError, match=says):
        forged(tree, [[0, 64], [2**30, 64]], data)


def test_deep_nesting_is_refused_before_it_hurts() -> None:
    tree: Any = 1
    for _ in range(100):
        tree = {"list": [tree]}
    with pytest.raises(decoding.DecodeError, match="nested deeper"):
        forged(tree, [])
    text = b'{"parts": [], "tree": ' + b"[" * 100_000
    with pytest.raises(decoding.DecodeError, match="RecursionError"):
        decoded(text, 0, len(text))


def test_text_that_would_fill_the_memory_is_refused() -> None:
    words = ["x" * 100_000] + [""] * 1000
    with pytest.raises(decoding.DecodeError, match="too many"):
        decoded(*written(np.array(words, dtype=object)))


def test_flags_are_zero_or_one() -> None:
    tree = {"array": {"part": 0, "dtype": "|b1", "shape": [3]}}
    flags = forged(tree, [[0, 3]], b"\x00\x02\xff")
    assert flags.view(np.uint8).tolist() == [0, 1, 1]


def test_text_must_lie_inside() -> None:
    with pytest.raises(decoding.DecodeError, match="inside of 10 bytes"):
        decoded(bytes(10), 5, 6)
