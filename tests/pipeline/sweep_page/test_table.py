"""Numbers are written as physicists do: to two digits of their interval, with powers of ten."""

from __future__ import annotations

import pytest

from pipeline.sweep_page.table import quantity, with_half


@pytest.mark.parametrize(
    ("value", "half", "written"),
    [
        (1.7, 0.2234, ("1.70", "± 0.22")),
        (6.1312, 1.2, ("6.1", "± 1.2")),
        (6123.4, 451.0, ("6\u202f123", "± 451")),
        (0.187, 2.4, ("0.2", "± 2.4")),
        (-2.1e-4, 5.01e-4, ("−2.1×10⁻⁴", "± 5.0×10⁻⁴")),
        (0.75, 1.5e-9, ("0.75", "± 1.5×10⁻⁹")),
        (3.0, 0.0, ("3", "± 0")),
        (0.0, 0.0, ("0", "± 0")),
    ],
)
def test_a_value_has_the_digits_of_its_interval(
    value: float, half: float, written: tuple[str, str]
) -> None:
    assert with_half(value, half) == written


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (0.0, 3, "0"),
        (1234.5, 3, "1\u202f234"),
        (0.315, 3, "0.315"),
        (-0.0017, 3, "−0.0017"),
        (1.06e-10, 2, "1.1×10⁻¹⁰"),
        (-1.23e-5, 3, "−1.23×10⁻⁵"),
    ],
)
def test_a_number_alone_has_a_few_digits(value: float, digits: int, written: str) -> None:
    assert quantity(value, digits) == written
