"""The measured cross-section as it is told to people: in fb, rounded to its statistical error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.report.notation import Interval, decimals, interval, number, signed

FB_PER_PB = 1000.0

Errors = tuple[float | None, float | None]


@dataclass(frozen=True)
class CrossSection:
    """Cross-section times branching ratio with its errors (negative, positive), all in fb."""

    value: float
    stat: Errors
    syst: Errors
    lumi: float | None

    @property
    def places(self) -> int:
        """Decimals that show two digits of the smaller statistical error; 1 if it is not known."""
        known = [abs(error) for error in self.stat if error]
        return decimals(min(known)) if known else 1

    @property
    def with_statistics(self) -> Interval:
        """The value with its statistical errors."""
        return interval(self.value, self.stat, self.places)

    def errors(self, kind: str) -> str:
        """The `stat`, `syst` or `lumi` error as text, without unit."""
        if kind == "lumi":
            return f"± {number(self.lumi, self.places)}"
        low, high = self.stat if kind == "stat" else self.syst
        return f"{signed(high, self.places)} {signed(low, self.places)}"


def cross_section(measurement: Mapping[str, Any]) -> CrossSection:
    """The cross-section of a measurement of `results.json`."""
    errors = measurement["cross_section_err_pb"]
    return CrossSection(
        value=FB_PER_PB * measurement["cross_section_pb"],
        stat=(_in_fb(errors["stat"][0]), _in_fb(errors["stat"][1])),
        syst=(_in_fb(errors["syst"][0]), _in_fb(errors["syst"][1])),
        lumi=_in_fb(errors["lumi"]),
    )


def _in_fb(value: float | None) -> float | None:
    return None if value is None else FB_PER_PB * value
