"""Agents write the stages: the scripted model on the real graph, in the real sandbox."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from agents.trajectory import content_sha256
from pipeline.files import read_json
from pipeline.report.results import validate_results
from tests.command import SMALL_DATA, Ladon
from tests.integration.test_main_measurement import tables

STAGES = ["inspect", "convert", "preprocess", "classify", "categorize", "measure"]
TWICE = ("convert", "categorize")
"""Stages in which the script needs a second round."""


def stages_of(ladon: Ladon, run: str) -> dict[str, Any]:
    found: dict[str, Any] = ladon.results(run)["stages"]
    return found


def test_every_stage_passes_two_of_them_in_the_second_round(scripted_run: Ladon) -> None:
    results = scripted_run.results("small")
    validate_results(results)
    assert {name: s["outcome"] for name, s in results["stages"].items()} == dict.fromkeys(
        STAGES, "passed"
    )
    assert {n: (s["rounds"], s["api_calls"]) for n, s in results["stages"].items()} == {
        name: (2, 5) if name in TWICE else (1, 3) for name in STAGES
    }
    assert results["model"]["provider"] == "scripted"
    assert results["provenance"]["solutions"].keys() == set(STAGES)
    assert None not in results["provenance"]["solutions"].values()


def test_mu_is_that_of_the_reference(scripted_run: Ladon) -> None:
    run = scripted_run.folder / "outputs" / "small"
    (expected,) = run.glob("reference/*/measure/sealed/measurement.json")
    mu, found = read_json(expected)["mu"], scripted_run.results("small")["measurement"]["mu"]
    assert found == pytest.approx(mu, rel=1e-9)


def test_the_code_ran_in_a_sandbox_that_the_run_names(scripted_run: Ladon) -> None:
    made = read_json(scripted_run.folder / "outputs/small/provenance.json")
    assert made["sandbox"]["name"] in ("bubblewrap", "apptainer", "plain")
    assert made["sandbox"]["layers"]["environment"] is True


def test_no_prompt_holds_a_path_or_a_blinded_mass(scripted_run: Ladon) -> None:
    run = scripted_run.folder / "outputs" / "small"
    asked = 0
    for path in run.glob("points/main/*/trajectory.jsonl"):
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            if entry["kind"] != "request":
                continue
            asked += 1
            text = "\n".join(m["content"] for m in entry["messages"])
            for secret in (str(run), "reference.py", "outputs/", "/tmp/"):
                assert secret not in text
    assert asked == 4 * 3 + 2 * 5


def test_a_replay_asks_nobody_and_gives_the_same_files(scripted_run: Ladon) -> None:
    text = scripted_run("replay", "outputs/small")
    assert "different: none" in text
    replayed = scripted_run.folder / "outputs" / "small-replay"
    assert read_json(replayed / "replay.json")["schema"] == 1


def test_a_recording_is_a_model_too(scripted_run: Ladon) -> None:
    scripted_run(
        "run", "run.name=recorded", "model=replay", "model.recorded=outputs/small",
        "stages=[inspect]", *SMALL_DATA,
    )  # fmt: skip
    found = stages_of(scripted_run, "recorded")["inspect"]
    assert (found["outcome"], found["api_calls"]) == ("passed", 3)


def test_a_finished_run_needs_no_explanation(scripted_run: Ladon) -> None:
    assert "all 6 stages passed" in scripted_run("explain", "outputs/small")


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [12.0, 30.0, 50.0])
def test_killed_at_any_moment_nothing_answered_is_asked_again(
    scripted_run: Ladon, ladon: Ladon, seconds: float
) -> None:
    ladon.killed_after(seconds, "run", "run.name=small", *SMALL_DATA)
    run = ladon.folder / "outputs" / "small"
    answered = {p: replies(p) for p in run.glob("dialogues/points/main/*.jsonl")}
    ladon("run", "run.name=small", *SMALL_DATA)
    for path, before in answered.items():
        assert replies(path)[: len(before)] == before
    whole = scripted_run.folder / "outputs" / "small"
    for stage in STAGES:
        name = f"points/main/{stage}/trajectory.jsonl"
        assert content_sha256(run / name) == content_sha256(whole / name)
    assert tables(run) == tables(whole)


def replies(path: Path) -> list[str]:
    """The recorded lines of a dialogue that hold a reply, with their circumstances."""
    return [line for line in path.read_text().splitlines() if '"kind": "reply"' in line]


def test_what_the_model_cannot_do_is_a_result(ladon: Ladon) -> None:
    stages = "stages=[inspect,convert,preprocess]"
    ladon("run", "run.name=wrong", "model.script=wrong_branch", stages, *SMALL_DATA)
    found = stages_of(ladon, "wrong")
    assert found["inspect"]["outcome"] == "passed"
    assert found["convert"]["outcome"] == "failed"
    assert found["convert"]["failure"]["category"] == "no progress"
    assert found["convert"]["failure"]["attribution"] == "model"
    assert found["preprocess"]["outcome"] == "not_reached"
    assert found["preprocess"]["api_calls"] == 0
    run = ladon.folder / "outputs" / "wrong"
    assert "no progress" in (run / "report.html").read_text()
    text = ladon("explain", "outputs/wrong")
    assert "no progress" in text
    assert "incorrect branch name" in text
    assert "points/main/convert" in text


def test_isolated_stages_are_measured_though_one_fails(ladon: Ladon) -> None:
    ladon(
        "run", "run.name=apart", "model.script=wrong_branch", "chain=isolated",
        "stages=[convert,preprocess]", *SMALL_DATA,
    )  # fmt: skip
    found = stages_of(ladon, "apart")
    assert found["convert"]["outcome"] == "failed"
    assert found["preprocess"]["outcome"] == "passed"


def test_an_endpoint_that_is_not_there_is_not_the_models_fault(ladon: Ladon) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    child = ladon.start(
        "run", "run.name=deaf", "model=endpoint", "model.repository=owner/name",
        f"model.base_url=http://127.0.0.1:{port}/v1", "model.max_retries=0",
        "stages=[inspect]", *SMALL_DATA,
    )  # fmt: skip
    text, _ = child.communicate()
    assert child.returncode == 1
    assert "Traceback" not in text
    (told,) = (ladon.folder / "outputs/deaf/logs/errors").glob("solve-*.json")
    assert read_json(told)["attribution"] == "endpoint"
    assert f"127.0.0.1:{port}" in text
    assert "counts against the endpoint, not the model" in text
    assert "endpoint" in ladon("explain", "outputs/deaf")


def test_four_leptons_of_real_files(ladon: Ladon, samples: Path) -> None:
    ladon(
        "run", "run.name=real", "channel=hzz4l", "data=opendata_2020", "model=scripted",
        "solver=agent", f"data.location='{samples / '2020e-13tev'}'", "data.verify=none",
        "data.partial=true",
    )  # fmt: skip
    results = ladon.results("real")
    found = {n: s["selected"] for n, s in results["samples"].items() if n.startswith("data")}
    assert found == {"data_A": 27, "data_B": 86, "data_C": 146}
    outcomes = {name: s["outcome"] for name, s in results["stages"].items()}
    assert outcomes["inspect"] == outcomes["convert"] == outcomes["preprocess"] == "passed"
    assert results["measurement"] is None
