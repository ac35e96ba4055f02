"""Values on their way through the wall: a JSON tree, and flat buffers for what is large.

No pickle. Each buffer is contiguous, little-endian and aligned to 64 bytes: Arrow's layout in
memory, without the envelope that the other end would have to parse and trust.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import awkward as ak
import numpy as np
import pandas as pd
import pyarrow as pa

ALIGNMENT = 64
MAX_TEXT = 8 << 20
"""Bytes of JSON that a result may have: as Python objects they take many times as much."""
MAX_DEPTH = 32
"""Nesting of lists and dicts; also catches a list that contains itself."""

INTEGERS = ("|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8")
DTYPES = frozenset(("|b1", *INTEGERS, "<f2", "<f4", "<f8", "<c8", "<c16"))
BUILTIN = "__builtin__"
ATTRIBUTES = "attributes"
"""Beside BUILTIN: plain values that the function carries."""


class UnsupportedValueError(TypeError):
    """A value of a kind that does not cross between the host and the sandbox."""


class Encoded:
    """A value as flat buffers and a JSON text that tells how they are put together."""

    def __init__(self, tree: Any, parts: list[np.ndarray[Any, Any]]) -> None:
        self.parts = parts
        self.places: list[tuple[int, int]] = []
        """(offset, size) of each part, in bytes."""
        end = 0
        for part in parts:
            self.places.append((end, part.nbytes))
            end += -(-part.nbytes // ALIGNMENT) * ALIGNMENT
        self.text = json.dumps({"parts": self.places, "tree": tree}).encode()
        self.size = end + len(self.text)
        """Bytes of everything; the text comes last."""


def write(encoded: Encoded, memory: memoryview) -> tuple[int, int]:
    """Lay the buffers and then the JSON text into `memory`; offset and size of that text.

    ValueError where `memory` is too small.
    """
    if encoded.size > len(memory):
        raise ValueError(f"expected room for {encoded.size} bytes, found {len(memory)}")
    for part, (offset, size) in zip(encoded.parts, encoded.places, strict=True):
        if size:
            target = np.frombuffer(memory, dtype=part.dtype, count=part.size, offset=offset)
            target[:] = part.reshape(-1)
    start = encoded.size - len(encoded.text)
    memory[start : encoded.size] = encoded.text
    return start, len(encoded.text)


def encode(value: Any, from_host: bool) -> Encoded:
    """Take `value` apart; what comes from the host may be of any size and may name a BUILTIN.

    UnsupportedValueError says which part of the value is of what type.
    """
    encoder = _Encoder(from_host)
    encoded = Encoded(encoder.node(value, "value", 0), encoder.parts)
    if not from_host and len(encoded.text) > MAX_TEXT:
        raise UnsupportedValueError(
            f"expected at most {MAX_TEXT >> 20} MB of plain values, found {len(encoded.text)} "
            "bytes: return long lists as numpy arrays"
        )
    return encoded


class _Encoder:
    def __init__(self, from_host: bool) -> None:
        self.from_host = from_host
        self.parts: list[np.ndarray[Any, Any]] = []

    def part(self, array: np.ndarray[Any, Any]) -> int:
        self.parts.append(np.ascontiguousarray(array))
        return len(self.parts) - 1

    def node(self, value: Any, where: str, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise UnsupportedValueError(f"{where}: nested deeper than {MAX_DEPTH} levels")
        if value is None or isinstance(value, (bool, int, float, str)):
            # Subclasses (np.float64, np.str_, enumerations) cross as what they are made of.
            for plain in (bool, int, float, str):
                if isinstance(value, plain):
                    return self.scalar(plain(value), where)
            return None
        if isinstance(value, np.generic) and isinstance(value.item(), (bool, int, float)):
            return value.item()
        if isinstance(value, (list, tuple)):
            items = [self.node(v, f"{where}[{i}]", depth + 1) for i, v in enumerate(value)]
            return {"list": items}
        if isinstance(value, Mapping):
            return self.mapping(value, where, depth)
        if isinstance(value, np.ndarray):
            return self.array(value, where)
        if isinstance(value, pd.DataFrame):
            return self.frame(value, where)
        if isinstance(value, (pd.Series, pd.Index)):
            return self.column(pd.Series(value), where)
        if isinstance(value, ak.Array):
            return self.awkward(value, where)
        raise UnsupportedValueError(
            f"{where}: expected numbers, text, lists, dicts, numpy or awkward arrays or pandas "
            f"tables, found an object of type {type(value).__name__!r}"
        )

    def scalar(self, value: bool | int | float | str, where: str) -> Any:
        """A plain value, if the host takes it: 64 bits, and text that is Unicode."""
        if isinstance(value, int) and abs(value) >= 2**64:
            raise UnsupportedValueError(f"{where}: a whole number of more than 64 bits")
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise UnsupportedValueError(f"{where}: {value[:80]!r} is no Unicode text") from None
        return value

    def mapping(self, value: Mapping[Any, Any], where: str, depth: int) -> Any:
        for key in value:
            if not isinstance(key, str):
                raise UnsupportedValueError(f"{where}: expected text as keys, found {key!r}")
            self.scalar(key, where)
        if BUILTIN in value:
            if self.from_host and set(value) <= {BUILTIN, ATTRIBUTES}:
                attributes = self.node(value.get(ATTRIBUTES, {}), where, depth + 1)
                return {"builtin": {"name": value[BUILTIN], "attributes": attributes}}
            raise UnsupportedValueError(f"{where}: the key {BUILTIN!r} is not for data")
        items = {str(k): self.node(v, f"{where}[{k!r}]", depth + 1) for k, v in value.items()}
        return {"dict": items}

    def array(self, value: np.ndarray[Any, Any], where: str) -> Any:
        if value.ndim == 0:
            return self.node(value.item(), where, 0)
        if value.dtype.kind in "UO":
            return self.text(value, where)
        native = value.astype(value.dtype.newbyteorder("<"), copy=False)
        if native.dtype.str not in DTYPES or np.ma.isMaskedArray(value):
            raise UnsupportedValueError(
                f"{where}: expected an array of numbers, bool or text without a mask, found "
                f"{type(value).__name__} of dtype {value.dtype}"
            )
        shape, dtype = list(native.shape), native.dtype.str
        return {"array": {"part": self.part(native), "dtype": dtype, "shape": shape}}

    def text(self, value: np.ndarray[Any, Any], where: str) -> Any:
        if value.ndim != 1:
            raise UnsupportedValueError(f"{where}: arrays of text must have one dimension")
        try:
            arrow = pa.array(value.astype(object), type=pa.large_string(), from_pandas=False)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            kind = next((type(v).__name__ for v in value if not isinstance(v, str)), "str")
            raise UnsupportedValueError(
                f"{where}: expected numbers or text, found an array of objects of type {kind!r}"
            ) from error
        return self.arrow_text(arrow, where)

    def arrow_text(self, arrow: pa.LargeStringArray, where: str) -> Any:
        """Text as Arrow holds it; a part of a longer array travels without the rest."""
        if arrow.null_count:
            raise UnsupportedValueError(f"{where}: {arrow.null_count} missing values among text")
        _, offsets, letters = arrow.buffers()
        ends = np.zeros(1, np.int64)
        if len(arrow):
            ends = np.frombuffer(offsets, np.int64, len(arrow) + 1, 8 * arrow.offset)
        first, last = int(ends[0]), int(ends[-1])
        return {
            "text": {
                "length": len(arrow),
                "offsets": self.part(ends - first if first else ends),
                "letters": self.part(np.frombuffer(letters or b"", np.uint8)[first:last]),
            }
        }

    def column(self, series: pd.Series[Any], where: str) -> Any:
        if isinstance(series.dtype, pd.CategoricalDtype):
            series = series.astype(series.cat.categories.dtype)
        if isinstance(series.dtype, pd.StringDtype) and not series.hasnans:
            # As it lies in memory: ten million Python strings would take a gigabyte.
            arrow = pa.array(series, type=pa.large_string())
            if isinstance(arrow, pa.ChunkedArray):
                arrow = arrow.combine_chunks()
            return self.arrow_text(arrow, where)
        if pd.api.types.is_extension_array_dtype(series.dtype) and pd.api.types.is_numeric_dtype(
            series.dtype
        ):
            if series.isna().any():
                return self.array(series.to_numpy("float64", na_value=np.nan), where)
            dtype: Any = series.dtype
            return self.array(series.to_numpy(dtype.numpy_dtype), where)
        return self.array(series.to_numpy(), where)

    def frame(self, value: pd.DataFrame, where: str) -> Any:
        names = list(value.columns)
        if len(set(names)) != len(names) or not all(isinstance(name, str) for name in names):
            raise UnsupportedValueError(
                f"{where}: column names must be text and unique, found {names!r}"
            )
        columns = [[name, self.column(value[name], f"{where}[{name!r}]")] for name in names]
        return {"frame": {"rows": len(value), "columns": columns}}

    def awkward(self, value: ak.Array, where: str) -> Any:
        value = ak.materialize(value)
        if not is_compact(value.layout, len(value)):
            # Also so that rows that were cut away do not travel along behind the array.
            value = ak.to_packed(ak.from_regular(value, axis=None))
        form, length, buffers = ak.to_buffers(value, byteorder="<")
        parts = {key: self.part(np.asarray(buffer)) for key, buffer in buffers.items()}
        return {"awkward": {"form": form.to_dict(), "length": int(length), "buffers": parts}}


def is_compact(layout: Any, length: int) -> bool:
    """Whether the buffers of an awkward layout hold its `length` entries and nothing else."""
    if isinstance(layout, ak.contents.NumpyArray):
        return bool(layout.data.ndim == 1 and len(layout) == length and layout.is_contiguous)
    if isinstance(layout, ak.contents.ListOffsetArray):
        offsets = layout.offsets.data
        return bool(
            len(offsets) == length + 1
            and offsets[0] == 0
            and is_compact(layout.content, int(offsets[-1]))
        )
    if isinstance(layout, ak.contents.RecordArray):
        return all(is_compact(content, length) for content in layout.contents)
    return False
