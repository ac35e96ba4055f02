"""`sbatch launch.sh --multirun`: two scripted models and a real vLLM in one graph, one server.

The served model learned the scripted dialogues of one stage by heart, which takes seconds: a real
model behind a real server, which understands nothing. `test_memo` has one that knows all stages.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.trajectory import read_entries
from executors.serving.pool import Pool
from executors.serving.record import Endpoint
from executors.serving.scheduler import Slurm
from pipeline.evaluation.cell import Cell
from pipeline.evaluation.reading import read_cells
from pipeline.files import read_json
from pipeline.scripted.truth import expected, expected_cells
from tests.command import Ladon
from tests.slurm.conftest import Cluster, run
from tests.slurm.launching import Launched, Launcher
from tests.vllm.conftest import Program, memo_program, taught, vllm_python

pytestmark = [pytest.mark.slurm, pytest.mark.vllm, pytest.mark.timeout(3600)]

__all__ = ["memo_program", "vllm_python"]  # fixtures

STAGE, SCRIPTED = "inspect", ("expert", "student")
TRIALS = 2
LITTLE = ("chain=isolated", f"stages=[{STAGE}]", "data.luminosity=0.05")


class Sweeps:
    """Gives one sweep over three models, with more or fewer trials."""

    def __init__(self, launcher: Launcher, weights: Path) -> None:
        self.launcher = launcher
        self.given = (
            "--multirun", "model=expert,student,memo", *LITTLE, "model.serve.gpus=1",
            f"model.serve.weights='{weights}'",
        )  # fmt: skip

    def __call__(self, trials: int) -> Launched:
        """The sweep, finished well, with nothing of it left in the queue."""
        launched = self.launcher("swept", *self.given, f"trial=range(0,{trials})")
        launched.succeeded(1800)
        launched.left_nothing()
        assert not set(server_jobs(launched)) & set(run("squeue", "--me", "-ho%i").split())
        return launched


@pytest.fixture(scope="module")
def sweeps(
    slurm: Cluster,
    scripted_run: Ladon,
    memo_program: Program,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Sweeps]:
    weights = tmp_path_factory.mktemp("models") / STAGE
    taught(memo_program, scripted_run, weights, STAGE)
    folder = Path(tempfile.mkdtemp(prefix="ladon-sweep-"))
    yield Sweeps(Launcher(folder), weights)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def swept(sweeps: Sweeps) -> Launched:
    """The sweep, finished."""
    return sweeps(TRIALS)


def server_jobs(launched: Launched) -> list[str]:
    """Jobs of servers that SLURM's accounting knows of, whatever Ladon's records say."""
    told = run(
        "sacct", "--noheader", "--parsable2", "--allocations", "--starttime=now-1day",
        "--format=JobID,WorkDir",
    )  # fmt: skip
    jobs = [line.split("|", 1) for line in told.splitlines()]
    below = f"{launched.folder.parent}/servers/"
    return [job for job, place in jobs if place.startswith(below)]


def endpoints(launched: Launched) -> list[Endpoint]:
    """The records of the run's servers, the first one first."""
    pool = Pool(launched.folder.parent / "servers", Slurm())
    return sorted((endpoint for _, endpoint in pool.servers()), key=lambda e: e.submitted)


def answered_by(launched: Launched) -> dict[str, set[str | None]]:
    """Point -> addresses that its replies came from."""
    found: dict[str, set[str | None]] = {}
    for path in launched.folder.glob(f"points/*/{STAGE}/trajectory.jsonl"):
        replies = [entry.content for entry in read_entries(path) if entry.kind == "reply"]
        found[path.parts[-3]] = {reply.get("endpoint") for reply in replies}
    return found


def points(model: str, trials: int) -> set[str]:
    return {f"{model}-trial{trial:03}" for trial in range(trials)}


def check_cells(cells: tuple[Cell, ...], trials: int) -> None:
    """Every cell of the three models is there, and is what is known of it."""
    known = {
        (cell.model, cell.trial): cell.result
        for cell in expected_cells(SCRIPTED, [STAGE], range(trials))
    }
    known |= {("memo", trial): expected("solves", STAGE) for trial in range(trials)}
    assert {(c.model, c.trial): (c.outcome, c.rounds, c.api_calls) for c in cells} == {
        key: (want.outcome, want.rounds, want.api_calls) for key, want in known.items()
    }
    assert len(cells) == len(known)
    assert {c.scripted for c in cells if c.model == "memo"} == {False}


