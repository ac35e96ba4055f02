"""How a run stands, told from its folder in each state that it can be in."""

import json
import os
import shutil
import socket
import time
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from pipeline.files import read_json, sha256_file, to_json, write_json
from pipeline.lock import run_lock
from pipeline.status import NoRunError, Watch, snapshot
from pipeline.status.holder import holder_of
from pipeline.status.snapshot import Conversion, Owner, Snapshot, Spent, Stage
from tests.pipeline.status.run_folder import POINT, RunFolder, ended_process, run_folder

STAGES = ["inspect", "convert", "preprocess", "classify", "categorize", "measure"]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return run_folder(tmp_path)


def owner(seen: Snapshot, name: str) -> Owner:
    return next(o for o in seen.owners if o.name == name)


def stage(seen: Snapshot, name: str, of: str = POINT) -> Stage:
    return next(s for s in owner(seen, of).stages if s.stage == name)


def check(seen: Snapshot) -> None:
    """The JSON form is the documented one, and comes back as it was."""
    schema = json.loads((resources.files("pipeline.status") / "snapshot.schema.json").read_text())
    plain = json.loads(to_json(seen.to_dict()))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(plain, schema, cls=jsonschema.Draft202012Validator)
    assert json.loads(to_json(plain)) == plain
    assert [s["state"] for o in plain["owners"] for s in o["stages"]] == [
        s.state for o in seen.owners for s in o.stages
    ]


def test_a_run_that_has_not_begun(folder: RunFolder) -> None:
    seen = snapshot(folder.path)
    assert (seen.state, seen.sentence) == (
        "stopped",
        "not started; the same command continues it",
    )
    assert [o.name for o in seen.owners] == [folder.reference, POINT]
    assert [s.stage for s in owner(seen, POINT).stages] == STAGES
    assert {s.state for o in seen.owners for s in o.stages} == {"waiting"}
    assert (seen.done, seen.total) == (0, len(folder.layout.expected()))
    assert seen.elapsed_s is None
    check(seen)


def test_a_run_that_runs_here(folder: RunFolder) -> None:
    folder.data(chunks=20)
    folder.solved(folder.reference, "convert", rounds=0, api_calls=0)
    folder.solved(POINT, "inspect", rounds=2, api_calls=5)
    folder.executed(POINT, "inspect")
    with run_lock(folder.path):
        folder.mark(f"{folder.reference}/convert/record.json", age_s=-0.5)
        folder.mark(f"{POINT}/inspect/verdict.json")
        folder.mark(f"{POINT}/convert/solution.py")
        folder.progress(f"{folder.reference}-convert", 7, 20, 70_000)
        seen = snapshot(folder.path)
    assert seen.state == "running"
    assert seen.sentence == f"running here as process {os.getpid()}"
    assert seen.elapsed_s is not None
    assert 0 <= seen.elapsed_s < 60
    inspect = stage(seen, "inspect")
    assert (inspect.solve.state, inspect.execute.state) == ("done", "done")
    assert inspect.judge is not None
    assert inspect.judge.state == inspect.state == "running"
    assert (inspect.rounds, inspect.spent) == (2, Spent(5, 1000, 200))
    assert (inspect.wall_s, inspect.memory_mb) == (6.5, 300.5)
    assert stage(seen, "convert").solve.state == "running"
    assert stage(seen, "convert", folder.reference).execute.state == "running"
    assert stage(seen, "measure").state == "waiting"
    assert seen.conversions == (Conversion(folder.reference, 7, 20, 70_000, 2500.0),)
    assert [w.state for w in seen.work] == ["done", "done", "waiting"]
    assert seen.done == 4  # samples, fileset, and two of inspect
    check(seen)


def test_what_is_under_way_has_its_own_progress(folder: RunFolder) -> None:
    with run_lock(folder.path):
        folder.mark(f"fileset/{folder.fileset}.synthetic.json")
        folder.progress("synthesize", 3, 30)
        (work, *_) = snapshot(folder.path).work
    assert (work.name, work.state, work.done, work.total) == ("synthesize", "running", 3, 30)


def test_marks_of_an_earlier_start_are_of_a_dead_one(folder: RunFolder) -> None:
    folder.mark(f"{POINT}/inspect/solution.py", age_s=600)
    with run_lock(folder.path):
        assert stage(snapshot(folder.path), "inspect").state == "waiting"


