"""The two pieces of memory between host and worker: values go in by one, come out by the other.

Memory files have no name, so that nothing is left over on the host whoever dies first.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from types import TracebackType
from typing import Any

import numpy as np

from executors.sandbox.inside import decoding, encoding

FIRST_MB = 16


class SharedMemory:
    """The host's hold on both pieces; the worker gets one to read and one to write."""

    def __init__(self, output_mb: int) -> None:
        self._input = os.memfd_create("ladon-input", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        self._output = os.memfd_create("ladon-output", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self._input, FIRST_MB << 20)
        # Whoever holds it as well cannot cut it off under our mapping (SIGBUS).
        fcntl.fcntl(self._input, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        os.ftruncate(self._output, output_mb << 20)
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(self._output, fcntl.F_ADD_SEALS, seals)
        self._mapping = mmap.mmap(self._input, FIRST_MB << 20)
        self.input_for_worker = os.open(f"/proc/self/fd/{self._input}", os.O_RDONLY | os.O_CLOEXEC)
        self.output_for_worker = self._output

    def put(self, value: Any) -> tuple[int, int]:
        """Write `value` for the worker: one copy; where its JSON text lies, as (offset, size).

        UnsupportedValueError where it is of a kind that does not cross.
        """
        encoded = encoding.encode(value, from_host=True)
        if encoded.size > len(self._mapping):
            self._mapping.close()
            os.ftruncate(self._input, encoded.size)
            self._mapping = mmap.mmap(self._input, encoded.size)
        with memoryview(self._mapping) as memory:
            return encoding.write(encoded, memory)

    def take(self, place: Any) -> Any:
        """The value whose JSON text the worker says lies at `place` ([offset, size]).

        It is copied first and judged then, so that the worker cannot change it in between.
        DecodeError where it is not a value of the protocol.
        """
        if not isinstance(place, list) or len(place) != 2:
            raise decoding.DecodeError(f"expected [offset, size], found {place!r:.80}")
        start, size = decoding.natural(place[0]), decoding.natural(place[1])
        if size > encoding.MAX_TEXT:
            raise decoding.DecodeError(f"expected at most {encoding.MAX_TEXT} bytes, found {size}")
        if start + size > os.fstat(self._output).st_size:
            raise decoding.DecodeError(f"the result's text lies at {start}+{size}, outside")
        private: memoryview = np.empty(start + size, dtype=np.uint8).data
        read = 0
        while read < len(private):
            count = os.preadv(self._output, [private[read:]], read)
            if not count:
                raise decoding.DecodeError(f"the result ends after {read} of {len(private)} bytes")
            read += count
        return decoding.decode(private, start, size, hostile=True)

    def close(self) -> None:
        """Give the memory back."""
        self._mapping.close()
        for fd in (self._input, self._output, self.input_for_worker):
            os.close(fd)

    def __enter__(self) -> SharedMemory:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
