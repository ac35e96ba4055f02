"""Each kind of file is tampered with, and each change is named by its file and its place."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.files import sha256_file
from pipeline.verify import verify
from pipeline.verify.findings import Failure, Group
from pipeline.verify.folder import RunFolder
from pipeline.verify.frozen import check_settings
from pipeline.verify.ledger import check_ledgers
from pipeline.verify.numbers import check_results
from pipeline.verify.origin import check_provenance
from pipeline.verify.outputs import check_outputs
from pipeline.verify.page import check_report
from pipeline.verify.solutions import check_solutions
from pipeline.verify.trajectories import check_trajectories
from pipeline.verify.verdicts import check_verdicts
from tests.pipeline.verify.copies import Copy, of_file, sentences

pytestmark = pytest.mark.timeout(1800)  # the first one waits for the run of all

CONVERT = "points/main/convert"
SPOKEN = f"{CONVERT}/trajectory.jsonl"
RESULTS = "points/main/results.json"


def check(run: Copy, room: Callable[[RunFolder], Group]) -> Group:
    return room(RunFolder.open(run.path))


def only(group: Group, name: str) -> Failure:
    """The one failure there is, which is of this file."""
    assert [f.file for f in group.failures] == [name], sentences(group)
    return group.failures[0]


# -- outputs


@pytest.mark.parametrize(
    "name",
    [
        f"{CONVERT}/output/cutflow.json",
        "points/main/classify/sealed/data.parquet",
        "points/main/measure/sealed/measurement.json",
    ],
)
def test_one_bit_of_an_output(run: Copy, name: str) -> None:
    run.flip(name)
    failure = only(check(run, check_outputs), name)
    assert failure.expected.startswith("a file with the hash in record.json")
    assert failure.found == sha256_file(run.path / name)
    assert "give the command of the run again" in failure.sentence


def test_output_that_is_gone_or_one_more(run: Copy) -> None:
    run.remove("points/main/categorize/output/categories.json")
    run.write("points/main/categorize/output/more.json", b"{}")
    found = check(run, check_outputs)
    assert [(f.file.rsplit("/")[-1], f.found) for f in found.failures] == [
        ("categories.json", "no such file"), ("more.json", "one more"),
    ]  # fmt: skip


def test_fileset_with_another_weight(run: Copy) -> None:
    name = next((run.path / "fileset").glob("????????????????.json")).name
    fileset = f"fileset/{name}"

    def heavier(content: Any) -> None:
        content["samples"]["343981"]["sum_of_weights"] *= 1.01

    run.edit(fileset, heavier)
    found = check(run, check_outputs)
    assert all("inputs_sha256" in f.expected for f in found.failures)
    assert {f.file for f in found.failures} >= {f"{CONVERT}/record.json"}
    results = check_results(RunFolder.open(run.path)).group
    assert "provenance.fileset_sha256" in results.failures[0].expected


# -- solutions


def test_edited_solution_of_a_stage(run: Copy) -> None:
    name = "points/main/categorize/solution.py"
    run.write(name, (run.path / name).read_bytes() + b"# and more\n")
    found = check(run, check_solutions)
    assert {f.file for f in found.failures} == {name}
    assert "changed after it was frozen" in found.failures[0].remedy
    assert found.failures[0].found == sha256_file(run.path / name)


def test_edited_frozen_solution(run: Copy) -> None:
    digest = sha256_file(run.path / CONVERT / "solution.py")
    run.write(f"solutions/{digest}.py", b"def convert(events):\n    return {}\n")
    found = check(run, check_solutions)
    assert of_file(found, f"solutions/{digest}.py")[0].expected == (
        f"a module with the hash of its name, {digest}"
    )


def test_solution_exchanged_everywhere_but_in_the_dialogue(run: Copy) -> None:
    """Solution, frozen copy, record and attempts agree, but nobody accepted this module."""
    name = f"{CONVERT}/solution.py"
    run.write(name, (run.path / name).read_bytes() + b"# and more\n")
    digest = sha256_file(run.path / name)
    shutil.copy(run.path / name, run.path / "solutions" / f"{digest}.py")
    run.edit(f"{CONVERT}/record.json", lambda c: c.update(solution_sha256=digest))
    run.edit(f"{CONVERT}/attempts.json", lambda c: c.update(code_sha256=digest))
    failure = only(check(run, check_solutions), f"{CONVERT}/attempts.json")
    assert failure.expected.startswith(f"the last module that {SPOKEN} accepted")
    assert failure.found == digest


# -- trajectories


def lines(run: Copy) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run.path / SPOKEN).read_text().splitlines()]


def write_lines(run: Copy, entries: list[dict[str, Any]]) -> None:
    """Into the trajectory and into what it was copied from, so that the two agree."""
    text = "".join(json.dumps(entry, sort_keys=True) + "\n" for entry in entries)
    for name in (SPOKEN, "dialogues/points/main/convert.jsonl"):
        run.write(name, text.encode())


def test_trajectory_differs_from_what_grew(run: Copy) -> None:
    run.replace(SPOKEN, "photon", "foton")
    found = check(run, check_trajectories)
    assert {failure.file for failure in found.failures} == {SPOKEN}
    said = [failure.expected for failure in found.failures]
    assert said[0] == "the steps that the loop takes"
    assert said[1].startswith("the bytes of dialogues/points/main/convert.jsonl, ")


def test_dialogue_that_was_changed_after_it_was_copied(run: Copy) -> None:
    """The trajectory still plays: it is the other one that was changed."""
    run.replace("dialogues/points/main/convert.jsonl", "photon", "foton")
    failure = only(check(run, check_trajectories), "dialogues/points/main/convert.jsonl")
    assert failure.expected.startswith(f"the bytes of {SPOKEN}, ")


def test_changed_message_of_a_request(run: Copy) -> None:
    entries = lines(run)
    number = [n for n, e in enumerate(entries) if e["kind"] == "request"][-1]
    entries[number]["messages"][-1]["content"] += " You may look at the reference."
    write_lines(run, entries)
    failure = only(check(run, check_trajectories), SPOKEN)
    assert failure.expected == "the steps that the loop takes"
    assert "expected the step 'request' as recorded" in failure.found


def test_changed_reply_of_the_coder(run: Copy) -> None:
    entries = lines(run)
    replies = [e for e in entries if e["kind"] == "reply" and "```python" in e["text"]]
    replies[-1]["text"] = replies[-1]["text"].replace("import numpy as np", "import numpy")
    write_lines(run, entries)
    found = check(run, check_trajectories)
    assert any("the module that the coder replied in round" in f.expected for f in found.failures)
    assert {f.file for f in found.failures} == {SPOKEN}


def test_changed_evidence(run: Copy) -> None:
    entries = lines(run)
    evidence = next(e for e in entries if e["kind"] == "evidence" and not e["ok"])
    evidence["message"] = "all is well"
    write_lines(run, entries)
    assert only(check(run, check_trajectories), SPOKEN).expected == "the steps that the loop takes"


def test_line_left_out(run: Copy) -> None:
    entries = lines(run)
    del entries[next(n for n, e in enumerate(entries) if e["kind"] == "reply")]
    write_lines(run, entries)
    found = check(run, check_trajectories)
    assert {f.file for f in found.failures} == {SPOKEN, f"{CONVERT}/attempts.json"}


def test_line_that_is_none(run: Copy) -> None:
    write_lines(run, lines(run))
    text = (run.path / SPOKEN).read_bytes()
    run.write(SPOKEN, text[:-400] + b"\n")
    assert any(
        "a step in every line" in f.expected for f in check(run, check_trajectories).failures
    )


@pytest.mark.parametrize(
    ("member", "change"),
    [
        ("tokens.prompt", lambda c: c["tokens"].update(prompt=7)),
        ("tokens.completion", lambda c: c["tokens"].update(completion=7)),
        ("api_calls", lambda c: c.update(api_calls=c["api_calls"] - 1)),
        ("rounds", lambda c: c.update(rounds=1)),
        ("wall_s", lambda c: c.update(wall_s=0.5)),
        ("status", lambda c: c.update(status="failed")),
    ],
)
def test_attempts_that_were_edited(run: Copy, member: str, change: Callable[[Any], None]) -> None:
    run.edit(f"{CONVERT}/attempts.json", change)
    found = check(run, check_trajectories)
    assert {f.file for f in found.failures} == {f"{CONVERT}/attempts.json"}
    assert any(f.expected.startswith(member) for f in found.failures), sentences(found)


# -- settings


def test_settings_changed(run: Copy) -> None:
    name = "points/main/settings.json"
    run.edit(name, lambda c: c.update(seed=43))
    found = check(run, check_settings)
    said = sentences(found)
    assert any("settings with the hash that sweep.json holds" in s for s in said)
    assert any("a file with the hash that results.json holds" in s for s in said)
    assert any(s.startswith("sweep.json: expected plan.main.reference") for s in said)


def test_settings_of_the_site_changed(run: Copy) -> None:
    """They decide no result; the file's own hash tells."""
    run.edit("points/main/settings.json", lambda c: c["site"].update(cores=64))
    failure = only(check(run, check_settings), "points/main/settings.json")
    assert failure.expected.startswith("a file with the hash that results.json holds")