def test_a_mark_with_a_long_name_is_read(folder: RunFolder) -> None:
    long = folder.sweep(["n" * 230])
    with run_lock(folder.path):
        long.mark(f"points/{'n' * 230}/inspect/solution.py")
        seen = snapshot(folder.path)
    assert stage(seen, "inspect", f"points/{'n' * 230}").solve.state == "running"


def test_a_dead_holder_means_a_stopped_run(folder: RunFolder) -> None:
    pid = ended_process()
    folder.held_by(pid, socket.gethostname())
    folder.mark(f"{POINT}/inspect/solution.py")
    seen = snapshot(folder.path)
    assert (seen.state, seen.sentence) == ("stopped", "stopped; the same command continues it")
    assert seen.holder is not None
    assert (seen.holder.pid, seen.holder.here, seen.holder.alive) == (pid, True, False)
    assert stage(seen, "inspect").state == "waiting"
    check(seen)


def test_a_process_that_got_the_number_later_is_not_the_holder(folder: RunFolder) -> None:
    folder.held_by(os.getpid(), socket.gethostname())
    assert snapshot(folder.path).state == "stopped"


def test_a_holder_elsewhere_is_known_by_its_job_or_not_at_all(folder: RunFolder) -> None:
    folder.held_by(5, "elsewhere", job="12")
    states: list[tuple[dict[str, str] | None, bool | None]] = [
        ({"12": "RUNNING"}, True),
        ({"12": "PENDING"}, False),
        ({"13": "RUNNING"}, False),
        (None, None),
    ]
    for jobs, alive in states:
        holder = holder_of(folder.path, jobs)
        assert holder is not None
        assert (holder.alive, holder.here, holder.job) == (alive, False, "12")
    folder.held_by(5, "elsewhere")
    seen = snapshot(folder.path)
    assert seen.state == "unknown"
    assert "held as process 5 on elsewhere, which cannot be seen from here" in seen.sentence
    check(seen)


def test_a_failed_run_says_what_its_steps_said(folder: RunFolder) -> None:
    folder.held_by(ended_process(), socket.gethostname())
    of_fileset = f"fileset-{folder.fileset}"
    folder.error(of_fileset, "expected data, found none", attribution="data")
    folder.error("judge-main-inspect", "no room on the disk")
    seen = snapshot(folder.path)
    assert seen.state == "failed"
    of_data = "counts against the data, not the model; "
    assert seen.problems == (
        f"fileset: expected data, found none ({of_data}log: logs/{of_fileset}.log)",
        "judge: no room on the disk (log: logs/judge-main-inspect.log)",
    )
    assert stage(seen, "inspect").state == "error"
    assert next(w for w in seen.work if w.name == "fileset").state == "error"
    check(seen)


def test_a_graph_that_failed_without_a_word_points_to_its_log(folder: RunFolder) -> None:
    folder.held_by(ended_process(), socket.gethostname())
    log = folder.path / "logs" / "snakemake.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("Building DAG of jobs...\nError in rule solve:\nBuilding DAG of jobs...\n")
    assert snapshot(folder.path).state == "stopped"  # the error is of the start before
    log.write_text("Building DAG of jobs...\nError in rule solve:\n")
    seen = snapshot(folder.path)
    assert seen.state == "failed"
    assert seen.problems == (
        "the graph stopped without a word of a step; look into logs/snakemake.log",
    )


def test_a_step_that_is_tried_again_is_running(folder: RunFolder) -> None:
    with run_lock(folder.path):
        folder.error("execute-points-main-inspect", "the disk was full")
        folder.mark(f"{POINT}/inspect/record.json", age_s=-5)
        assert stage(snapshot(folder.path), "inspect").execute.state == "running"
        folder.mark(f"{POINT}/inspect/record.json", age_s=0.5)
        time.sleep(0.01)
        folder.error("execute-points-main-inspect", "the disk is full")
        assert stage(snapshot(folder.path), "inspect").execute.state == "error"


