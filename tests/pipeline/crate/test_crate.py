"""What a crate says and holds: steps, models, data, hashes; and what it does not."""

from __future__ import annotations

import getpass
import hashlib
import json
import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rocrate.rocrate import ROCrate

from pipeline.cli import main
from pipeline.crate import ExportError, export_run
from pipeline.crate.inputs import CC0, add_source, settings_text
from pipeline.crate.places import Places
from pipeline.crate.software import add_model
from pipeline.crate.verb import Wanted
from pipeline.files import read_json
from pipeline.settings import Settings, load
from pipeline.sweep_page.pieces import Pieces
from pipeline.verify.page_data import unpacked
from tests.pipeline.verify.copies import Copy

pytestmark = pytest.mark.timeout(1800)  # the first one waits for the run of all

Graph = dict[str, dict[str, Any]]
STAGES = ("inspect", "convert", "preprocess", "classify", "categorize", "measure")


@pytest.fixture
def settings(finished: Path) -> Settings:
    return load(finished / "points" / "main" / "settings.json")


def ids(value: Any) -> list[str]:
    return [one["@id"] for one in (value if isinstance(value, list) else [value])]


def test_every_file_has_its_hash_and_size(crate: Path, graph: Graph) -> None:
    files = [e for e in graph.values() if "File" in e["@type"] and "sha256" in e]
    assert len(files) > 80
    for entity in files:
        content = (crate / entity["@id"]).read_bytes()
        assert entity["sha256"] == hashlib.sha256(content).hexdigest()
        assert entity["contentSize"] == str(len(content))


def test_run_is_an_action_of_the_workflow(graph: Graph) -> None:
    run = graph["#run"]
    assert ids(run["instrument"]) == ["workflow/Snakefile", "#model-scripted-solves"]
    assert "points/main/settings.json" in ids(run["object"])
    assert {"report.html", "points/main/results.json", "points/main/measure/verdict.json"} <= set(
        ids(run["result"])
    )
    assert run["startTime"] < run["endTime"]
    assert "agent" not in run


def test_each_step_is_an_action_with_what_it_read_and_made(graph: Graph) -> None:
    actions = {e["name"]: e for e in graph.values() if e["@type"] == "CreateAction"}
    for stage in STAGES:
        solve = actions[f"solve: points/main/{stage}"]
        assert ids(solve["instrument"]) == ["#rule-solve", "#model-scripted-solves"]
        assert f"points/main/{stage}/trajectory.jsonl" in ids(solve["result"])
        judged = actions[f"judge: points/main/{stage}"]
        assert ids(judged["result"]) == [f"points/main/{stage}/verdict.json"]
    ran = actions["convert: points/main/convert"]
    assert "points/main/convert/output/343981.parquet" in ids(ran["result"])
    assert any(graph[i]["propertyID"] == "wall_s" for i in ids(ran["resourceUsage"]))
    controlled = ids(graph["#organize"]["object"])
    assert len(controlled) == len(actions) - 1  # all but the run itself


def test_scripted_replies_are_never_called_a_model(graph: Graph) -> None:
    writer = graph["#model-scripted-solves"]
    assert writer["description"].startswith("Scripted replies: no language model.")
    assert "applicationCategory" not in writer
    assert "Scripted replies: no language model." in graph["./"]["description"]


def test_synthetic_data_are_labelled_and_have_no_atlas_licence(graph: Graph) -> None:
    assert "synthetic data" in graph["./"]["keywords"]
    assert "not ATLAS data" in graph["./"]["description"]
    fileset = next(e for name, e in graph.items() if name.startswith("fileset/"))
    assert "not ATLAS data" in fileset["description"]
    assert ids(fileset["isBasedOn"]) == ["#synthetic-2025e-13tev-beta"]
    assert CC0 not in graph


def test_real_data_are_cc0(settings: Settings) -> None:
    real = replace(settings, data=replace(settings.data, synthetic=False))
    source = add_source(ROCrate(version="1.1"), real)
    assert source["license"].id == CC0
    assert source["name"] == "ATLAS Open Data, release 2025e-13tev-beta"


