"""Reading and writing of run files: atomic, deterministic, and with the hash that names them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

ROW_GROUP = 131_072
"""Rows per Parquet row group; fixed, because it is part of the bits of a file."""


class RunFileError(ValueError):
    """A file of a run is not what its name promises."""


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path` that becomes `path` when the block ends well.

    A reader sees the old file or the new one, never a part of one.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """Yield a new folder beside `path`, for what a rename puts in its place; removed if it is left.

    Nobody else has one of that name: processes on two nodes, or in two containers, may have the
    same number, and what one left that was killed is not gone on with.
    """
    folder = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def take_away(path: Path) -> None:
    """Remove a folder at once, so that no other process meets half of it; none may be there."""
    with folder_beside(path) as away, suppress(OSError):  # somebody else was faster
        path.rename(away / path.name)


def to_json(obj: Any) -> str:
    """Canonical JSON text of `obj`: sorted keys, no NaN, a newline at the end.

    Raises RunFileError for a NaN or infinity: JSON has neither, and a reader elsewhere would fail.
    """
    try:
        return json.dumps(obj, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    except ValueError as error:
        raise RunFileError(f"expected finite numbers in a JSON file, found {error}") from error


def write_json(path: Path | str, obj: Any) -> None:
    """Write `obj` as canonical JSON, atomically."""
    text = to_json(obj)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path: Path | str) -> Any:
    """The content of a JSON file; RunFileError with the place of the fault if it is not JSON."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise RunFileError(
            f"expected JSON in {path}, found a fault at line {error.lineno}: {error.msg}; "
            "delete the file and give the same command again to have it made anew"
        ) from error


def write_table(path: Path | str, table: pd.DataFrame) -> None:
    """Write a DataFrame as Parquet, atomically; the same rows give the same bytes."""
    write_blocks(path, [table])


def write_blocks(path: Path | str, blocks: Iterable[pd.DataFrame]) -> None:
    """Write a table that comes in blocks of rows: the bytes are those of `write_table` for it.

    Each block but the last holds whole row groups; RunFileError for other ones, and for none.
    """
    import pyarrow as pa  # here, because most steps read no table and should not wait for it
    import pyarrow.parquet as pq

    with replacing(path) as temporary, ExitStack() as stack:
        writer, rows = None, 0
        for block in blocks:
            arrow = pa.Table.from_pandas(block, preserve_index=False).replace_schema_metadata(None)
            if writer is None:
                writer = pq.ParquetWriter(
                    temporary,
                    arrow.schema,
                    compression="zstd",
                    compression_level=1,
                    use_dictionary=False,  # measured: half the time and two thirds of the size
                )
                stack.enter_context(writer)
            elif rows % ROW_GROUP:
                raise RunFileError(
                    f"expected blocks of whole row groups of {ROW_GROUP} rows, found {rows} rows "
                    f"before the last block of {path}"
                )
            writer.write_table(arrow, row_group_size=ROW_GROUP)
            rows += len(block)
        if writer is None:
            raise RunFileError(f"expected a block of rows to write to {path}, found none")


def read_table(path: Path | str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The rows of a Parquet file as a DataFrame with a plain 0..n-1 index.

    With `columns`, only those are read, and come in that order. Arrow's memory of a column is given
    back as soon as pandas has it: the table is there once, not twice.
    """
    import pyarrow.parquet as pq

    wanted = None if columns is None else list(columns)
    arrow = pq.read_table(Path(path), columns=wanted, use_threads=False)
    table: pd.DataFrame = arrow.to_pandas(self_destruct=True, use_threads=False)
    return table


def sha256_file(path: Path | str) -> str:
    """SHA-256 of a file's bytes, as 64 hex digits."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sha256_json(obj: Any) -> str:
    """SHA-256 of the canonical JSON text of `obj`, as 64 hex digits."""
    return hashlib.sha256(to_json(obj).encode()).hexdigest()