def test_settings_of_the_reference_changed(run: Copy) -> None:
    name = next((run.path / "reference").glob("*/settings.json")).relative_to(run.path).as_posix()
    run.edit(name, lambda c: c["data"].update(mu=2.0))
    assert only(check(run, check_settings), name).expected.startswith("settings with the key")


def test_plan_changed(run: Copy) -> None:
    run.edit("sweep.json", lambda c: c["plan"]["main"].update(chain="isolated"))
    failure = only(check(run, check_settings), "sweep.json")
    assert (failure.expected, failure.found) == (
        "plan.main.chain as the settings mean it, chained", "isolated",
    )  # fmt: skip


def test_settings_that_can_be_written_are_noted(run: Copy) -> None:
    path = run.path / "points" / "main" / "settings.json"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    os.chmod(path, 0o644)
    found = check(run, check_settings)
    assert not found.failures
    assert any("can be written" in note for note in found.notes)


# -- chunks


def test_removed_chunk_of_the_ledger(run: Copy) -> None:
    name = f"{CONVERT}/output/ledger.json"
    gone: list[str] = []
    run.edit(name, lambda c: gone.append(c["chunks"].pop(3)["id"]))
    found = check(run, check_ledgers)
    assert any(f"chunk {gone[0]} of sample" in f.expected for f in of_file(found, name))
    assert check(run, check_outputs).failures[0].file == name


