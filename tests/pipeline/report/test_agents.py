"""The agents' part of the report: who wrote the solutions, what it took, what was said."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from agents.evidence import Evidence, Finding
from agents.limits import Limits
from pipeline.determinism.asked import FOREIGN
from pipeline.files import read_json, write_json
from pipeline.report import make_report, terminal_summary
from pipeline.report.dialogues import MAX_PART, stage_dialogues
from pipeline.report.folder import read_points
from pipeline.report.model import SCRIPTED, Solvers, solvers
from pipeline.report.results import validate_results
from pipeline.report.tables.determinism import NOT_MEASURED
from tests.pipeline.report.agent_run import MODEL, agent_run
from tests.pipeline.report.conftest import Reported
from tests.pipeline.report.run_directory import RunDirectory
from tests.pipeline.report.test_page import Page
from tests.pipeline.solved_run import ACCEPTS, INSTRUCTS, OK, REVISES, SolvedRun, module


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    run = agent_run(tmp_path_factory.mktemp("runs") / "written by agents")
    return Reported(run, make_report(run.path))


def _parse(html: str) -> Page:
    page = Page()
    page.feed(html)
    return page


def _section(html: str) -> str:
    return html[html.index('<section id="agents">') : html.index('<section id="provenance">')]


def test_results_with_a_model_meet_the_schema(solved: Reported) -> None:
    results = solved.run.results()
    validate_results(results)
    assert results["provenance"]["solutions"]["convert"] is None
    for name in ("model", "solver"):
        del results[name]
    validate_results(results)


def test_scripted_replies_are_called_so_wherever_the_model_is_named(solved: Reported) -> None:
    page = _parse(solved.html)
    assert "Scripted replies" in solved.html[: solved.html.index("</header>")]
    assert page.text.count(f"scripted ({SCRIPTED})") == 2  # in the facts and over the table
    assert "measures no language model" in page.text


def test_the_table_gives_what_each_stage_took_and_whose_failure_it_was(solved: Reported) -> None:
    text = " ".join(_parse(_section(solved.html)).text.split())
    assert "What the agents did" in text
    assert "at most 2 rounds a stage" in text
    assert "inspect passed exact 2 5 500 50" in text
    assert "convert failed – 2 4 400 40" in text
    assert "incorrect branch name (model) KeyError: 'lep_E' (line 4)" in text
    assert "not reached" in text
    assert re.search(r"all 1 of \d passed 4 9 900 90", text)


def test_every_round_is_there_and_escaped(solved: Reported) -> None:
    html = _section(solved.html)
    assert html.count("<h4>Round ") == 4
    assert html.count("Supervisor&#39;s instructions") == 2
    assert html.count("Supervisor&#39;s review: revise") == 2
    assert html.count("Supervisor&#39;s review: accept") == 1
    assert html.count('<span class="here">') == 3
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script" not in solved.html
    assert "&lt;b&gt;39&lt;/b&gt; rows" in html
    text = _parse(html).text
    for said in ("read the photons", "Pitfall: units", "it does not run", "Next: mind the units",
                 "KeyError: 'lep_E' (line 4)", "Passed every check", "passed: all rows are events",
                 "hint not followed: no-loop: a loop over events"):  # fmt: skip
        assert said in text


def test_failed_findings_are_listed_one_by_one(tmp_path: Path) -> None:
    run = agent_run(tmp_path / "findings")
    findings = tuple(Finding(f"sum of weights of {n}", n == 3, "1", "2") for n in (1, 2, 3))
    html = _with_dialogue(run, ["x = 1"], Evidence(ok=False, findings=findings))
    items = re.findall(r"<li>(.*)</li>", _stage_part(html, "inspect"))
    assert items[3:6] == [
        "failed: sum of weights of 1: expected 1, found 2",
        "failed: sum of weights of 2: expected 1, found 2",
        "passed: sum of weights of 3 (2)",
    ]


def test_links_lead_to_files_and_ids_are_unique(solved: Reported) -> None:
    page = _parse(solved.html)
    assert {"agents", "dialogue-inspect", "dialogue-convert"} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert "points/main/convert/trajectory.jsonl" in page.links
    for link in page.links:
        assert link[1:] in page.ids if link.startswith("#") else (solved.run.path / link).is_file()


def test_the_reference_has_no_agents(diphoton: Reported) -> None:
    page = _parse(diphoton.html)
    assert "agents" not in page.ids
    assert "Scripted" not in page.text
    assert "none: our own solutions" in page.text


def _with_dialogue(run: RunDirectory, code: list[str], evidence: Evidence, rounds: int = 1) -> str:
    """The agents' section of a run whose stage inspect has these rounds."""
    solver = SolvedRun(run.path, run.layout.points[0].stages)
    (solver.folder("inspect") / "trajectory.jsonl").unlink()
    replies = [INSTRUCTS, *[module(*code), REVISES] * (rounds - 1), module(*code), ACCEPTS]
    solver.path.parent.joinpath(f"{run.path.name} inspect").rename(run.path.parent / "old")
    solver.solve("inspect", replies, [evidence] * rounds, Limits(max_rounds=rounds))
    return _section(make_report(run.path).html.read_text(encoding="utf-8"))


def _stage_part(html: str, stage: str) -> str:
    start = html.index(f'id="dialogue-{stage}"')
    return html[start : html.index("</details>", start)]