def test_language_model_has_repository_revision_and_licence(
    settings: Settings, tmp_path: Path
) -> None:
    model = replace(
        settings.model, name="qwen", provider="endpoint", repository="Qwen/Qwen3", revision="b2cf",
        licence="apache-2.0",
    )  # fmt: skip
    entity = add_model(ROCrate(), tmp_path, replace(settings, model=model))
    assert entity is not None
    told = {k: entity[k] for k in ("name", "identifier", "softwareVersion", "license")}
    assert told == {"name": "Qwen/Qwen3", "identifier": "Qwen/Qwen3", "softwareVersion": "b2cf",
                    "license": "apache-2.0"}  # fmt: skip
    ours = replace(settings, solver=replace(settings.solver, name="reference"))
    assert add_model(ROCrate(), tmp_path, ours) is None
    (tmp_path / "trajectory.jsonl").touch()  # nobody was asked: a stage before had no output
    assert add_model(ROCrate(), tmp_path, replace(settings, model=model)) is None


def test_each_stage_names_who_wrote_it(finished: Path, tmp_path: Path) -> None:
    """A scripted model with a skill is another one in each stage, and its recording says which."""
    run = Copy.of(finished, tmp_path / "small")
    run.replace("points/main/convert/trajectory.jsonl", '"scripted:solves"', '"scripted:corrects"')
    run.replace("points/main/convert/trajectory.jsonl", '"scripted:solves"', '"scripted:corrects"')
    made = export_run(run.path, tmp_path / "crate", outputs=False)
    content = json.loads((made.path / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    actions = {e["name"]: e for e in content["@graph"] if e["@type"] == "CreateAction"}
    wrote = {stage: ids(actions[f"solve: points/main/{stage}"]["instrument"])[1]
             for stage in STAGES}  # fmt: skip
    assert wrote == dict.fromkeys(STAGES, "#model-scripted-solves") | {
        "convert": "#model-scripted-corrects"
    }
    assert set(wrote.values()) < set(ids(actions["Run small"]["instrument"]))


def test_settings_are_those_that_decide_and_have_their_hash(
    crate: Path, graph: Graph, settings: Settings
) -> None:
    text = (crate / "points/main/settings.json").read_text(encoding="utf-8")
    assert text == settings_text(settings)
    told = read_json(crate / "points/main/results.json")["provenance"]["settings_sha256"]
    assert graph["points/main/settings.json"]["sha256"] == told
    assert not {"site", "run"} & set(json.loads(text))


def test_no_place_host_or_user_of_this_machine(crate: Path, finished: Path) -> None:
    words = [str(finished.parent), str(finished.parents[1]), f"/{getpass.getuser()}/",
             str(Path(__file__).parents[3])]  # fmt: skip
    if "." in socket.gethostname() or len(socket.gethostname()) > 8:
        words.append(socket.gethostname())
    for path in crate.rglob("*"):
        if path.suffix in (".json", ".jsonl", ".html", ".py", ".csv", ".md", ".smk"):
            text = path.read_text(encoding="utf-8")
            assert [word for word in words if word in text] == [], path
            assert not re.search(r'"/(home|Users|tmp|root|work|scratch)/', text), path


def test_places_are_replaced_by_words(settings: Settings, tmp_path: Path) -> None:
    model = replace(settings.model, base_url="http://gpu17:8000/v1", api_key_file="/keys/of/mine")
    given = replace(settings, model=model, data=replace(settings.data, location="/big/disk/atlas"))
    fileset = {
        "location": "/big/disk/atlas",
        "samples": {"1": {"files": [{"path": "/other/disk/one/a.root"}]}},
    }
    places = Places.of(tmp_path / "outputs" / "run", [given], [fileset])
    told = {
        f"{tmp_path}/outputs/run/points": "<run>/points",
        f"{tmp_path}/outputs/synthetic/a.root": "<outputs>/synthetic/a.root",
        "/big/disk/atlas/x.root": "<data>/x.root",
        "/other/disk/one/a.root": "<data>/a.root",
        "http://gpu17:8000/v1": "<endpoint>",
        "/keys/of/mine": "<key>",
        '"endpoint": "http://node3.cluster:20001/v1"': '"endpoint": "<endpoint>"',
        'File \\"/some/where/else/module.py\\", line 3': 'File \\"module.py\\", line 3',
    }
    assert {text: places.without(text) for text in told} == told


def test_places_are_taken_out_of_the_packed_data_of_a_page(
    settings: Settings, tmp_path: Path
) -> None:
    pieces = Pieces()
    pieces.add({"said": f"no such file: {tmp_path}/outputs/run/x.root"}, "convert")
    pieces.add({"said": "3.5 GeV"}, "convert")
    (chunk,) = pieces.chunks()
    page = f'<p>{tmp_path}</p><script type="text/plain" id="chunk-0">{chunk}</script><b>no</b>'
    cleaned = Places.of(tmp_path / "outputs" / "run", [settings], []).without(page)
    inside = cleaned.partition('"chunk-0">')[2].partition("</script>")[0]
    assert unpacked(inside) == [{"said": "no such file: <run>/x.root"}, {"said": "3.5 GeV"}]
    assert cleaned.endswith("</script><b>no</b>")
    untouched = f'<script type="text/plain" id="chunk-0">{pieces.chunks()[0]}</script>'
    elsewhere = Places.of(tmp_path / "another" / "run", [settings], [])
    assert elsewhere.without(untouched) == untouched


def test_blinded_rows_stay_in_a_run_that_did_not_open_them(finished: Path, tmp_path: Path) -> None:
    whole = export_run(finished, tmp_path / "whole").path
    assert (whole / "points/main/classify/sealed/data.parquet").is_file()
    run = Copy.of(finished, tmp_path / "small")

    def unmeasured(results: Any) -> None:
        results["measurement"] = None
        results["measurement_reason"] = "the stage measure failed"

    run.edit("points/main/results.json", unmeasured)
    closed = export_run(run.path, tmp_path / "closed").path
    assert not list(closed.rglob("sealed"))
    assert (closed / "points/main/classify/output/data.parquet").is_file()


def test_without_outputs_is_small_and_says_so(finished: Path, tmp_path: Path) -> None:
    made = export_run(finished, tmp_path / "small", outputs=False)
    assert not list(made.path.rglob("*.parquet"))
    content = json.loads((made.path / "ro-crate-metadata.json").read_text())
    root = next(e for e in content["@graph"] if e["@id"] == "./")
    assert "The tables that solutions made are not in it" in root["description"]
    assert ROCrate(made.path).mainEntity.id == "workflow/Snakefile"


def test_same_run_gives_the_same_metadata(finished: Path, crate: Path, tmp_path: Path) -> None:
    again = export_run(finished, tmp_path / "again").path
    name = "ro-crate-metadata.json"
    assert (again / name).read_bytes() == (crate / name).read_bytes()


def test_export_leaves_the_run_and_its_neighbours_alone(finished: Path, tmp_path: Path) -> None:
    before = sorted((p, p.stat().st_mtime_ns) for p in finished.rglob("*"))
    export_run(finished, tmp_path / "a" / "crate.zip", outputs=False)
    assert sorted((p, p.stat().st_mtime_ns) for p in finished.rglob("*")) == before
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["crate.zip"]


def test_command_line(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "crate"
    given = ["export", str(finished), "--output", str(target), "--author", "Ada Lovelace",
             "--licence", "CC0-1.0", "--without-outputs"]  # fmt: skip
    assert main(given) == 0
    assert re.search(r"crate: \d+ files, [\d.]+ MB", capsys.readouterr().out)
    content = json.loads((target / "ro-crate-metadata.json").read_text())
    graph = {e["@id"]: e for e in content["@graph"]}
    assert graph["#author"]["name"] == "Ada Lovelace"
    assert graph["#run"]["agent"] == {"@id": "#author"}
    assert graph["./"]["license"] == {"@id": "https://spdx.org/licenses/CC0-1.0"}
    assert main(given) == 2
    assert "expected nothing at" in capsys.readouterr().err


def test_options_need_their_values() -> None:
    with pytest.raises(ExportError, match="expected a value after --output, found none"):
        Wanted.read(["run", "--output"])
    with pytest.raises(ExportError, match="found --author"):
        Wanted.read(["--output", "--author", "x"])
    wanted, rest = Wanted.read(["name", "--licence", "MIT", "run.outputs=here"])
    assert (wanted, rest) == (Wanted(licence="MIT"), ["name", "run.outputs=here"])


def test_run_that_is_not_finished(finished: Path, tmp_path: Path) -> None:
    run = Copy.of(finished, tmp_path / "small")
    run.remove("report.html")
    with pytest.raises(ExportError, match=r"expected a finished run .* first report\.html"):
        export_run(run.path, tmp_path / "crate")
