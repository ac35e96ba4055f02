"""What a worker does with one chunk: read, have the solution convert it, blind, keep."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import ModuleType
from typing import Any, Protocol, cast

import awkward as ak
import numpy as np

from executors.base import Chunk, TaskError
from pipeline.data.errors import BranchError
from pipeline.data.schema import Door, door
from pipeline.settings import ChannelSettings
from pipeline.stages.contract import ContractError, ask_solution
from pipeline.stages.convert.contract import CONTRACT, Converted
from pipeline.stages.convert.identity import among, keys
from pipeline.stages.convert.store import ChunkStore
from pipeline.stages.convert.warm import loaded
from pipeline.stages.jail import TRUSTED, Jail

IDENTITY = ("runNumber", "eventNumber")
"""Variables that are read for every solution: rows are recognised by them."""


class ChannelModule(Protocol):
    """What a module in pipeline/channels offers."""

    BLINDING_BRANCHES: dict[str, tuple[str, ...]]

    def blinded(self, events: ak.Array, channel: ChannelSettings) -> np.ndarray: ...


@dataclass(frozen=True)
class ConvertTask:
    """The task of every chunk of one conversion.

    Our part reads, blinds and writes; the solution's part gets arrays and returns arrays, and
    whatever it raises becomes a TaskError of kind `solution`.
    """

    solution: str
    solution_sha256: str
    channel: ChannelSettings
    release: str
    data_samples: frozenset[str]
    """Samples of data: their blinded events are marked."""
    store: ChunkStore
    samples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The fileset's entries of the samples: cross-section and sum of weights, if no branch has
    them."""
    jail: Jail = TRUSTED
    """Where the solution runs."""

    @property
    def branches(self) -> Sequence[str]:
        """Branches, as the files spell them, behind the variables of `variables`.

        Those that a file of the release may lack end in `?`.
        """
        try:
            optional = self._door.optional
            return [f"{b}?" if b in optional else b for b in self._door.physical(self.variables)]
        except (ContractError, BranchError) as error:
            raise TaskError("solution", str(error)) from error

    @property
    def variables(self) -> list[str]:
        """What the solution declares, and what recognising and blinding events needs."""
        own = [*IDENTITY, *self._blinding] if self.data_samples else [*IDENTITY]
        return list(dict.fromkeys([*CONTRACT.branches(self._module, [*self._door.fields]), *own]))

    def __call__(self, events: Any, chunk: Chunk) -> dict[str, Any]:
        """Convert one chunk; the record of what was kept."""
        layout = ak.materialize(events).layout
        arrays = {b: ak.Array(layout.content(b)) for b in layout.fields}
        given = self._door.unify(arrays, self.variables, self.samples.get(chunk.sample))
        hidden = self._hidden(given, chunk)
        converted = self._convert(given)
        rows = keys(converted.columns["run_number"], converted.columns["event_number"])
        kind = "data" if chunk.sample in self.data_samples else "mc"
        record = self.store.save(
            self.store.key(chunk, kind), chunk, converted.columns, among(rows, hidden),
            converted.cutflow,
        )  # fmt: skip
        return asdict(record)

    def _hidden(self, given: ak.Array, chunk: Chunk) -> np.ndarray:
        """Keys of the events that are blinded, found before the solution has seen any."""
        none = np.empty(0, dtype=np.int64)
        if chunk.sample not in self.data_samples or not self._blinding:
            return none
        mask = _channel_module(self.channel.name).blinded(given, self.channel)
        return keys(*(ak.to_numpy(given[name])[mask] for name in IDENTITY))

    def _convert(self, given: ak.Array) -> Converted:
        arguments = {"events": given, "channel": self.channel.name}
        try:
            converted: Converted = ask_solution(CONTRACT, self._module, arguments)
        except ContractError as error:
            raise TaskError("solution", str(error)) from error
        return converted

    @property
    def _door(self) -> Door:
        return door(self.release)

    @property
    def _blinding(self) -> tuple[str, ...]:
        module = _channel_module(self.channel.name)
        return module.BLINDING_BRANCHES.get(self.channel.selection, ())

    @property
    def _module(self) -> ModuleType:
        """The solution, loaded once per worker (and again if its process was ended)."""
        return loaded(self.solution, self.solution_sha256, self.jail)


def _channel_module(name: str) -> ChannelModule:
    return cast(ChannelModule, importlib.import_module(f"pipeline.channels.{name}"))