def test_every_cell_of_the_three_models_has_its_verdict(swept: Launched) -> None:
    check_cells(read_cells(swept.folder), TRIALS)
    assert "memo" in (swept.folder / "tables" / "measures.csv").read_text()


def test_one_server_was_started_for_all_points_of_its_model(swept: Launched) -> None:
    (endpoint,) = endpoints(swept)
    assert server_jobs(swept) == [endpoint.job]
    assert endpoint.node in ("gpu1", "gpu2")
    job = f"--jobs={endpoint.job}"
    told = run("sacct", "--noheader", "--parsable2", "--allocations", job, "--format=AllocTRES")
    assert "gres/gpu=1" in told
    (server,) = read_json(swept.folder / "servers.json")["servers"]
    assert server["server"] == endpoint.server


def test_its_model_alone_was_asked_of_it(swept: Launched) -> None:
    (endpoint,) = endpoints(swept)
    served = {point: {endpoint.base_url} for point in points("memo", TRIALS)}
    scripted = points("expert", TRIALS) | points("student", TRIALS)
    found = answered_by(swept)
    assert {point: found[point] for point in served} == served
    assert not any(endpoint.base_url in found[point] for point in scripted)
    assert found.keys() == served.keys() | scripted


def test_its_key_is_written_nowhere_else(swept: Launched) -> None:
    (endpoint,) = endpoints(swept)
    file = Path(endpoint.api_key_file)
    assert file.stat().st_mode & 0o777 == 0o600
    key = file.read_bytes()
    files = [path for path in swept.folder.rglob("*") if path.is_file()]
    assert len(files) > 100
    assert [path for path in files if key in path.read_bytes()] == []


def test_its_time_is_shared_among_the_trials_that_used_it(swept: Launched) -> None:
    (endpoint,) = endpoints(swept)
    used = read_json(swept.folder / "servers.json")["gpu_seconds"]
    lived = (endpoint.ended or 0) - (endpoint.started or 0)
    assert sum(used.values()) == pytest.approx(lived, abs=10)
    own = {user: seconds for user, seconds in used.items() if user}
    assert own.keys() <= {f"{point}/{STAGE}" for point in points("memo", TRIALS)}
    assert own
    cells = read_cells(swept.folder)
    assert {f"{c.point}/{STAGE}": c.gpu_s for c in cells if c.gpu_s is not None} == own


def test_it_ended_when_nobody_needed_it(swept: Launched) -> None:
    (endpoint,) = endpoints(swept)
    assert (endpoint.status, endpoint.reason) == ("STOPPED", "all its stages are solved")
    assert swept.nodes() <= {"cpu1", "cpu2"}


def test_the_same_command_again_computes_nothing_and_starts_no_server(
    swept: Launched, sweeps: Sweeps
) -> None:
    first, jobs = swept.written, server_jobs(swept)
    assert {name.split("/")[1] for name in first} == set(answered_by(swept))
    again = sweeps(TRIALS)
    assert again.folder == swept.folder
    assert again.written == first
    assert server_jobs(swept) == jobs


@pytest.mark.slow
def test_extended_it_computes_what_is_new(sweeps: Sweeps) -> None:
    """A trial more, with a server of its own: the first one has ended."""
    first = sweeps(TRIALS).written
    extended = sweeps(TRIALS + 1)
    more = extended.written
    assert {name: more[name] for name in first} == first
    assert {name.split("/")[1] for name in more if name not in first} == {
        f"{model}-trial{TRIALS:03}" for model in (*SCRIPTED, "memo")
    }
    check_cells(read_cells(extended.folder), TRIALS + 1)
    before, added = endpoints(extended)
    assert server_jobs(extended) == [before.job, added.job]
    (new,) = points("memo", TRIALS + 1) - points("memo", TRIALS)
    assert answered_by(extended)[new] == {added.base_url}
