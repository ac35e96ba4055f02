"""Values that came through the wall, put together again; at the host's end nothing is believed.

`hostile=True` is the host's end: every size, type, offset and index is checked before it is used,
so that no sequence of bytes makes the host run code, read outside of a buffer or fill its memory.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import awkward as ak
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .encoding import ALIGNMENT, DTYPES, MAX_DEPTH

MAX_LENGTH = 2**40
MAX_WIDE_TEXT = 2**28
"""Bytes of a numpy array of text, whose entries are all as wide as the widest."""

FORMS = {
    "NumpyArray": (),
    "EmptyArray": (),
    "ListOffsetArray": ("content",),
    "IndexedOptionArray": ("content",),
    "ByteMaskedArray": ("content",),
    "BitMaskedArray": ("content",),
    "UnmaskedArray": ("content",),
    "RecordArray": ("contents",),
}
"""The awkward forms that the host takes, and where each keeps its children."""


MAX_INTEGER = 2**64
"""No file that we keep holds a larger one."""


class DecodeError(ValueError):
    """What came through the wall is not what `encoding` writes."""


def decode(
    memory: memoryview,
    start: int,
    size: int,
    hostile: bool,
    builtins: Mapping[str, Callable[..., Any]] | None = None,
) -> Any:
    """The value whose JSON text lies at `start` of `memory`; its arrays are views of `memory`.

    DecodeError for anything unexpected.
    """
    if not 0 <= start <= start + size <= len(memory):
        raise DecodeError(f"expected text inside of {len(memory)} bytes, found {start}+{size}")
    try:
        document = json.loads(bytes(memory[start : start + size]))
        decoder = _Decoder(memory, document["parts"], hostile, builtins or {})
        return decoder.value(document["tree"], 0)
    except DecodeError:
        raise
    except (
        ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError,
        MemoryError, AssertionError, pa.ArrowException,
    ) as error:  # fmt: skip
        raise DecodeError(f"not a value of the protocol: {type(error).__name__}: {error}") from None


def utf8(text: str) -> str:
    """`text` if UTF-8 can hold it: lone surrogates are a DecodeError."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DecodeError(f"text with characters that are none: {text[:80]!r}") from None
    return text