def test_a_huge_module_is_cut_and_says_so(tmp_path: Path) -> None:
    run = agent_run(tmp_path / "huge")
    html = _with_dialogue(run, [f"x = '<&\"{n}>'" for n in range(20_000)], OK)
    shown = _stage_part(html, "inspect")
    assert len(shown.encode()) < 200_000
    assert re.search(r"\[cut here: \d{6} characters more are in", shown)
    assert "Supervisor&#39;s review: accept" in shown  # what comes after it is not lost
    [inspect, _] = stage_dialogues(read_points(run.path)[0])
    [code] = [part for part in inspect.rounds[0].parts if part.kind == "code"]
    shown_size = sum(len(line) + 1 for line in code.lines)
    whole_size = sum(len(f"x = '<&\"{n}>'") + 1 for n in range(20_000))
    assert shown_size + code.cut == pytest.approx(whole_size, abs=2)
    assert shown_size < MAX_PART


def test_rounds_that_do_not_fit_are_counted(tmp_path: Path) -> None:
    run = agent_run(tmp_path / "many")
    html = _with_dialogue(run, [f"x = {n:09d}" for n in range(2_000)], OK, rounds=6)
    shown = _stage_part(html, "inspect")
    assert len(shown.encode()) < 200_000
    rounds = shown.count("<h4>Round ")
    assert 1 < rounds < 6
    assert f"Cut here: {6 - rounds} rounds more are in the file." in shown


def test_a_damaged_dialogue_does_not_stop_the_report(tmp_path: Path) -> None:
    run = agent_run(tmp_path / "damaged")
    (run.point / "inspect" / "trajectory.jsonl").write_text("no JSON\n", encoding="utf-8")
    html = _section(make_report(run.path).html.read_text(encoding="utf-8"))
    assert "The recorded dialogue cannot be read" in html


def test_results_without_the_newer_members_are_shown(tmp_path: Path) -> None:
    run = agent_run(tmp_path / "older", "model=scripted", "solver=agent")
    results = run.results()
    for name in ("model", "solver"):
        del results[name]
    for about in results["stages"].values():
        for name in ("hint_violations", "supervisor_errors", "notes"):
            about.pop(name, None)
    write_json(run.point / "results.json", results)
    html = make_report(run.path).html.read_text(encoding="utf-8")
    assert SCRIPTED in html
    assert "What the agents did" in html


def test_a_model_is_named_with_its_revision(solved: Reported) -> None:
    [point] = read_points(solved.run.path)
    about = {"name": "qwen", "provider": "endpoint", "repository": "Qwen/Coder", "revision": "abc1"}
    results = {**solved.run.results(), "model": {**MODEL, **about, "licence": "apache-2.0"}}
    who = solvers(replace(point, results=results))
    assert who is not None
    assert who.text == "qwen, Qwen/Coder, revision abc1, apache-2.0"
    assert not who.scripted
    assert Solvers("x", "replay", "", "", "", None).text == "x (recorded replies)"


def test_the_agents_section_says_what_was_asked_and_found_of_determinism(tmp_path: Path) -> None:
    at = "model.base_url=http://127.0.0.1:9/v1"
    run = agent_run(
        tmp_path / "run", "solver=agent", "model=qwen2_5_coder_7b", at, "model.deterministic=true"
    )

    def told() -> str:
        html = make_report(run.path).html.read_text(encoding="utf-8")
        return " ".join(_parse(_section(html)).text.split())

    assert FOREIGN in told()
    assert "not guaranteed" in FOREIGN
    server: dict[str, Any] = dict.fromkeys(
        ("reason", "requests", "prompt_tokens", "generation_tokens", "prefix_hit_rate", "energy_j",
         "energy_note")
    )  # fmt: skip
    server |= {"server": "m-1", "status": "STOPPED", "restarts": 0, "gpus": 1}
    servers = {"gpu_seconds": {}, "servers": [server]}
    write_json(run.path / "servers.json", servers)
    assert NOT_MEASURED in told()
    server["determinism"] = {"server": "m-0", "sentence": "Measured: 20 of 20."}
    write_json(run.path / "servers.json", servers)
    assert "Measured: 20 of 20. (server m-0)" in told()
    assert NOT_MEASURED not in told()


def test_the_terminal_tells_the_same(solved: Reported) -> None:
    console = Console(file=io.StringIO(), width=180, color_system=None)
    console.print(terminal_summary(solved.run.path))
    assert isinstance(console.file, io.StringIO)
    lines = [" ".join(line.split()) for line in console.file.getvalue().splitlines()]
    assert f"model: scripted ({SCRIPTED})" in lines
    assert "stage outcome rung checks rounds calls tokens hints time" in lines
    [convert] = [line for line in lines if line.startswith("convert")]
    assert convert.startswith("convert failed – ")
    assert " 2 4 440 2 " in convert
    assert convert.endswith("incorrect branch name (model): KeyError: 'lep_E' (line 4)")


def test_the_summary_has_a_row_per_stage_with_what_it_took(solved: Reported) -> None:
    summary = read_json(solved.product.summary_json)
    assert summary["points"][0]["stages"]["convert"] == "failed"
    assert summary["points"][0]["scripted"] is True
    rows = solved.product.summary_csv.read_text().splitlines()
    assert any(row.startswith("shown,main,convert,failed,,2,4,400,40,") for row in rows)
