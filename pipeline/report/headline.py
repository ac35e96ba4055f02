"""The large numbers at the top of a point's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.report.cross_section import cross_section
from pipeline.report.folder import PointFolder
from pipeline.report.notation import Interval, interval, number, whole


@dataclass(frozen=True)
class Headline:
    """One large number of the page's top."""

    label: str
    amount: Interval | None
    text: str
    unit: str
    below: str
    file: str
    value: Any


def headlines(point: PointFolder) -> tuple[Headline, ...]:
    """μ, significance and cross-section if they were measured, and the events of data."""
    found = point.results["measurement"]
    selected = _selected(point)
    if found is None:
        return (selected,)
    file = point.results_file
    sigma = cross_section(found)
    limits = found.get("mu_interval_95")
    within = f"95 % interval {number(limits[0])} to {number(limits[1])}" if limits else ""
    z = found["significance"]
    beside = f"(stat.) {sigma.errors('syst')} (syst.) {sigma.errors('lumi')} (lumi.)"
    return (
        Headline(
            "signal strength μ", interval(found["mu"], tuple(found["mu_err"])), "", "", within,
            file, found["mu"],
        ),
        Headline(
            "significance, observed", None, number(z["observed"], 1), "σ",
            f"expected {number(z['expected'], 1)} σ", file, z["observed"],
        ),
        Headline(
            "cross-section σ × BR", sigma.with_statistics, "", "fb", beside, file,
            found["cross_section_pb"],
        ),
        selected,
    )  # fmt: skip


def _selected(point: PointFolder) -> Headline:
    counts = [
        sample["selected"]
        for sample in point.results["samples"].values()
        if sample["kind"] == "data" and sample["selected"] is not None
    ]
    read = [
        sample["entries"]
        for sample in point.results["samples"].values()
        if sample["kind"] == "data" and sample["entries"] is not None
    ]
    total = sum(counts) if counts else None
    below = f"of {whole(sum(read))} read" if read else "no data were read"
    return Headline("events of data", None, whole(total), "", below, point.results_file, total)