def test_removed_and_damaged_chunks_of_the_store(run: Copy) -> None:
    ledger = run.json(f"{CONVERT}/output/ledger.json")
    folder = f"chunks/{ledger['solution_sha256'][:16]}"
    by_chunk = {json.loads(p.read_text())["chunk"]: p for p in (run.path / folder).glob("*.json")}
    big = [c for c in ledger["chunks"] if c["rows"] > 10][:2]
    removed, damaged = (by_chunk[c["id"]].with_suffix(".parquet").name for c in big)
    run.remove(f"{folder}/{removed}")
    run.flip(f"{folder}/{damaged}")
    found = check(run, check_ledgers)
    assert [(f.file, f.found == "no such chunk") for f in found.failures] == [
        (folder, True), (folder, False),
    ]  # fmt: skip
    assert f"chunk {big[0]['id']} of sample {big[0]['sample']}" in found.failures[0].expected


def test_chunk_store_that_was_cleaned_is_no_tampering(run: Copy) -> None:
    shutil.rmtree(run.path / "chunks")
    found = check(run, check_ledgers)
    assert not found.failures
    assert any("is not there" in note for note in found.notes)


def test_cut_flow_that_is_not_the_sum_of_its_chunks(run: Copy) -> None:
    name = f"{CONVERT}/output/cutflow.json"

    def more(content: Any) -> None:
        content["data16_periodL"][2][1] += 1

    run.edit(name, more)
    assert only(check(run, check_ledgers), name).expected.startswith(
        "the sum of the chunks of data16_periodL"
    )


def test_record_of_synthetic_files(run: Copy) -> None:
    name = next((run.path / "fileset").glob("*.synthetic.json")).relative_to(run.path).as_posix()
    run.edit(name, lambda c: c[0].update(sum_of_weights=1.0))
    failure = only(check(run, check_ledgers), name)
    assert failure.expected.startswith(f"sum_of_weights of {run.json(name)[0]['uri']} as fileset/")
    run.edit(name, lambda c: c.pop(0))
    assert only(check(run, check_ledgers), name).expected.startswith("the file synthetic/")
    run.write(name, b"[3]")
    assert "the files that fileset/" in only(check(run, check_ledgers), name).expected


def test_fileset_that_leaves_entries_out(run: Copy) -> None:
    name = f"fileset/{next((run.path / 'fileset').glob('????????????????.json')).name}"
    run.edit(name, lambda c: c["chunks"].pop(0))
    assert "each entry of each file once" in of_file(check(run, check_ledgers), name)[0].expected


# -- verdicts


