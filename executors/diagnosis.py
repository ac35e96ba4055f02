"""What is wrong with a file whose chunk could not be read: found by looking again, step by step."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Sequence
from pathlib import Path

import uproot

from executors.base import TREES, Chunk, FaultKind, is_remote
from executors.remote import (
    RangeError,
    causes,
    is_passing_answer,
    open_remote,
    remote_bytes,
    remote_size,
    xrootd_fault,
)

PASSING = frozenset(
    {
        errno.EAGAIN, errno.EBUSY, errno.ECONNREFUSED, errno.ECONNRESET, errno.EDQUOT,
        errno.EHOSTUNREACH, errno.EINTR, errno.EIO, errno.EMFILE, errno.ENETUNREACH, errno.ENFILE,
        errno.ENOSPC, errno.ESTALE, errno.ETIMEDOUT,
    }
)  # fmt: skip
"""System errors that say nothing about the file and may go away."""

Diagnosis = tuple[FaultKind, str]


def is_passing(error: BaseException | None) -> bool:
    """Whether `error`, or what caused it, is a fault of disk or network that may go away."""
    for one in causes(error):
        if isinstance(one, TimeoutError | ConnectionError) or is_passing_answer(one):
            return True
        if isinstance(one, OSError) and one.errno in PASSING:
            return True
    return False


def diagnose(chunk: Chunk, branches: Sequence[str], error: BaseException) -> Diagnosis:
    """Why reading `chunk` failed with `error`: a kind of fault, and a sentence with a next step."""
    if is_passing(error):
        return "system", (
            f"the system failed while {_name(chunk)} was read: {error}; give the same command "
            "again when disk and network are well"
        )
    try:
        looked = _look_over_network if is_remote(chunk.path) else _look_at_bytes
        found = looked(chunk, error) or _look_inside(chunk, branches)
    except OSError as fault:
        return "system", f"the system failed while {_name(chunk)} was looked at: {fault}"
    if found is not None:
        return found
    return "file", (
        f"expected readable entries {chunk.start} to {chunk.stop} of tree {chunk.tree!r} in "
        f"{_name(chunk)}, found damaged content ({_root_cause(error)}); fetch the file again"
    )


def _name(chunk: Chunk) -> str:
    return Path(chunk.path).name


def _look_over_network(chunk: Chunk, error: BaseException) -> Diagnosis | None:
    """Gone, unreachable, empty, not ROOT or truncated: what the server and the first bytes say."""
    for one in causes(error):
        if isinstance(one, RangeError):
            return "file", str(one)
    fault = xrootd_fault(chunk.path) if chunk.path.startswith("root:") else None
    if fault is not None and not fault[0]:
        return "system", (
            f"the system failed while {_name(chunk)} was read: {fault[1]}; give the same command "
            "again when the server is well"
        )
    try:
        if fault is not None:
            raise FileNotFoundError(fault[1])
        size = remote_size(chunk.path)
        head = remote_bytes(chunk.path, 0, min(size, 64))
    except Exception as again:
        if is_passing(again):
            raise ConnectionError(str(again)) from again
        return "file", (
            f"expected the file {_name(chunk)} at {chunk.path}, found {_root_cause(again)}; "
            "correct data.location, or take another mirror"
        )
    return _look_at_head(chunk, size, head)


def _look_at_bytes(chunk: Chunk, error: BaseException) -> Diagnosis | None:
    """Missing, empty, not ROOT or truncated: what the file's first bytes and its size say."""
    path = Path(chunk.path)
    if not path.is_file():
        return "file", (
            f"expected the file {_name(chunk)} in {path.parent.name}/, found none; "
            "fetch it again or correct data.location"
        )
    with path.open("rb") as handle:
        head = handle.read(64)
    return _look_at_head(chunk, path.stat().st_size, head)


def _look_at_head(chunk: Chunk, size: int, head: bytes) -> Diagnosis | None:
    """Empty, not ROOT or truncated: what the first bytes of a file and its size say."""
    if size == 0:
        return "file", f"expected a ROOT file, found {_name(chunk)} empty; fetch it again"
    if not head.startswith(b"root"):
        return "file", (
            f"expected a ROOT file, found {_name(chunk)} that begins with {head[:8]!r}; "
            "fetch it again"
        )
    version = int.from_bytes(head[4:8], "big")
    end = int.from_bytes(head[12:20] if version >= 1_000_000 else head[12:16], "big")
    if size < end:
        return "file", (
            f"expected {end} bytes in {_name(chunk)} as its header says, found {size}: it is "
            "truncated; fetch it again"
        )
    return None


def _look_inside(chunk: Chunk, branches: Sequence[str]) -> Diagnosis | None:
    """Another tree, other branches, fewer entries: what a readable file may lack."""
    try:
        with open_remote(chunk.path) if is_remote(chunk.path) else uproot.open(chunk.path) as file:
            trees = sorted(file.keys(cycle=False, filter_classname=TREES))
            if chunk.tree not in trees:
                return "tree", (
                    f"expected tree {chunk.tree!r} in {_name(chunk)}, found "
                    f"{', '.join(map(repr, trees)) or 'no tree'}; is it a file of another release?"
                )
            tree = file[chunk.tree]
            present, entries = set(tree.keys()), int(tree.num_entries)
    except Exception as fault:  # damaged bytes make a reader raise anything
        if is_passing(fault):  # what a web client raises is no OSError, and cannot be pickled
            raise ConnectionError(str(fault)) from fault
        return "file", (
            f"expected a readable ROOT file, found {_name(chunk)} corrupt ({_root_cause(fault)}); "
            "fetch it again"
        )
    missing = [b for b in branches if b not in present and not b.endswith("?")]
    if missing:
        near = difflib.get_close_matches(missing[0], present, n=3, cutoff=0.5)
        hint = f"nearest: {', '.join(near)}" if near else "it has nothing like it"
        return "branch", (
            f"expected branch {missing[0]!r} in tree {chunk.tree!r} of {_name(chunk)}, found "
            f"{len(present)} others ({hint}); is it a file of another release or skim?"
        )
    if entries < chunk.stop:
        return "file", (
            f"expected at least {chunk.stop} entries in tree {chunk.tree!r} of {_name(chunk)}, "
            f"found {entries}; fetch the file again"
        )
    return None


def _root_cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:160]}" if lines else type(error).__name__
