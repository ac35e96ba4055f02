"""Which row of the converted tables each row of preprocess is, and the weight that it must have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from agents.evidence import Finding
from pipeline.judge.matching import EVENT, Matching, differing, match_rows
from pipeline.stages.tables import EVENT_TABLES
from pipeline.stages.trial import Values, equal, holds

Tables = Mapping[str, pd.DataFrame]
ROW = (*EVENT, "sample")
"""Columns that name a row."""
SAME = 1e-9
"""Relative, for a number that was copied."""
SUMS = 1e-6
"""Relative, for sums of many weights."""


def typed(product: Tables, tables: Tables) -> tuple[dict[str, pd.DataFrame], Finding]:
    """The four tables with the types of the input's columns, and what is wrong with them."""
    wanted = {c: t.dtypes[c] for t in tables.values() for c in t.columns if c != "weight"}
    found, problems = {}, []
    for name in EVENT_TABLES:
        table = found[name] = product[name]
        lacking = [c for c in wanted if c not in table.columns]
        if lacking:
            problems.append(f"{name} lacks {', '.join(lacking[:3])}")
        elif not table.columns.is_unique:
            problems.append(f"{name} has a column twice")
        else:
            try:
                found[name] = table.astype(wanted)
            except (TypeError, ValueError) as error:
                problems.append(f"{name} has other types: {error}")
    title = "columns of the input are kept, also in a table without rows"
    return found, holds(title, problems, "all columns, with their types")


@dataclass(frozen=True)
class Origin:
    """Which row of the input each row of the four tables is."""

    mine: pd.DataFrame
    inputs: pd.DataFrame
    matching: Matching

    @classmethod
    def of(cls, found: Tables, tables: Tables) -> Origin:
        inputs = [tables[name].assign(sample=name) for name in sorted(tables)]
        mine = [found[name].assign(table=name) for name in EVENT_TABLES if len(found[name])]
        rows = pd.concat(mine or [found["data"].assign(table="")], ignore_index=True)
        given = pd.concat([t for t in inputs if len(t)], ignore_index=True)
        # Only columns that both have, so that rows of one identity are paired alike.
        common = [c for c in given.columns if c in rows.columns and c != "weight"]
        return cls(rows, given, match_rows(rows[common], given[common], ROW))

    @property
    def rows(self) -> Finding:
        strange = len(self.matching.only_found)
        title = "every row is a row of the input, once"
        return equal(title, "0 other rows", f"{strange} other rows")

    def unchanged(self) -> Finding:
        """Columns other than the weight hold what they held."""
        problems = []
        for column in self.inputs.columns:
            if column in (*ROW, "weight") or column not in self.mine.columns:
                continue
            a = self.mine[column].to_numpy()[self.matching.found]
            b = self.inputs[column].to_numpy()[self.matching.expected]
            changed = int(differing(a, b, SAME).sum())
            if changed:
                problems.append(f"{column} differs in {changed} rows")
        return holds("values are those of the input", problems, "unchanged, but for the weight")

    def weights(self, table: str, sample: str) -> tuple[Values, Values]:
        """Weights of a sample's rows in a table, and those of the same rows in the input."""
        chosen = (self.mine["table"] == table) & (self.mine["sample"] == sample)
        picked = chosen.to_numpy(bool)[self.matching.found]
        a = self.mine["weight"].to_numpy(float)[self.matching.found[picked]]
        b = self.inputs["weight"].to_numpy(float)[self.matching.expected[picked]]
        return a, b


def simulated_weights(
    name: str, origin: Origin, samples: list[str], info: Mapping[str, Any]
) -> list[Finding]:
    """Weights of rows against those of the same rows in the input, times the task's factor."""
    zero, signs, sums = [], [], []
    for sample in samples:
        facts = info["samples"][sample]
        weight, given = origin.weights(name, sample)
        produced = facts["xsec_pb"] * facts["filter_efficiency"] * facts["k_factor"]
        right = given * (produced * 1000 * info["luminosity_fb"] / facts["sum_of_weights"])
        negative = int((right < 0).sum()), int((weight < 0).sum())
        total = float(right.sum()), float(weight.sum())
        if given.any() and not weight.any():
            zero.append(f"all are 0 in {sample}")
        if negative[0] != negative[1]:
            signs.append(f"{sample} has {negative[1]} negative ones, not {negative[0]}")
        if not abs(total[1] - total[0]) <= SUMS * float(np.abs(right).sum()):
            sums.append(f"{sample}: {total[1]:.6g}, not {total[0]:.6g}")
    return [
        holds(f"{name}: not all weights zero", zero, "weights that are not 0"),
        holds(f"{name}: weights keep their sign", signs, "as many negative ones as in the input"),
        holds(f"{name}: sum of weights per sample", sums,
              "xsec_pb · filter_efficiency · k_factor · 1000 · luminosity_fb / sum_of_weights "
              "times the sum of weight over the same rows of the input"),
    ]  # fmt: skip