def judged(run: RunFolder) -> Group:
    return check_verdicts(run)


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("rung", lambda c: c.update(rung="physics")),
        ("outcome", lambda c: c.update(outcome="not_reached", rung=None)),
        ("outcome", lambda c: c["checks"][0].update(passed=False)),
    ],
)
def test_verdict_that_its_checks_do_not_come_to(
    run: Copy, place: str, change: Callable[[Any], None]
) -> None:
    name = f"{CONVERT}/verdict.json"
    run.edit(name, change)
    found = check(run, judged)
    assert any(f.expected.startswith(f"{place} as its checks") for f in of_file(found, name))


def test_verdict_of_another_stage(run: Copy) -> None:
    run.edit(f"{CONVERT}/verdict.json", lambda c: c.update(stage="inspect"))
    assert "the verdict on stage convert" in check(run, judged).failures[0].expected


def test_check_edited_in_a_verdict_is_found_by_judging_again(run: Copy) -> None:
    name = "points/main/inspect/verdict.json"

    def other(content: Any) -> None:
        content["checks"][0]["found"] = "something else"

    run.edit(name, other)
    assert not check(run, judged).failures
    for verdict in run.path.glob("points/main/*/verdict.json"):
        if verdict.parent.name != "inspect":
            verdict.unlink()  # judging all of them again takes a minute
    again = check_verdicts(RunFolder.open(run.path), again=True)
    failure = only(again, name)
    assert failure.expected.startswith("checks[0].found as judging again gives it")
    assert "1 verdicts were given again, by judging 1 different outputs" in again.notes


def keep_verdicts(run: Copy, stage: str) -> None:
    """Remove those of other stages: judging all of them again takes a minute."""
    for verdict in run.path.glob("points/*/*/verdict.json"):
        if verdict.parent.name != stage:
            verdict.unlink()


def test_points_with_the_same_outputs_are_judged_once(sweep: Copy) -> None:
    keep_verdicts(sweep, "categorize")
    sweep.edit(
        "points/second/categorize/verdict.json", lambda c: c["guard"][0].update(found="others")
    )
    again = check_verdicts(RunFolder.open(sweep.path), again=True)
    failure = only(again, "points/second/categorize/verdict.json")
    assert failure.expected.startswith("guard[0].found as judging again gives it")
    assert "2 verdicts were given again, by judging 1 different outputs" in again.notes


def test_judging_again_where_the_events_are_gone(run: Copy) -> None:
    """A run that was copied to another machine is not wrong because the events are not there."""
    keep_verdicts(run, "inspect")
    fileset = f"fileset/{next((run.path / 'fileset').glob('????????????????.json')).name}"

    def elsewhere(content: Any) -> None:
        for sample in content["samples"].values():
            for file in sample["files"]:
                file["path"] = f"/no/such/disk/{Path(file['path']).name}"

    run.edit(fileset, elsewhere)
    again = check_verdicts(RunFolder.open(run.path), again=True)
    assert not again.failures
    assert any("the events are not there, first /no/such/disk/" in note for note in again.notes)
    assert "0 verdicts were given again, by judging 0 different outputs; 1 could not be" in (
        again.notes
    )


def test_judging_again_what_is_damaged(run: Copy) -> None:
    keep_verdicts(run, "preprocess")
    run.write("points/main/preprocess/output/signal.parquet", b"PAR1")
    again = check_verdicts(RunFolder.open(run.path), again=True)
    failure = only(again, "points/main/preprocess/verdict.json")
    assert "restore the stage's files from a copy of the run" in failure.remedy


# -- provenance and results


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (
            "the versions of provenance.json: numpy",
            lambda c: c["provenance"]["versions"].update(numpy="1.0"),
        ),
        (
            "the hardware of provenance.json: cores",
            lambda c: c["provenance"]["hardware"].update(cores=64),
        ),
        ("the code", lambda c: c["provenance"].update(code_sha256="0" * 64)),
        ("of synthetic data", lambda c: c["provenance"].update(manifest_sha256="0" * 64)),
    ],
)
def test_provenance_that_contradicts_itself(
    run: Copy, place: str, change: Callable[[Any], None]
) -> None:
    run.edit(RESULTS, change)
    assert only(check(run, check_provenance), RESULTS).expected.startswith(place)


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("measurement.mu", lambda c: c["measurement"].update(mu=1.0)),
        ("samples.343981.selected", lambda c: c["samples"]["343981"].update(selected=3)),
        ("stages.convert.rung", lambda c: c["stages"]["convert"].update(rung="physics")),
        ("stages.convert.tokens.prompt",
         lambda c: c["stages"]["convert"]["tokens"].update(prompt=9)),
        ("stages.convert.wall_s", lambda c: c["stages"]["convert"].update(wall_s=1.0)),
        ("categories.combined", lambda c: c["categories"].update(combined=9.0)),
        ("provenance.solutions.convert",
         lambda c: c["provenance"]["solutions"].update(convert="0" * 64)),
    ],
)  # fmt: skip
def test_edited_number_of_the_results(run: Copy, place: str, change: Callable[[Any], None]) -> None:
    before = run.json(RESULTS)
    run.edit(RESULTS, change)
    assert run.json(RESULTS) != before
    failure = only(check_results(RunFolder.open(run.path)).group, RESULTS)
    assert failure.expected.startswith(f"{place} as ")


