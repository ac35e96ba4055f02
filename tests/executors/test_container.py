"""The command line of a step in the image, what it passes on, and the record of the image."""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from executors.container import (
    NUMERICS,
    PLACES,
    START,
    TASK,
    ImageError,
    StepContainer,
    image_record,
    step_prefix,
    variables_in,
)

STEP = StepContainer(
    image=Path("/images/ana lysis.sif"),
    folder=Path("/runs/outputs/a run"),
    writable=(Path("/runs/outputs"),),
    readonly=(Path('/data/it\'s "here", a:b'), Path("/runs/outputs/a run/key")),
    node_folders=("$SCRATCH/${USER}-dask",),
    variables=("MY_KEY",),
    options=("--bind=/cvmfs",),
)
SHOWS = """#!/bin/sh
env | grep -E '^APPTAINERENV_|^SLURM_' | sort
printf '<%s>\\n' "$@"
"""


def run(line: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start `line` with a PATH and `variables` for its only environment."""
    return subprocess.run(
        line,
        cwd=folder,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_whole_command_line() -> None:
    line = step_prefix(STEP)
    names = [*NUMERICS, *PLACES, *TASK, "SCRATCH", "USER", "MY_KEY"]
    data, outputs = '/data/it\'s ""here"", a:b', "/runs/outputs"
    assert line == [
        "sh", "-c", START, "sh", " ".join(names), "${TMPDIR:-/tmp} $SCRATCH/${USER}-dask",
        "--cleanenv", "--no-eval", "--no-home",
        "--mount", f'type=bind,"source={data}","destination={data}",ro',
        "--mount", f'type=bind,"source={outputs}","destination={outputs}"',
        "--mount", f'type=bind,"source={outputs}/a run","destination={outputs}/a run"',
        "--mount", f'type=bind,"source={outputs}/a run/key","destination={outputs}/a run/key",ro',
        "--cwd", "/runs/outputs/a run",
        "--bind=/cvmfs", "/images/ana lysis.sif",
    ]  # fmt: skip
    mounts = [b for a, b in itertools.pairwise(line) if a == "--mount"]
    assert next(csv.reader([mounts[0]]))[1] == 'source=/data/it\'s "here", a:b'


def test_namespace_for_root_only_and_never_a_gpu() -> None:
    assert "--userns" in step_prefix(replace(STEP, user_namespace=True))
    assert not {"--userns", "--nv", "--writable"} & set(step_prefix(STEP))


@pytest.mark.parametrize("name", ["PYTHONPATH", "PATH", "LD_PRELOAD", "A-B", "A B", ""])
def test_code_of_the_host_stays_outside(name: str) -> None:
    with pytest.raises(ImageError, match=r"expected the name of an environment variable .* found"):
        replace(STEP, variables=(name,))


@pytest.mark.parametrize("folder", ["$(id)/x", "`id`", "/a b", '/a"b', ""])
def test_a_folder_of_the_nodes_is_no_command(folder: str) -> None:
    with pytest.raises(ImageError, match="expected a folder of the nodes made of letters"):
        replace(STEP, node_folders=(folder,))


def test_variables_in_a_text() -> None:
    assert variables_in("$A/${B_1}-dask/$C.x/plain") == ["A", "B_1", "C"]


def test_values_are_looked_up_where_the_step_runs(tmp_path: Path) -> None:
    """A stand-in for Apptainer prints what it was started with."""
    (tmp_path / "apptainer").write_text(SHOWS)
    (tmp_path / "apptainer").chmod(0o755)
    step = replace(STEP, node_folders=("$SCRATCH/dask",), options=())
    value = "a $HOME `id` \"b\" 'c'\nd"
    done = run(
        [*step_prefix(step), "python", "-m", "it"],
        tmp_path,
        PATH=f"{tmp_path}:{os.environ['PATH']}",
        SLURM_PROCID="3",
        SLURM_JOB_ACCOUNT="mine",
        OMP_NUM_THREADS="1",
        MY_KEY=value,
        NOT_NAMED="secret",
        PYTHONPATH="/ours",
        TMPDIR=str(tmp_path / "node disk" / "tmp"),
        SCRATCH=str(tmp_path / "scratch"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    passed, _, words = done.stdout.partition("<--silent>\n")
    assert f"APPTAINERENV_MY_KEY={value.splitlines()[0]}\n" in passed
    found = re.findall(r"^APPTAINERENV_(\w+)=", passed, re.MULTILINE)
    assert found == ["MY_KEY", "OMP_NUM_THREADS", "SCRATCH", "SLURM_PROCID", "TMPDIR"]
    assert words.startswith(
        f"<exec>\n<--bind>\n<{tmp_path}/scratch/dask>\n<--bind>\n<{tmp_path}/node disk/tmp>\n"
        "<--cleanenv>\n"
    )
    assert words.endswith("</images/ana lysis.sif>\n<python>\n<-m>\n<it>\n")
    assert value.splitlines()[0] not in words
    assert (tmp_path / "scratch" / "dask").is_dir()


def test_a_variable_that_names_a_folder_and_is_not_set_is_said(tmp_path: Path) -> None:
    done = run([*step_prefix(replace(STEP, node_folders=("$SCRATCH/x",))), "true"], tmp_path)
    assert done.returncode != 0
    assert "SCRATCH" in done.stderr


def written(folder: Path, **changes: object) -> Path:
    """A folder that looks like an image, and its record."""
    image = folder / "analysis"
    image.mkdir()
    digests = ("sha256", "definition_sha256", "constraints_sha256", "sources_sha256")
    content: dict[str, object] = dict.fromkeys((*digests, "inputs_sha256"), "0" * 64)
    content |= {
        "image": "analysis",
        "kind": "directory",
        "megabytes": 1436,
        "base": "debootstrap bookworm",
        "built_with": "apptainer version 1.4.5",
    }
    (folder / "analysis.json").write_text(json.dumps(content | changes))
    return image


def test_record_is_read(tmp_path: Path) -> None:
    record = image_record(written(tmp_path, sha256="a" * 64))
    assert (record.image, record.kind, record.megabytes) == ("analysis", "directory", 1436)
    assert record.sha256 == "a" * 64
    assert record.base == "debootstrap bookworm"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"image": "sandbox"}, "an image of containers/analysis.def .* found one of .*sandbox.def"),
        ({"sha256": None}, "expected 'sha256' in the record .* found None"),
        ({"megabytes": "many"}, "expected 'megabytes' in the record .* found 'many'"),
    ],
)
def test_record_that_does_not_fit(changes: dict[str, object], says: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=says):
        image_record(written(tmp_path, **changes))


def test_what_is_missing_is_said_with_what_builds_it(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"expected an image at .*none.sif.*build.sh analysis"):
        image_record(tmp_path / "none.sif")
    image = written(tmp_path)
    (tmp_path / "analysis.json").write_text("{")
    with pytest.raises(ImageError, match=r"expected the record of the image .* found Expecting"):
        image_record(image)
    (tmp_path / "analysis.json").unlink()
    with pytest.raises(ImageError, match=r"at '.*analysis\.json', found none; keep the two"):
        image_record(image)


@pytest.fixture
def step(analysis_image: Path, tmp_path: Path) -> StepContainer:
    """A step in the built image, in a folder with an awkward name."""
    for name in ('a run, "it\'s"', "data", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "events").write_text("the events")
    return StepContainer(
        image=analysis_image,
        folder=tmp_path / 'a run, "it\'s"',
        readonly=(tmp_path / "data",),
        user_namespace=os.geteuid() == 0,
    )


LOOKS = """
import json, os, sys
from pathlib import Path
import pipeline

data, other = Path(sys.argv[1]), Path(sys.argv[2])
Path("written").write_text("here")
try:
    (data / "new").touch()
    wrote = True
except OSError:
    wrote = False
print(json.dumps({
    "code": pipeline.__file__, "folder": os.getcwd(), "events": (data / "events").read_text(),
    "wrote": wrote, "other": other.exists(), "variables": dict(os.environ),
    "home": sorted(os.listdir(Path.home())) if Path.home().is_dir() else [],
}))
"""


@pytest.mark.apptainer
def test_step_sees_the_image_and_what_is_named(step: StepContainer, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "secret").touch()
    value = "a $HOME `id` \"b\" 'c', d=e"
    done = run(
        [*step_prefix(replace(step, variables=("MY_KEY",))), "python", "-c", LOOKS,
         str(tmp_path / "data"), str(Path(__file__).parent)],
        tmp_path,
        HOME=str(home),
        PYTHONPATH=str(Path(__file__).parents[2]),
        SLURM_PROCID="2",
        PYTHONHASHSEED="0",
        MY_KEY=value,
        NOT_NAMED="secret",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["code"].startswith("/opt/ladon/lib/python3")
    assert found["folder"] == str(step.folder)
    assert (step.folder / "written").read_text() == "here"
    assert (found["events"], found["wrote"], found["other"]) == ("the events", False, False)
    assert "secret" not in found["home"]
    variables = found["variables"]
    assert (variables["SLURM_PROCID"], variables["PYTHONHASHSEED"]) == ("2", "0")
    assert variables["MY_KEY"] == value
    assert not {"NOT_NAMED", "PYTHONPATH"} & set(variables)


SANDBOX = """
from executors.sandbox import Limits, choice
with choice.named("auto", Limits()).open("def f(x):\\n    return x + 1\\n") as worker:
    print(choice.named("auto", Limits()).name, worker.call("f", [1]).value)
"""


@pytest.mark.apptainer
@pytest.mark.sandbox
def test_bubblewrap_works_in_the_image(step: StepContainer, tmp_path: Path) -> None:
    done = run([*step_prefix(step), "python", "-c", SANDBOX], tmp_path)
    assert (done.returncode, done.stdout) == (0, "bubblewrap 2\n"), done.stderr


@pytest.mark.apptainer
def test_signals_reach_the_step_and_its_code_comes_back(step: StepContainer) -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    line = [*step_prefix(step), "python", "-c", code]
    with subprocess.Popen(line, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            child.send_signal(signal.SIGTERM)
            assert child.wait(timeout=90) == 75
        finally:
            child.kill()
