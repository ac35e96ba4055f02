"""Everything about the cells of a run as flat tables, in CSV and Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from pipeline.evaluation.cell import Cell
from pipeline.evaluation.distribution import kind, study_kind
from pipeline.evaluation.flat_table import FlatTable, Row, flat_table, write_csv, write_parquet
from pipeline.evaluation.intervals import Amount, Rate
from pipeline.evaluation.measures import Measures, measures
from pipeline.evaluation.pairs import PairedRates, all_pairs
from pipeline.evaluation.quantities import QUANTITIES
from pipeline.evaluation.reading import read_cells, read_pricing
from pipeline.evaluation.repeating import Share
from pipeline.evaluation.spending import Pricing
from pipeline.judge.verdict import RUNGS

FOLDER = "tables"
NAMES = ("cells", "measures", "failures", "errors", "pairs")
TIMED = ("agent_s", "execute_s", "wall_s", "gpu_s", "energy_j", "cost")
"""What it took here and now: columns that are one of these, or begin with one and `_`, differ
between two runs that found the same."""
WRITERS = {".csv": write_csv, ".parquet": write_parquet}


def write_tables(run: Path) -> tuple[str, ...]:
    """Write <run>/tables/*.csv and *.parquet; their names relative to the run.

    The same cells give the same bytes. Columns named in TIMED hold what it took on this machine.
    """
    written = []
    for table in flat_tables(read_cells(run), read_pricing(run)):
        for suffix, write in WRITERS.items():
            name = f"{FOLDER}/{table.name}{suffix}"
            write(run / name, table)
            written.append(name)
    return tuple(written)


def table_files() -> tuple[str, ...]:
    """The files that `write_tables` writes, relative to the run, for those who lead to them."""
    return tuple(f"{FOLDER}/{name}{suffix}" for name in NAMES for suffix in WRITERS)


def flat_tables(cells: Sequence[Cell], pricing: Pricing) -> tuple[FlatTable, ...]:
    """cells: a row each; measures: per configuration and stage; failures: each cell that
    something stopped; errors: per configuration, stage, division and word; pairs: per two
    configurations and stage."""
    found = measures(cells, pricing)
    return (
        flat_table("cells", _CELL_KINDS, [_cell_row(cell) for cell in cells]),
        flat_table("measures", _MEASURE_KINDS, [_measures_row(m) for m in found]),
        flat_table("failures", _FAILURE_KINDS, [_failure_row(c) for c in cells if c.failure]),
        flat_table("errors", _ERROR_KINDS, [row for m in found for row in _error_rows(m)]),
        flat_table("pairs", _PAIR_KINDS, [_pair_row(pair) for pair in all_pairs(cells)]),
    )


def is_timed(column: str) -> bool:
    """Whether a column holds what it took on this machine, and differs from run to run."""
    bare = column.removeprefix("per_pass_")
    return any(bare == word or bare.startswith(f"{word}_") for word in TIMED)


_NAMES = tuple(QUANTITIES.values())
_PLAIN = tuple(f for f in fields(Cell) if f.name not in ("failure", "quantities", "reference"))
_OF_TEXT: dict[str, type] = {
    "str": str, "str | None": str, "Outcome": str, "int": int, "bool": bool,
    "float": float, "float | None": float,
}  # fmt: skip
_CELL_KINDS: dict[str, type] = {
    "config": str,
    **{f.name: _OF_TEXT[str(f.type)] for f in _PLAIN},
    "rated": bool,
    "failure_category": str,
    "failure_cause": str,
    "failure_attribution": str,
    **dict.fromkeys(_NAMES, float),
    **{f"reference_{name}": float for name in _NAMES},
}
_FAILURE_KINDS: dict[str, type] = {
    **dict.fromkeys(("config", "point", "stage"), str),
    "trial": int,
    **dict.fromkeys(("outcome", "category", "cause", "kind", "study", "attribution"), str),
    "evidence": str,
}


def _cell_row(cell: Cell) -> Row:
    failure = cell.failure
    return {
        "config": cell.config,
        **{f.name: getattr(cell, f.name) for f in _PLAIN},
        "rated": cell.rated,
        "failure_category": failure and failure.category,
        "failure_cause": failure and failure.cause,
        "failure_attribution": failure and failure.attribution,
        **{name: cell.quantities.get(name) for name in _NAMES},
        **{f"reference_{name}": cell.reference.get(name) for name in _NAMES},
    }


def _failure_row(cell: Cell) -> Row:
    failure = cell.failure
    if failure is None:
        raise ValueError(f"expected a cell that failed, found {cell.point}/{cell.stage}")
    counted = kind(failure)
    return {
        "config": cell.config, "point": cell.point, "stage": cell.stage, "trial": cell.trial,
        "outcome": cell.outcome, **asdict(failure), "kind": counted, "study": study_kind(counted),
    }  # fmt: skip


_AMOUNTS = (
    "rounds", "api_calls", "prompt_tokens", "completion_tokens", "tokens", "agent_s", "execute_s",
    "wall_s", "gpu_s", "energy_j", "cost", "calls_lost",
)  # fmt: skip
_PER_PASS = ("api_calls", "tokens", "wall_s", "gpu_s", "energy_j", "cost")
_PASS_AT = (1, 3, 5, 10)
_AGREEING = ("code", "output", "ladder")
_APART = ("harness", "endpoint", "infrastructure", "data")
_RATE: dict[str, type] = {"": float, "_low": float, "_high": float, "_passed": int, "_n": int}
_AMOUNT: dict[str, type] = {"": float, "_low": float, "_high": float, "_n": int}


def _named(prefix: str, suffixes: Mapping[str, type]) -> dict[str, type]:
    return {f"{prefix}{suffix}": of for suffix, of in suffixes.items()}


_LIMITS: dict[str, type] = {"": float, "_low": float, "_high": float}
_MEASURE_KINDS: dict[str, type] = {
    **dict.fromkeys(("config", "model", "setting"), str),
    "scripted": bool,
    "stage": str,
    **dict.fromkeys(("cells", "rated", "not_reached", "missing", "reference"), int),
    **{f"not_rated_{whose}": int for whose in _APART},
    **{k: v for rung in RUNGS for k, v in _named(f"success_{rung}", _RATE).items()},
    **{k: v for rung in RUNGS for k, v in _named(f"end_to_end_{rung}", _RATE).items()},
    **{k: v for n in _PASS_AT for k, v in _named(f"pass_at_{n}", _LIMITS).items()},
    **{k: v for name in _AMOUNTS for k, v in _named(name, _AMOUNT).items()},
    **{k: v for n in _PER_PASS for k, v in _named(f"per_pass_{n}", _LIMITS).items()},
    "priced_by": str,
    **{k: v for n in _AGREEING
       for k, v in _named(f"same_{n}", {**_LIMITS, "_agree": int, "_pairs": int}).items()},
    "same_by_construction": int,
    "shared_outputs": int,
    **_named("hint_violations", _AMOUNT),
    **_named("against_hints", _RATE),
    **{k: v for n in _NAMES for k, v in _named(f"distance_{n}", _AMOUNT).items()},
    **{k: v for n in _NAMES for k, v in _named(f"relative_{n}", _AMOUNT).items()},
}  # fmt: skip


def _flat(prefix: str, value: Rate | Amount | Share) -> Row:
    """A number with its interval as columns; the value has the bare name."""
    about = asdict(value)
    bare = about.pop("value")
    return {prefix: bare, **{f"{prefix}_{name}": v for name, v in about.items()}}


def _measures_row(m: Measures) -> Row:
    row: Row = {name: getattr(m, name) for name in
                ("config", "model", "setting", "scripted", "stage", "cells", "rated",
                 "not_reached", "missing", "reference")}  # fmt: skip
    row |= {f"not_rated_{whose}": m.not_rated.get(whose, 0) for whose in _APART}
    for rung in RUNGS:
        row |= _flat(f"success_{rung}", m.success[rung])
        row |= _flat(f"end_to_end_{rung}", m.end_to_end[rung])
    for k in _PASS_AT:
        if (at := m.pass_at.get(k)) is not None:
            name = f"pass_at_{k}"
            row |= {name: at.value, f"{name}_low": at.low, f"{name}_high": at.high}
    for name in _AMOUNTS:
        row |= _flat(name, getattr(m.spending, name))
    for name in _PER_PASS:
        row |= _flat(f"per_pass_{name}", m.spending.per_pass[name])
    row["priced_by"] = m.spending.cost_basis
    for name in _AGREEING:
        row |= _flat(f"same_{name}", getattr(m.repeatability, name))
    row["same_by_construction"] = m.repeatability.by_construction
    row["shared_outputs"] = m.repeatability.shared
    row |= _flat("hint_violations", m.hint_violations) | _flat("against_hints", m.against_hints)
    for name, distance in m.distances.items():
        row |= _flat(f"distance_{name}", distance.absolute)
        row |= _flat(f"relative_{name}", distance.relative)
    return row


_ERROR_KINDS: dict[str, type] = {
    **dict.fromkeys(("config", "stage", "division", "word"), str), **_named("share", _RATE),
}  # fmt: skip


def _error_rows(m: Measures) -> list[Row]:
    divisions = {"category": m.errors.by_category, "study": m.errors.by_study,
                 "attribution": m.errors.by_attribution}  # fmt: skip
    return [
        {"config": m.config, "stage": m.stage, "division": division, "word": word,
         **_flat("share", found)}
        for division, words in divisions.items()
        for word, found in words.items()
    ]  # fmt: skip


_PAIR_KINDS: dict[str, type] = {
    **dict.fromkeys(("a", "b", "stage"), str),
    **dict.fromkeys(("n", "unpaired"), int),
    **_named("rate_a", _RATE),
    **_named("rate_b", _RATE),
    **dict.fromkeys(("only_a", "only_b"), int),
    **dict.fromkeys(("difference", "low", "high", "p", "p_holm"), float),
}


def _pair_row(pair: PairedRates) -> Row:
    row = pair.to_json()
    return {**row, **_flat("rate_a", pair.rate_a), **_flat("rate_b", pair.rate_b)}