def test_results_of_another_form(run: Copy) -> None:
    run.edit(RESULTS, lambda c: c.pop("cutflow"))
    assert "the form of results.json" in only(
        check_results(RunFolder.open(run.path)).group, RESULTS
    ).expected  # fmt: skip


# -- the report


def report(run: Copy) -> Group:
    folder = RunFolder.open(run.path)
    return check_report(folder, check_results(folder).results)


def test_edited_files_of_the_report(run: Copy) -> None:
    """One drawing of the page finds them all, each with its place."""
    text = (run.path / "summary.csv").read_text().splitlines()
    cells = text[2].split(",")
    cells[4] = "physics"
    run.write("summary.csv", "\n".join([*text[:2], ",".join(cells), *text[3:], ""]).encode())
    run.edit("summary.json", lambda c: c["points"][0].update(selected=1))
    run.flip("figures/roc.png")
    rows = (run.path / "figures/data/cutflow.csv").read_text().splitlines()
    run.replace("figures/data/cutflow.csv", rows[3], rows[3] + "1")
    run.write("figures/more.png", b"")
    found = report(run)
    told = {f.file: f.expected for f in found.failures}
    assert told["summary.csv"] == "line 3, rung: exact"
    assert told["summary.json"].startswith("points[0].selected: ")
    assert told["figures/roc.png"] == "the drawing: the bytes drawn again"
    assert told["figures/data/cutflow.csv"].startswith("line 4, ")
    assert told["figures/more.png"] == "in figures only what the report makes"
    assert len(told) == 5
    assert "`ladon report` draws the report again" in found.failures[0].remedy


def test_edited_headline_of_the_page(run: Copy) -> None:
    mu = repr(run.json(RESULTS)["measurement"]["mu"])
    run.replace("report.html", f'data-value="{mu}"', 'data-value="1.0"')
    failure = only(report(run), "report.html")
    assert "<a data-value>" in failure.expected
    assert mu[:12] in failure.expected
    assert "1.0" in failure.found


def test_edited_cell_of_a_table_of_the_page(run: Copy) -> None:
    selected = run.json(RESULTS)["samples"]["343981"]["selected"]
    page = (run.path / "report.html").read_text(encoding="utf-8")
    link = re.search(rf'data-value="{selected}"[^>]*>([^<]+)</a>', page)
    assert link is not None
    edited = page[: link.start(1)] + "12 345" + page[link.end(1) :]
    run.write("report.html", edited.encode())
    failure = only(report(run), "report.html")
    assert "table-" in failure.expected
    assert " ".join(link.group(1).split()) in failure.expected
    assert failure.found == "'12 345'"


def test_edited_words_of_a_dialogue_of_the_page(run: Copy) -> None:
    run.replace("report.html", "read from files", "thought out")
    assert "thought out" in only(report(run), "report.html").found


def test_page_that_shows_what_the_edited_results_say(run: Copy, tmp_path: Path) -> None:
    """An edit that was carried into the page by drawing it again is found in both."""
    from pipeline.report import make_report

    run.edit(RESULTS, lambda c: c["measurement"].update(mu=1.0))
    for name in ("report.html", "summary.json", "summary.csv"):
        run.write(name, b"")
    shutil.copytree(run.path / "figures", tmp_path / "figures")
    shutil.rmtree(run.path / "figures")
    make_report(run.path)
    found = verify(run.path)
    assert {f.group for f in found.failures} == {"results", "report"}
    told = {f.file for f in found.failures}
    assert {RESULTS, "report.html", "summary.json"} <= told