def test_a_finished_run(folder: RunFolder) -> None:
    folder.held_by(ended_process(), socket.gethostname())
    folder.finish()
    failure = {"category": "wrong physics", "attribution": "model", "evidence": "mu is 7"}
    folder.judged(POINT, "measure", outcome="failed", rung=None, failure=failure)
    seen = snapshot(folder.path)
    assert (seen.state, seen.sentence) == ("finished", "finished; 1 of 6 stages failed")
    assert seen.done == seen.total == len(folder.layout.expected())
    assert owner(seen, folder.reference).state == "done"
    assert owner(seen, POINT).state == "failed"
    measure = stage(seen, "measure")
    assert (measure.state, measure.failure, measure.rung) == ("failed", "wrong physics", None)
    assert seen.spent == Spent(18, 6000, 1200)
    assert {(c.done, c.total) for c in seen.conversions} == {(10, 10)}
    check(seen)
    (folder.path / "summary.csv").unlink()
    assert snapshot(folder.path).state == "stopped"


def test_a_stage_that_was_not_reached_says_why(folder: RunFolder) -> None:
    folder.solved(POINT, "classify", notes=["not asked: stage preprocess has no output"])
    folder.executed(POINT, "classify", "not_reached", reason="stage preprocess has no output")
    classify = stage(snapshot(folder.path), "classify")
    assert (classify.solve.state, classify.execute.state) == ("skipped", "skipped")
    assert (classify.state, classify.failure) == ("skipped", "stage preprocess has no output")


def test_files_that_are_half_written_are_not_there_yet(folder: RunFolder) -> None:
    folder.solved(POINT, "inspect")
    record = folder.path / POINT / "inspect" / "record.json"
    watch = Watch(folder.path)
    for text in ('{"status": "o', "", "[]", "\x00\xff", '{"status": {}}'):
        record.write_text(text)
        assert stage(watch.look(), "inspect").solve.state == "done"
    assert stage(watch.look(), "inspect").execute.state == "skipped"  # an unknown status
    (folder.path / POINT / "inspect" / "attempts.json").write_text('{"tokens": 3, "rounds": "x"}')
    assert stage(watch.look(), "inspect").spent == Spent()
    record.unlink()
    assert stage(watch.look(), "inspect").execute.state == "waiting"
    folder.executed(POINT, "inspect")
    assert stage(watch.look(), "inspect").execute.state == "done"
    for name in (".lock", f"fileset/{folder.fileset}.json", "logs/errors/x.json"):
        path = folder.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"pid": ')
        check(watch.look())


def test_a_plan_that_is_being_written_is_the_one_before(folder: RunFolder) -> None:
    watch = Watch(folder.path)
    before = watch.look()
    (folder.path / "sweep.json").write_text('{"poi')
    assert watch.look().owners == before.owners
    with pytest.raises(NoRunError, match=r"found no whole sweep\.json; start one with"):
        snapshot(folder.path)
    write_json(folder.path / "sweep.json", {"run": "x"})
    with pytest.raises(NoRunError, match="found no 'points'; it may be of another version"):
        watch.look()
    shutil.rmtree(folder.path)
    with pytest.raises(NoRunError, match="expected a run in"):
        watch.look()


def test_chunks_of_a_stopped_conversion_are_counted_in_the_store(folder: RunFolder) -> None:
    folder.data(chunks=12)
    folder.solved(POINT, "convert")
    digest = sha256_file(folder.path / POINT / "convert" / "solution.py")
    for number in range(5):
        write_json(folder.path / "chunks" / digest[:16] / f"{number:032x}.json", {})
    (folder.path / "chunks" / digest[:16] / ".half.json.part").write_text("{")
    assert snapshot(folder.path).conversions == (Conversion(POINT, 5, 12),)


def test_looking_writes_nothing(folder: RunFolder) -> None:
    folder.finish()
    folder.dialogue("inspect", {"kind": "request", "round": 1, "role": "coder"})

    def listing() -> list[tuple[str, int, int]]:
        paths = [folder.path, *folder.path.rglob("*")]
        return [(str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in sorted(paths)]

    before = listing()
    watch = Watch(folder.path)
    watch.look()
    watch.look()
    assert listing() == before


def test_without_squeue_the_view_says_so_and_goes_on(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = folder.path / POINT / "settings.json"
    settings = read_json(path)
    settings["site"]["scheduler"] = "slurm"
    path.chmod(0o644)
    write_json(path, settings)
    monkeypatch.setenv("PATH", str(tmp_path))
    seen = snapshot(folder.path)
    assert seen.queue.jobs == ()
    assert seen.queue.asked is None
    assert (seen.queue.problem or "").startswith("expected SLURM's squeue on this machine")
    assert len(seen.owners) == 2
    check(seen)
