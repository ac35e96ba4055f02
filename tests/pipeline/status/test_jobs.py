"""The jobs of a run among all jobs of the user, and how often SLURM is asked."""

from pathlib import Path

import pytest

from executors.slurm.jobs import memory_used, own_jobs, parsed, prefix_of, tag_of
from pipeline.status.flight import Flight, comments_of
from pipeline.status.jobs import ASK_S, MEMORY_S, PAUSE_S, Asked, made, outputs_of, queue_of

SQUEUE = """\
4|RUNNING|cpu1|1:05|2000M|cpu1|cpu|1:00:00|{ours}_aa|rule_convert_wildcards_points_a_b
5|PENDING||0:00|600M|(Resources)|cpu|30:00|{ours}_aa|rule_judge_wildcards_main_inspect
6|RUNNING|gpu1|9:00|5G|gpu1|gpu|4:00:00|ladon-shown-serve-x|(null)
7|RUNNING|cpu2|2:00|1G|cpu2|cpu|1:00:00|{ours}_dask|(null)
8|RUNNING|cpu2|3:00|1G|cpu2|cpu|1:00:00|ladon|(null)
9|RUNNING|cpu2|3:00|1G|cpu2|cpu|1:00:00|ladon-0123abcd-shown_aa|rule_convert
"""


class Clock:
    """A clock that is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins of squeue and sstat on PATH that say what files in the folder hold."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("squeue", "sstat"):
        (folder / name).write_text(
            f'#!/bin/sh\necho asked >> "{folder}/{name}.asked"\n'
            f'[ -e "{folder}/{name}.fails" ] && {{ cat "{folder}/{name}.fails" >&2; exit 1; }}\n'
            f'cat "{folder}/{name}.says"\n'
        )
        (folder / name).chmod(0o755)
        (folder / f"{name}.says").write_text("")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def times_asked(commands: Path, name: str) -> int:
    path = commands / f"{name}.asked"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_only_the_jobs_of_the_run_are_its_jobs(commands: Path, tmp_path: Path) -> None:
    run = tmp_path / "shown"
    (commands / "squeue.says").write_text(SQUEUE.format(ours=prefix_of(run)))
    (commands / "sstat.says").write_text("4.batch|250M\n4.0|1.5G\n7.0|\n")
    asked = Asked(Clock())
    asked.look()
    others = {"6": "server x-001", "8": "controller"}
    under_way = {
        "points/a_b/convert/record.json": Flight(990.0, None),  # its job has begun
        "points/main/measure/solution.py": Flight(990.0, "7"),
    }
    outputs = outputs_of(asked, tag_of(run), under_way)
    queue = queue_of(asked, tag_of(run), others, outputs)
    assert queue.problem is None
    assert queue.asked == 1000.0
    assert [(j.id, j.what, j.output) for j in queue.jobs] == [
        ("4", "a_b: execute convert", "points/a_b/convert/record.json"),
        ("5", "judge main_inspect", None),
        ("6", "server x-001", None),
        ("7", "main: solve measure", "points/main/measure/solution.py"),
        ("8", "controller", None),
    ]
    assert [j.what for j in queue_of(asked, tag_of(run), {}, {}).jobs][-1] == "dask"
    convert, judge = queue.jobs[:2]
    assert (convert.state, convert.partition, convert.node) == ("RUNNING", "cpu", "cpu1")
    assert (convert.elapsed, convert.limit, convert.memory) == ("1:05", "1:00:00", "2000M")
    assert (convert.memory_used_mb, convert.reason) == (1536.0, "")
    assert (judge.state, judge.node, judge.reason) == ("PENDING", "", "Resources")


def test_slurm_is_asked_with_restraint(commands: Path) -> None:
    (commands / "squeue.says").write_text(SQUEUE.format(ours="ladon-aaaaaaaa"))
    clock = Clock()
    asked = Asked(clock)
    for _ in range(10):
        asked.look()
        queue_of(asked, "ladon-aaaaaaaa", {}, {})
    assert (times_asked(commands, "squeue"), times_asked(commands, "sstat")) == (1, 1)
    clock.now += ASK_S
    asked.look()
    queue_of(asked, "ladon-aaaaaaaa", {}, {})
    assert (times_asked(commands, "squeue"), times_asked(commands, "sstat")) == (2, 1)
    clock.now += MEMORY_S
    queue_of(asked, "ladon-aaaaaaaa", {}, {})
    assert times_asked(commands, "sstat") == 2


def test_a_slurm_that_does_not_answer_is_told_and_left_alone(commands: Path) -> None:
    (commands / "squeue.says").write_text(SQUEUE.format(ours="ladon-aaaaaaaa"))
    clock = Clock()
    asked = Asked(clock)
    asked.look()
    (commands / "squeue.fails").write_text("slurm_load_jobs error: Unable to contact slurm\n")
    clock.now += ASK_S
    for _ in range(3):
        asked.look()
    queue = queue_of(asked, "ladon-aaaaaaaa", {}, {})
    assert "found: slurm_load_jobs error: Unable to contact slurm;" in (queue.problem or "")
    assert [job.id for job in queue.jobs] == ["4", "5", "7"]  # as they were
    assert queue.asked == 1000.0
    assert asked.states is None
    assert times_asked(commands, "squeue") == 2
    (commands / "squeue.fails").unlink()
    clock.now += PAUSE_S
    asked.look()
    assert asked.problem is None
    assert (asked.states or {})["4"] == "RUNNING"


def test_memory_is_what_sstat_knows(commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (commands / "sstat.says").write_text("1.batch|44236K\n1.0|2G\n2.batch|1048576\nnonsense\n")
    assert memory_used(["1", "2"]) == {"1": 2048.0, "2": 1.0}
    assert memory_used([]) == {}
    (commands / "sstat.fails").write_text("sstat: error: no accounting\n")
    (commands / "sstat.says").write_text("")
    assert memory_used(["1"]) == {}
    monkeypatch.setenv("PATH", str(commands / "nowhere"))
    assert memory_used(["1"]) == {}


def test_the_plugin_comments_and_our_words_for_each_output() -> None:
    """The comments as snakemake-executor-plugin-slurm 2.8.0 wrote them on the testbed."""
    owner, key = "reference/400f4f79a35c100c", "d39a86844e0fe49c"
    told = {
        "points/main/convert/solution.py": "rule_solve_wildcards_points_main_convert",
        f"{owner}/measure/record.json": "rule_execute_wildcards_reference_400f4f79a35c100c_measure",
        f"{owner}/convert/record.json": "rule_convert_wildcards_reference_400f4f79a35c100c",
        "points/main/inspect/verdict.json": "rule_judge_wildcards_main_inspect",
        "points/main/results.json": "rule_collect_wildcards_main",
        f"fileset/{key}.json": f"rule_fileset_wildcards_{key}",
        f"fileset/{key}.synthetic.json": f"rule_synthesize_wildcards_{key}",
        "report.html": "rule_report",
    }
    for output, comment in told.items():
        assert comment in comments_of(output)
    assert comments_of("something/else.txt") == ()
    assert made(f"{owner}/classify/record.json") == "reference 400f4f79: execute classify"
    assert made("report.html") == "report.html"


def test_a_bar_in_a_comment_stays_in_it(commands: Path) -> None:
    line = "4|RUNNING|cpu1|1:05|2000M|cpu1|cpu|1:00:00|name|rule_x|y\n"
    (job,) = parsed(line)
    assert (job.name, job.comment, job.limit) == ("name", "rule_x|y", "1:00:00")
    (commands / "squeue.says").write_text(line)
    assert own_jobs() == [job]
