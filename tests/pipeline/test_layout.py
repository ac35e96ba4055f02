"""The edges of the graph: chained and isolated are the same rules with other inputs."""

import re
from pathlib import Path

from pipeline.configure import configure
from pipeline.files import read_json
from pipeline.freeze import freeze
from pipeline.stages.order import needed, reads


def test_chained_reads_its_own_outputs(tmp_path: Path) -> None:
    layout = freeze(configure(["run.name=x"]), tmp_path)
    assert layout.upstream("points/main", "preprocess") == {"convert": "points/main/convert"}
    assert layout.upstream_records("points/main", "measure") == [
        "points/main/preprocess/record.json",
        "points/main/classify/record.json",
        "points/main/categorize/record.json",
    ]


def test_isolated_reads_the_reference(tmp_path: Path) -> None:
    layout = freeze(configure(["run.name=x", "chain=isolated", "stages=[classify]"]), tmp_path)
    key = layout.points[0].reference
    assert layout.upstream("points/main", "classify") == {
        "preprocess": f"reference/{key}/preprocess"
    }
    assert layout.reference_stages(key) == ("inspect", "convert", "preprocess", "classify")
    assert layout.verdicts("main") == ["points/main/classify/verdict.json"]


def test_the_reference_always_reads_itself(tmp_path: Path) -> None:
    layout = freeze(configure(["run.name=x"]), tmp_path)
    owner = f"reference/{layout.points[0].reference}"
    assert layout.upstream(owner, "classify") == {"preprocess": f"{owner}/preprocess"}
    assert re.fullmatch(layout.adopting(), owner)  # nobody is asked for its solutions
    assert not re.fullmatch(layout.asking(), owner)


def test_a_model_is_asked_for_the_points_that_it_solves(tmp_path: Path) -> None:
    agent = freeze(configure(["run.name=x"]), tmp_path / "agent")
    assert re.fullmatch(agent.asking(), "points/main")
    assert not re.fullmatch(agent.adopting(), "points/main")
    ours = freeze(configure(["run.name=x", "solver=reference"]), tmp_path / "ours")
    assert re.fullmatch(ours.adopting(), "points/main")
    assert not re.match(ours.asking(), "points/main")


def test_only_convert_has_an_allocation(tmp_path: Path) -> None:
    here = freeze(configure(["run.name=x"]), tmp_path / "here")
    assert {here.start("convert"), here.start("execute")} == {"python"}
    there = freeze(configure(["run.name=x", "site=testbed"]), tmp_path / "there")
    assert there.start("convert").startswith("srun --ntasks=4 --cpus-per-task=1 --mem-per-cpu=1768")
    assert there.start("convert").endswith(" python")
    assert there.start("execute") == "python"


def test_convert_is_written_when_inspect_has_spoken(tmp_path: Path) -> None:
    chained = freeze(configure(["run.name=x"]), tmp_path / "chained")
    assert chained.solve_inputs("points/main", "convert") == ["points/main/inspect/record.json"]
    alone = freeze(
        configure(["run.name=x", "chain=isolated", "stages=[convert]"]), tmp_path / "alone"
    )
    key = alone.points[0].reference
    assert alone.solve_inputs("points/main", "convert") == [f"reference/{key}/inspect/record.json"]


def test_a_channel_without_classifier() -> None:
    stages = ("inspect", "convert", "preprocess", "measure")
    assert reads("measure", stages) == ("preprocess",)
    assert needed(["convert"], stages) == ("inspect", "convert")


def test_expected_files_are_listed_once(tmp_path: Path) -> None:
    layout = freeze(configure(["run.name=x"]), tmp_path)
    expected = layout.expected()
    assert len(expected) == len(set(expected))
    assert expected[-1] == "report.html"


def test_a_skim_is_converted_once_as_the_references_and_read_by_the_points(tmp_path: Path) -> None:
    layout = freeze(configure(["run.name=x", "data.skim=kept"]), tmp_path)
    key = layout.points[0].reference
    assert layout.upstream("points/main", "preprocess") == {"convert": f"reference/{key}/convert"}
    assert layout.upstream("points/main", "classify") == {"preprocess": "points/main/preprocess"}
    assert layout.synthetic_records(layout.points[0].fileset) == []
    assert "inspect" not in layout.reference_stages(key)
    assert "points/main/convert/record.json" not in layout.expected()


def test_parts_are_made_once_for_the_reference_and_gathered(tmp_path: Path) -> None:
    three = ["run.name=x", "site.budget.convert_jobs=3"]
    layout = freeze(configure([*three, "solver=reference"]), tmp_path / "ours")
    key = layout.points[0].reference
    records = [f"reference/{key}/convert/parts/{n}.json" for n in range(3)]
    assert layout.part_records(f"reference/{key}") == records
    assert layout.part_records("points/main") == records  # the same solution: taken over
    assert layout.part_options(layout.points[0].fileset) == "--parts 3"
    assert re.fullmatch(layout.in_parts(), "points/main")
    assert not re.fullmatch(layout.whole(), "points/main")
    assert re.fullmatch(layout.cut(), layout.points[0].fileset)
    agent = freeze(configure(three), tmp_path / "agent")
    assert agent.part_records("points/main")[2] == "points/main/convert/parts/2.json"


def test_one_job_is_as_it_always_was(tmp_path: Path) -> None:
    layout = freeze(configure(["run.name=x"]), tmp_path)
    assert not {"parts", "later"} & {*read_json(tmp_path / "sweep.json")["plan"]["main"]}
    assert re.fullmatch(layout.whole(), "points/main")
    assert not re.fullmatch(layout.in_parts(), "points/main")
    assert not re.fullmatch(layout.cut(), layout.points[0].fileset)


def test_real_files_are_counted_by_the_jobs(tmp_path: Path) -> None:
    settings = ["run.name=x", "data=opendata_2025", f"data.location={tmp_path}"]
    cut = freeze(configure([*settings, "site.budget.convert_jobs=4"]), tmp_path / "a").points[0]
    assert (cut.parts, cut.later) == (4, True)
    streamed = [*settings[:2], "data.location=https://a.b", "data.access=stream"]
    away = freeze(configure([*streamed, "site.budget.convert_jobs=4"]), tmp_path / "c").points[0]
    assert (away.parts, away.later) == (4, True)
    whole = freeze(configure(settings), tmp_path / "b").points[0]
    assert (whole.parts, whole.later) == (1, False)  # half a minute of work


def test_a_run_keeps_its_parts(tmp_path: Path) -> None:
    freeze(configure(["run.name=x", "site.budget.convert_jobs=3"]), tmp_path)
    again = freeze(configure(["run.name=x", "site.budget.convert_jobs=7"]), tmp_path)
    assert again.points[0].parts == 3
