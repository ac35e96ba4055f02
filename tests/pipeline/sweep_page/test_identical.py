"""What was identical is said plainly, and nothing of a server that was not measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.configure import configure
from pipeline.determinism.asked import FOREIGN, NOT_ASKED
from pipeline.evaluation.reading import read_cells
from pipeline.files import read_json, write_json
from pipeline.report.tables.determinism import NOT_MEASURED
from pipeline.settings import to_dict
from pipeline.sweep_page import make_sweep_page
from pipeline.sweep_page.conditions import Conditions
from pipeline.sweep_page.identical import NOT_REPEATED, NOT_THE_SERVER, identical
from tests.pipeline.evaluation.made import PASSED, MadePoint, write_sweep

AT = "model.base_url=http://127.0.0.1:9/v1"
SAID = "Measured with deterministic=true: of 20 requests, 20 texts were identical."
MEASURED = {"determinism": {"server": "m-1", "sentence": SAID}}
OTHER = replace(PASSED, code="def solve(events):\n    return events[:]\n", rung="permutation")
TAKEN = replace(PASSED, taken_over=True)


def _sentences(run: Path) -> tuple[str, ...]:
    cells = read_cells(run)
    return identical(run, Conditions.of(run, [c.point for c in cells]), cells)


def _served(run: Path, model: str, *overrides: str) -> None:
    """The settings of a model's points as they are with a server."""
    plain = to_dict(configure([f"model={model}", AT, "run.name=made", *overrides]))
    for path in run.glob(f"points/{model}-t*/settings.json"):
        write_json(path, {**read_json(path), "model": plain["model"]})


def _servers(*told: Mapping[str, Any]) -> dict[str, Any]:
    return {"gpu_seconds": {}, "servers": [{"server": "a", **one} for one in told]}


def test_the_shares_are_those_of_the_trials(tmp_path: Path) -> None:
    """Three trials with one code and output, taken over from the first; a fourth with another
    code, whose output is right too."""
    stages = [PASSED, TAKEN, TAKEN, replace(OTHER, output="rows in another order")]
    points = [MadePoint("a", t, {"convert": made}) for t, made in enumerate(stages)]
    found = _sentences(write_sweep(tmp_path / "run", points))
    assert found[0] == (
        "Of 6 pairs of trials of the same configuration and stage, 3 (50.0 %) have identical code, "
        "3 (50.0 %) identical output, bit for bit, and 6 (100 %) are equal within the ladder: the "
        "same bits, or both within the rung statistical of the reference. 3 of those with "
        "identical output are so by construction: the same code was run once on the same inputs, "
        "and its output taken over."
    )
    assert found[1].startswith("Replies of a were not asked of a server")
    assert len(found) == 2


def test_one_trial_says_nothing_of_repetition(tmp_path: Path) -> None:
    run = write_sweep(tmp_path / "run", [MadePoint("a", 0, {"convert": PASSED})])
    assert _sentences(run)[0] == NOT_REPEATED


def test_what_was_asked_is_said_of_each_model(tmp_path: Path) -> None:
    models = ("qwen2_5_coder_7b", "gpt_oss_20b", "expert")
    points = [MadePoint(m, t, {"convert": PASSED}) for m in models for t in (0, 1)]
    run = write_sweep(tmp_path / "run", points)
    _served(run, "qwen2_5_coder_7b", "model.deterministic=true")
    _served(run, "gpt_oss_20b")
    found = _sentences(run)
    assert found[1].startswith("Replies of expert were not asked")
    assert found[2:] == (
        NOT_THE_SERVER, f"qwen2_5_coder_7b: {FOREIGN}", f"gpt_oss_20b: {NOT_ASKED}", NOT_MEASURED,
    )  # fmt: skip
    html = make_sweep_page(run).read_text(encoding="utf-8")
    table = html.partition('id="repeatability-table"')[2].partition("</table>")[0]
    rows = [row.partition("</tr>")[0] for row in table.split("<tr ")[1:] if " hidden" not in row]
    assert {m: next(w for w in ("on", "off", "–") if f">{w}<" in row) for row in rows
            for m in models if f">{m}<" in row} == {
        "qwen2_5_coder_7b": "on", "gpt_oss_20b": "off", "expert": "–",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        (None, [NOT_MEASURED]),
        (_servers({}), [NOT_MEASURED]),
        (_servers(MEASURED, {}), [f"{SAID} (server m-1)"]),
        (_servers(MEASURED, MEASURED), [f"{SAID} (server m-1)"]),
    ],
)
def test_a_measurement_is_cited_where_the_run_has_one(
    tmp_path: Path, servers: Mapping[str, Any] | None, said: list[str]
) -> None:
    points = [MadePoint("gpt_oss_20b", t, {"convert": PASSED}) for t in (0, 1)]
    run = write_sweep(tmp_path / "run", points, servers)
    _served(run, "gpt_oss_20b")
    assert list(_sentences(run)[3:]) == said
    assert said[0] in make_sweep_page(run).read_text(encoding="utf-8").replace("&#39;", "'")


def test_no_measurement_is_cited_where_nobody_was_asked(tmp_path: Path) -> None:
    points = [MadePoint("a", t, {"convert": PASSED}) for t in (0, 1)]
    servers = _servers(MEASURED)
    assert SAID not in " ".join(_sentences(write_sweep(tmp_path / "run", points, servers)))


def test_damaged_settings_are_left_out(tmp_path: Path) -> None:
    run = write_sweep(tmp_path / "run", [MadePoint("a", t, {"convert": PASSED}) for t in (0, 1)])
    path = run / "points" / "a-t1" / "settings.json"
    write_json(path, {**read_json(path), "no_such_setting": 1})
    found = Conditions.of(run, ["a-t0", "a-t1", "a-t2"])
    assert list(found.settings) == ["a-t0"]


def test_the_facts_name_all_that_differs(tmp_path: Path) -> None:
    points = [MadePoint("a", t, {"convert": PASSED}) for t in (0, 1)]
    run = write_sweep(tmp_path / "run", points)
    path = run / "points" / "a-t1" / "settings.json"
    plain = read_json(path)
    data = {**plain["data"], "luminosity": 2.0, "synthetic": False, "partial": True}
    write_json(path, {**plain, "data": data, "unblind": True})
    facts = dict(Conditions.of(run, ["a-t0", "a-t1"]).facts())
    assert facts["channel"] == "H → γγ (hyy)"
    assert facts["data"].replace("\u202f", " ") == (
        "2025e-13tev-beta, synthetic samples with its names, 36.1 fb⁻¹, injected μ = 1; "
        "2025e-13tev-beta, ATLAS Open Data, part of 2 fb⁻¹"
    )
    assert facts["blinding"] == (
        "solvers see no selected data between 120 and 130 GeV; "
        "none (unblind=true): solvers see the selected data of the signal window"
    )
    html = make_sweep_page(run).read_text(encoding="utf-8")
    assert "with unblind=true these are all events" in html
