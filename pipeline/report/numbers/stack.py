"""Data against the sum of simulated processes, in bins of mass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import hist
import numpy as np

from pipeline.report.numbers.binned import Array, Binned, count, weigh


@dataclass(frozen=True)
class Simulated:
    """Events of one process: masses in GeV and weights, both of shape (n,)."""

    label: str
    role: str
    masses: Array
    weights: Array


@dataclass(frozen=True)
class Layer:
    """One process of the stack: its label and its expected events per bin."""

    process: str
    label: str
    role: str
    content: Binned

    @property
    def events(self) -> float:
        return float(self.content.values.sum())


@dataclass(frozen=True)
class Stack:
    """Layers from the bottom up (backgrounds by size, then signal), and data."""

    layers: tuple[Layer, ...]
    data: Binned
    hidden: tuple[float, float] | None

    @property
    def edges(self) -> Array:
        return self.data.edges

    @property
    def backgrounds(self) -> tuple[Layer, ...]:
        return tuple(layer for layer in self.layers if layer.role == "background")

    @property
    def signals(self) -> tuple[Layer, ...]:
        return tuple(layer for layer in self.layers if layer.role == "signal")

    def total(self, layers: tuple[Layer, ...]) -> Array:
        """Expected events per bin of `layers` together; shape (n,)."""
        total = np.zeros(len(self.edges) - 1)
        for layer in layers:
            total = total + layer.content.values
        return total

    @property
    def error(self) -> Array:
        """Statistical error of the simulation, all layers together; shape (n,)."""
        variances = np.zeros(len(self.edges) - 1)
        for layer in self.layers:
            variances = variances + layer.content.variances
        return np.sqrt(variances)

    def columns(self) -> dict[str, list[Any]]:
        """One row per bin, for a CSV file."""
        found: dict[str, Array] = {
            "low_gev": self.edges[:-1],
            "high_gev": self.edges[1:],
            "data": self.data.values,
            "data_error_low": self.data.low,
            "data_error_high": self.data.high,
        }
        for layer in self.layers:
            found[layer.process] = layer.content.values
            found[f"{layer.process}_error"] = layer.content.high
        return {name: values.tolist() for name, values in found.items()}

    def histograms(self, axis: str) -> dict[str, hist.Hist[Any]]:
        """Data and every process as histograms, by name."""
        label = f"{axis} [GeV]"
        found = {"data": self.data.histogram(axis, label)}
        return found | {
            layer.process: layer.content.histogram(axis, label) for layer in self.layers
        }


def stack(
    data: Array,
    simulated: Mapping[str, Simulated],
    edges: Array,
    hidden: tuple[float, float] | None = None,
) -> Stack:
    """The stack of `simulated` processes, by name, beside masses of `data` in GeV."""
    layers = [
        Layer(process, events.label, events.role, weigh(events.masses, events.weights, edges))
        for process, events in simulated.items()
    ]
    layers.sort(key=lambda layer: (layer.role == "signal", layer.events, layer.process))
    return Stack(tuple(layers), count(data, edges), hidden)
