"""The page: one file, every link there, the numbers those of results.json."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from pipeline.files import read_json
from pipeline.report import make_report
from tests.pipeline.report.conftest import Reported
from tests.pipeline.report.run_directory import add_point, hzz4l_run

LOADS = {"src", "srcset", "poster", "data", "action", "background"}


@dataclass
class Page(HTMLParser):
    """What a page loads, links to, names and says."""

    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    text: str = ""
    inside: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.inside = tag
        given = {name: value or "" for name, value in attrs}
        self.loads += [given[name] for name in LOADS & set(given)]
        if tag == "link":
            self.loads.append(given["href"])
        elif "href" in given:
            self.links.append(given["href"])
        if "id" in given:
            self.ids.append(given["id"])
        if "data-value" in given:
            self.values.append(given["data-value"])

    def handle_data(self, data: str) -> None:
        if self.inside != "style":
            self.text += data


def _parse(reported: Reported) -> Page:
    page = Page()
    page.feed(reported.html)
    return page


@pytest.fixture(params=["diphoton", "four_lepton", "partial"])
def reported(request: pytest.FixtureRequest) -> Reported:
    found: Reported = request.getfixturevalue(request.param)
    return found


def test_nothing_is_loaded_from_elsewhere(reported: Reported) -> None:
    page = _parse(reported)
    assert page.loads
    assert all(load.startswith("data:") for load in page.loads)
    assert not page.tags & {"script", "iframe", "object", "embed", "base"}
    assert "http:" not in reported.html
    assert "https:" not in reported.html
    assert "@import" not in reported.html
    assert "url(" not in reported.html


def test_every_link_leads_to_a_file_of_the_run_or_a_place_on_the_page(reported: Reported) -> None:
    page = _parse(reported)
    assert len(page.links) > 30
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids, link
        else:
            assert not link.startswith(("/", "..")), link
            assert (reported.run.path / unquote(link)).is_file(), link
    assert len(page.ids) == len(set(page.ids))


def test_the_page_is_small(reported: Reported) -> None:
    assert reported.product.html.stat().st_size < 5_000_000


def test_the_numbers_are_those_of_results(diphoton: Reported) -> None:
    page = _parse(diphoton)
    found = diphoton.run.results()["measurement"]
    wanted = [found["mu"], found["significance"]["observed"], found["cross_section_pb"]]
    for value in wanted:
        assert repr(value) in page.values
    for count in (63_195, 1_463_195):
        assert str(count) in page.values
    for text in ("1.04", "± 0.21", "5.1", "expected 4.9 σ", "95 % interval 0.63 to 1.46"):
        assert text in page.text
    assert "132" in page.text
    assert "(stat.) +11 −9 (syst.) ± 3 (lumi.)" in page.text


def test_synthetic_is_said_at_the_top_and_in_the_title(diphoton: Reported) -> None:
    text = diphoton.html
    assert "· Synthetic</title>" in text
    head = text[text.index("<header") : text.index("</header>")]
    assert head.count("Synthetic data") == 2
    assert "injected" not in head


def test_real_data_are_not_called_synthetic(partial: Reported) -> None:
    assert "ynthetic" not in _parse(partial).text
    assert "Partial data" in _parse(partial).text


def test_blinding_is_stated(diphoton: Reported, partial: Reported) -> None:
    assert "Unblinded by the measurement" in _parse(diphoton).text
    assert "Not blinded: no selected data were kept" in _parse(partial).text


def test_a_run_without_measurement_says_why(partial: Reported) -> None:
    page = _parse(partial)
    assert "No measurement: no signal sample can be normalised" in page.text
    assert "data_A" in page.text
    for count in ("39", "27", "156", "86"):
        assert count in page.values
    assert "fit" not in page.ids


def test_official_numbers_are_compared(partial: Reported) -> None:
    text = _parse(partial).text
    assert "Comparison with official numbers" in text
    assert "official figure" in text


def test_every_section_is_there(diphoton: Reported) -> None:
    ids = _parse(diphoton).ids
    sections = ["result", "mass", "fit", "categories", "selection", "stages", "provenance"]
    assert [i for i in ids if i in sections] == sections
    for name in ("yields", "cutflow", "samples", "stages", "checks", "functions", "measurement"):
        assert f"table-{name}" in ids
    for name in ("spectrum", "spectrum_weighted", "spectrum_categories", "roc", "scores"):
        assert f"figure-{name}" in ids


def test_text_of_others_is_escaped(empty: Path) -> None:
    run = hzz4l_run(empty, simulated=False)
    results = run.results()
    results["notes"] = ["<script>alert(1)</script>"]
    (run.point / "results.json").write_text(json.dumps(results))
    html = make_report(run.path).html.read_text()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_sweep_has_a_table_of_points_and_a_section_each(empty: Path) -> None:
    run = hzz4l_run(empty, simulated=False)
    for name in ("second point", "third"):
        add_point(run, name)
    product = make_report(run.path)
    page = _parse(Reported(run, product))
    assert [i for i in page.ids if i.startswith("point-") and i.count("-") <= 2][:1] == [
        "point-main"
    ]
    for anchor in ("point-main", "point-second-point", "point-third"):
        assert anchor in page.ids
        assert f"#{anchor}" in page.links
    assert (run.path / "figures" / "second point" / "stack.png").is_file()
    assert "figures/second%20point/stack.pdf" in page.links
    assert len(page.ids) == len(set(page.ids))
    summary = read_json(product.summary_json)
    assert [p["point"] for p in summary["points"]] == ["main", "second point", "third"]
    with product.summary_csv.open() as handle:
        assert len(list(csv.DictReader(handle))) == 3 * 4
