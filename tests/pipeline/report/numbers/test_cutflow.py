"""Cut flows: totals per process and shares."""

from __future__ import annotations

from pipeline.report.numbers.cutflow import cut_flow

FLOWS = {
    "343981": [["all", 100], ["tight", 50], ["pT", 40]],
    "data_A": [["all", 39], ["tight", 30], ["pT", 27]],
    "data_B": [["all", 156], ["tight", 100], ["pT", 86]],
}
SAMPLES = {
    "343981": {"kind": "mc", "process": "ggH", "role": "signal"},
    "data_A": {"kind": "data", "process": "data", "role": "data"},
    "data_B": {"kind": "data", "process": "data", "role": "data"},
}


def test_totals_add_the_samples_of_a_process_data_first() -> None:
    flow = cut_flow(FLOWS, SAMPLES)
    assert flow is not None
    assert [(row.name, row.counts) for row in flow.totals] == [
        ("data", (195, 130, 113)),
        ("ggH", (100, 50, 40)),
    ]
    assert flow.totals[1].fractions == (1.0, 0.5, 0.4)
    histogram = flow.histograms()["data"]
    assert histogram.values().tolist() == [195, 130, 113]
    assert list(histogram.axes[0]) == ["all", "tight", "pT"]


def test_an_empty_sample_has_no_shares_and_no_flow_gives_none() -> None:
    flow = cut_flow({"data_A": [["all", 0], ["tight", 0]]}, SAMPLES)
    assert flow is not None
    assert flow.samples[0].fractions == (0.0, 0.0)
    assert cut_flow({}, SAMPLES) is None