class _Decoder:
    def __init__(
        self,
        memory: memoryview,
        places: Any,
        hostile: bool,
        builtins: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.memory, self.places = memory, places
        self.hostile, self.builtins = hostile, builtins

    def part(self, index: Any) -> memoryview:
        offset, size = self.places[natural(index)]
        offset, size = natural(offset), natural(size)
        if offset + size > len(self.memory) or offset % ALIGNMENT:
            raise DecodeError(f"a buffer at {offset}+{size} lies outside of {len(self.memory)}")
        return self.memory[offset : offset + size]

    def value(self, node: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise DecodeError(f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(node, str):
            return utf8(node)
        if isinstance(node, int) and abs(node) >= MAX_INTEGER:
            raise DecodeError("a whole number of more than 64 bits")
        if node is None or isinstance(node, (bool, int, float)):
            return node
        if not isinstance(node, dict) or len(node) != 1:
            raise DecodeError("expected a dict with one key that names the kind of value")
        ((kind, content),) = node.items()
        if kind == "list" and isinstance(content, list):
            return [self.value(item, depth + 1) for item in content]
        if kind == "dict" and isinstance(content, dict):
            return {utf8(key): self.value(item, depth + 1) for key, item in content.items()}
        if kind == "array":
            return self.array(content)
        if kind == "text":
            return wide_text(self.text(content))
        if kind == "frame":
            return self.frame(content)
        if kind == "awkward":
            return self.awkward(content)
        if kind == "builtin" and not self.hostile:
            return self.builtin(content["name"], self.value(content["attributes"], depth + 1))
        raise DecodeError(f"expected a known kind of value, found {kind!r}")

    def builtin(self, name: str, attributes: Mapping[str, Any]) -> Callable[..., Any]:
        """The formula of that name, carrying the attributes where there are any."""
        if not attributes:
            return self.builtins[name]
        carrying = functools.partial(self.builtins[name])
        for key, value in attributes.items():
            setattr(carrying, key, value)
        return carrying

    def array(self, content: Any) -> np.ndarray[Any, Any]:
        if content["dtype"] not in DTYPES:
            raise DecodeError(f"expected a dtype of numbers, found {content['dtype']!r}")
        dtype = np.dtype(content["dtype"])
        shape = [natural(n) for n in content["shape"]]
        data = self.part(content["part"])
        if not 1 <= len(shape) <= 8 or math.prod(shape) * dtype.itemsize != len(data):
            raise DecodeError(f"{len(data)} bytes do not make an array {shape} of {dtype}")
        array: np.ndarray[Any, Any] = flat(data).view(dtype)
        if self.hostile and dtype.kind == "b":
            array = array.view(np.uint8) != 0
        return array.reshape(shape)

    def text(self, content: Any) -> pa.Array:
        length = natural(content["length"])
        offsets, letters = self.part(content["offsets"]), self.part(content["letters"])
        if len(offsets) != 8 * (length + 1):
            raise DecodeError(f"{len(offsets)} bytes of offsets for {length} entries")
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(letters)]
        array = pa.Array.from_buffers(pa.large_string(), length, buffers)
        array.validate(full=True)
        return array

    def frame(self, content: Any) -> pd.DataFrame:
        rows = natural(content["rows"])
        columns: dict[str, Any] = {}
        for name, node in content["columns"]:
            ((kind, inner),) = node.items()
            column = self.text(inner).to_pandas() if kind == "text" else self.array(inner)
            if not isinstance(name, str) or kind not in ("text", "array") or len(column) != rows:
                raise DecodeError(f"column {name!r} does not fit a table of {rows} rows")
            if kind == "array" and column.ndim != 1:
                raise DecodeError(f"column {name!r} has {column.ndim} dimensions")
            columns[name] = column
        if not columns and rows > MAX_WIDE_TEXT:
            raise DecodeError(f"{rows} rows without columns")
        # Each column stays where it lies: both ends have memory of their own for it.
        return pd.DataFrame(columns, index=pd.RangeIndex(rows), copy=False)

    def awkward(self, content: Any) -> ak.Array:
        length = natural(content["length"])
        if self.hostile:
            check_form(content["form"], 0)
        buffers = {key: flat(self.part(index)) for key, index in content["buffers"].items()}
        form = ak.forms.from_dict(content["form"])
        array = ak.from_buffers(form, length, buffers, byteorder="<", allow_noncanonical_form=False)
        if self.hostile and (error := ak.validity_error(array)):
            raise DecodeError(f"not a valid awkward array: {error}")
        return array


def natural(value: Any) -> int:
    """`value` if it is a whole number from 0 to MAX_LENGTH."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_LENGTH:
        raise DecodeError(f"expected a whole number from 0 to 2^40, found {value!r}")
    return value


def flat(data: memoryview) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """`data` as bytes; numpy refuses a view of nothing."""
    return np.frombuffer(data, np.uint8) if len(data) else np.empty(0, np.uint8)


def wide_text(array: pa.Array) -> np.ndarray[Any, Any]:
    """A numpy array of fixed-width text, if that does not take too much memory."""
    lengths = pc.utf8_length(array)
    width = pc.max(lengths).as_py() or 1
    if 4 * width * len(array) > MAX_WIDE_TEXT:
        raise DecodeError(f"{len(array)} texts of up to {width} characters are too many")
    return np.array(array.to_numpy(zero_copy_only=False), dtype=f"<U{width}")


def check_form(form: Any, depth: int) -> None:
    """DecodeError unless `form` is one of FORMS all the way down, without strings or behaviour."""
    if depth > MAX_DEPTH or not isinstance(form, dict) or form.get("class") not in FORMS:
        raise DecodeError(f"expected an awkward form of lists, records and numbers, found {form!r}")
    if form.get("parameters"):
        raise DecodeError(f"expected no parameters, found {form['parameters']!r}")
    if form["class"] == "NumpyArray" and form.get("inner_shape"):
        raise DecodeError(f"expected lists, found an inner shape {form['inner_shape']!r}")
    children = [child for key in FORMS[form["class"]] for child in _children(form[key])]
    if form["class"] not in ("NumpyArray", "EmptyArray") and not children:
        raise DecodeError("a record without fields")
    for child in children:
        check_form(child, depth + 1)


def _children(entry: Any) -> list[Any]:
    if isinstance(entry, list):
        return entry
    return [entry]
