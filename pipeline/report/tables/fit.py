"""Tables of the fit: the measured numbers, and how the background functions were chosen."""

from __future__ import annotations

from typing import Any

from pipeline.report.content import Sourced
from pipeline.report.cross_section import cross_section
from pipeline.report.folder import PointFolder
from pipeline.report.notation import DASH, interval, number
from pipeline.report.tables.cell import Cell, Table, numeric


def measurement_table(point: PointFolder) -> Table | None:
    """The measured numbers with every part of their uncertainty; None without a measurement."""
    found = point.results["measurement"]
    if found is None:
        return None
    file = point.results_file
    rows = [
        _row(
            "signal strength μ",
            interval(found["mu"], tuple(found["mu_err"])).plain,
            found["mu"],
            file,
        )
    ]
    if limits := found.get("mu_interval_95"):
        text = " to ".join(number(limit) for limit in limits)
        rows.append(_row("μ, 95 % interval", text, limits, file))
    for kind in ("expected", "observed"):
        z = found["significance"][kind]
        rows.append(_row(f"significance, {kind}", f"{number(z)} σ", z, file))
    sigma = cross_section(found)
    text = f"{number(sigma.value, sigma.places)} fb"
    rows.append(_row("σ × BR", text, sigma.value, file))
    for name, kind in (("statistical", "stat"), ("systematic", "syst"), ("luminosity", "lumi")):
        value = getattr(sigma, kind)
        rows.append(_row(f"σ × BR, {name} error", f"{sigma.errors(kind)} fb", value, file))
    return Table(
        "measurement",
        "Measured numbers",
        "Intervals by profile likelihood; the statistical error has all nuisance parameters fixed.",
        ("quantity", "value"),
        tuple(rows),
    )


def _row(name: str, text: str, value: Any, file: str) -> tuple[Cell, Cell]:
    return Cell(name, tone="strong"), numeric(text, file, value)


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
        "A candidate must describe the sidebands (probability of its χ²), and a fit of it with a "
        "signal to the background-only template may find no more (spurious) signal events than the "
        "tolerance, beyond the statistics of the template. The chosen one has the fewest "
        "parameters of the accepted.",
        (
            "category", "function", "parameters", "χ² probability", "spurious signal", "tolerance",
            "accepted", "",
        ),
        tuple(rows),
    )  # fmt: skip


def _number(value: float | None, places: int, file: str) -> Cell:
    return numeric(DASH if value is None else number(value, places), file, value)
