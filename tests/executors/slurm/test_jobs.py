"""The jobs of a run: listed by its tag, cancelled to the last, nobody else's touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from executors.slurm.client import SlurmError
from executors.slurm.jobs import cancel, jobs_of, parsed, prefix_of, tag_of
from tests.executors.slurm.conftest import Program

LINE = "12|RUNNING|cpu1|0:07|2524M|cpu1|cpu|20:00|{name}|rule_solve_wildcards_points_main_inspect"


def test_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    here, there = tmp_path / "a" / "run", tmp_path / "b" / "run"
    assert tag_of(here) != tag_of(there)
    assert tag_of(here) == tag_of(tmp_path / "a" / "x" / ".." / "run")
    assert prefix_of(here) == f"{tag_of(here)}-run"


def test_a_prefix_is_one_that_the_plugin_takes(tmp_path: Path) -> None:
    prefix = prefix_of(tmp_path / ("it's a näme " * 12))
    assert len(prefix) == 50
    assert set(prefix) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def test_a_line_of_squeue() -> None:
    (job,) = parsed(LINE.format(name="ladon-1234abcd-x_0b1d") + "\nnot a job\n")
    assert (job.id, job.state, job.node, job.elapsed) == ("12", "RUNNING", "cpu1", "0:07")
    assert job.comment == "rule_solve_wildcards_points_main_inspect"
    waiting = parsed("13|PENDING||0:00|1G|(Resources)|cpu|20:00|ladon-1234abcd-x_0b1d|a|b")[0]
    assert (waiting.node, waiting.reason, waiting.comment) == ("", "(Resources)", "a|b")


def test_only_the_jobs_with_the_tag(program: Program, tmp_path: Path) -> None:
    tag = tag_of(tmp_path)
    names = [f"{tag}-x_1", f"{tag}-x-dask", "ladon-00000000-x_1", f"my-{tag}"]
    lines = "\n".join(LINE.format(name=name) for name in names)
    program("squeue", f"cat <<'END'\n{lines}\nEND")
    assert [job.name for job in jobs_of(tag)] == names[:2]


def test_cancelling_goes_on_until_none_is_left(program: Program, tmp_path: Path) -> None:
    """The second look finds a job that an sbatch on its way has added."""
    tag, looks, log = tag_of(tmp_path), tmp_path / "looks", tmp_path / "cancelled"
    looks.write_text("")
    one = LINE.format(name=f"{tag}-x_1")
    two = one.replace("12|", "13|", 1)
    program(
        "squeue",
        f"echo >>'{looks}'; n=$(wc -l <'{looks}')\n"
        f"[ $n = 1 ] && echo '{one}'\n[ $n = 3 ] && echo '{two}'\nexit 0",
    )
    program("scancel", f"echo \"$@\" >>'{log}'")
    assert cancel(tag, sleep=lambda _: None) == ["12", "13"]
    assert log.read_text().split() == ["12", "13"]
    assert len(looks.read_text()) >= 5


def test_jobs_that_stay_are_named(program: Program, tmp_path: Path) -> None:
    tag = tag_of(tmp_path)
    program("squeue", f"echo '{LINE.format(name=f'{tag}-x_1')}'")
    program("scancel", "exit 0")
    with pytest.raises(SlurmError, match=r"found 12 left; end them with: scancel 12"):
        cancel(tag, within_s=0.0, sleep=lambda _: None)


def test_a_queue_that_cannot_be_seen_is_no_empty_queue(program: Program, tmp_path: Path) -> None:
    program("squeue", "echo 'Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(SlurmError, match="expected squeue to list the jobs"):
        cancel(tag_of(tmp_path), within_s=0.0, sleep=lambda _: None)
