"""Tables of the fit: the measured numbers, and how the background functions were chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.report.content import Sourced
from pipeline.report.folder import PointFolder
from pipeline.report.notation import DASH, decimals, interval, number, signed
from pipeline.report.tables.cell import Cell, Table, numeric

FB_PER_PB = 1000.0


def measurement_table(point: PointFolder) -> Table | None:
    """The measured numbers with every part of their uncertainty; None without a measurement."""
    found = point.results["measurement"]
    if found is None:
        return None
    file = point.results_file
    rows = [_row("signal strength μ", interval(found["mu"], tuple(found["mu_err"])).plain, found["mu"], file)]
    if limits := found.get("mu_interval_95"):
        text = " to ".join(number(limit) for limit in limits)
        rows.append(_row("μ, 95 % interval", text, limits, file))
    for kind in ("expected", "observed"):
        z = found["significance"][kind]
        rows.append(_row(f"significance, {kind}", f"{number(z)} σ", z, file))
    sigma = FB_PER_PB * found["cross_section_pb"]
    errors = found["cross_section_err_pb"]
    places = cross_section_places(errors)
    rows.append(_row("σ × BR", f"{number(sigma, places)} fb", sigma, file))
    for name, key in (("statistical", "stat"), ("systematic", "syst")):
        low, high = (None if e is None else FB_PER_PB * e for e in errors[key])
        text = f"{signed(high, places)} {signed(low, places)} fb"
        rows.append(_row(f"σ × BR, {name} error", text, [low, high], file))
    lumi = None if errors["lumi"] is None else FB_PER_PB * errors["lumi"]
    rows.append(_row("σ × BR, luminosity error", f"± {number(lumi, places)} fb", lumi, file))
    return Table(
        "measurement",
        "Measured numbers",
        "Intervals by profile likelihood; the statistical error has all nuisance parameters fixed.",
        ("quantity", "value"),
        tuple(rows),
    )


def _row(name: str, text: str, value: Any, file: str) -> tuple[Cell, Cell]:
    return Cell(name, tone="strong"), numeric(text, file, value)


def cross_section_places(errors: Mapping[str, Any]) -> int:
    """Decimals, in fb, that show two digits of the smaller statistical error."""
    known = [abs(FB_PER_PB * e) for e in errors["stat"] if e]
    return decimals(min(known)) if known else 1


def functions_table(measurement: Sourced[dict[str, Any]]) -> Table | None:
    """Candidates for the background function per category; None for a template."""
    file = measurement.files[0]
    rows = []
    for category in measurement.value["categories"]:
        for candidate in category["candidates"]:
            chosen = candidate["function"] == category["function"]
            rows.append(
                (
                    Cell(category["name"], tone="strong"),
                    Cell(candidate["function"], tone="strong" if chosen else ""),
                    _number(candidate.get("n_parameters"), 0, file),
                    _number(candidate.get("chi2_probability"), 3, file),
                    _number(candidate.get("spurious_signal"), 2, file),
                    _number(candidate.get("spurious_tolerance"), 2, file),
                    Cell("yes", tone="good") if candidate["accepted"] else Cell("no", tone="muted"),
                    Cell("chosen" if chosen else "", tone="good"),
                )
            )
    if not rows:
        return None
    return Table(
        "functions",
        "Choice of the background function",
        "Each candidate is fitted with a signal to a background-only shape of control data; what "
        "signal it then finds is spurious and must stay below its tolerance (events). Of the "
        "accepted ones the chosen has the fewest parameters.",
        (
            "category", "function", "parameters", "χ² probability", "spurious signal", "tolerance",
            "accepted", "",
        ),
        tuple(rows),
    )  # fmt: skip


def _number(value: float | None, places: int, file: str) -> Cell:
    return numeric(DASH if value is None else number(value, places), file, value)
