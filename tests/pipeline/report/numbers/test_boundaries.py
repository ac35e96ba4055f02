"""The search for boundaries as categories.json tells it."""

from __future__ import annotations

from pipeline.report.numbers.boundaries import boundary_search


def test_boundaries_as_told() -> None:
    """The worked example of physics.md."""
    steps = [(0.73, 1.513, 0.31, True), (0.88, 1.640, 0.084, True), (0.6, 1.655, 0.009, False)]
    search = boundary_search(
        {
            "inclusive": 1.155,
            "combined": 1.640,
            "steps": [
                {"boundary": b, "combined": z, "gain": g, "accepted": a} for b, z, g, a in steps
            ],
        }
    )
    assert [step.boundary for step in search.accepted] == [0.73, 0.88]
    assert search.columns()["combined_significance"] == [1.155, 1.513, 1.640, 1.655]
