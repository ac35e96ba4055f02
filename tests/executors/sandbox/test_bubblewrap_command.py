"""The command line of bubblewrap, word by word, and what decides over it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from executors.sandbox import Limits
from executors.sandbox import bubblewrap_command as bwrap
from executors.sandbox.bubblewrap import FIRST_FREE_UID, free_uid, version
from executors.sandbox.interpreter import PROGRAM, Interpreter

GOLDEN = Path(__file__).parent / "golden"

PYTHON = Interpreter(
    executable=Path("/opt/python 3/bin/python3.12"),
    libraries=(Path("/opt/python 3/lib"), Path("/opt/python 3/lib64")),
    standard=Path("/opt/python 3/lib/python3.12"),
    packages=(Path("/home/ann o'hara/.venv/lib/python3.12/site-packages"), Path("/site-packages")),
)
PLAN = bwrap.Plan(
    python=PYTHON,
    limits=Limits(writable_mb=64),
    readonly={"events.root": Path("/data/it's here/a b.root")},
    uid=1879048256,
    masks=("/packages/0/pipeline",),
    system=(("/usr/lib", None), ("/lib", "usr/lib")),
)


def rendered(plan: bwrap.Plan) -> str:
    words = bwrap.command(plan, 7, 9, ("-m", "inside", "{}"))
    return "\n".join(words).replace(str(PROGRAM), "<inside>") + "\n"


def test_command_for_root() -> None:
    assert rendered(PLAN) == (GOLDEN / "bubblewrap_root.txt").read_text()


def test_command_for_an_ordinary_user() -> None:
    expected = (GOLDEN / "bubblewrap_user.txt").read_text()
    assert rendered(dataclasses.replace(PLAN, uid=None)) == expected


def test_command_holds_nothing_of_the_project_or_the_environment() -> None:
    words = bwrap.command(PLAN, 7, 9, ())
    assert words.index("--clearenv") < words.index("--setenv")
    sources = [words[i + 1] for i, word in enumerate(words) if word.endswith("bind")]
    assert not {"/", "/etc", "/home", "/root", "/proc", "/usr", "/tmp", "/var"} & set(sources)
    project = Path(__file__).parents[3]
    inside = [s for s in sources if Path(s).is_relative_to(project)]
    assert inside == [str(PROGRAM)]
    assert "--proc" not in words


def test_packages_of_ours_are_hidden(tmp_path: Path) -> None:
    base, site = tmp_path / "lib", tmp_path / "site-packages"
    (base / "python3.12" / "site-packages").mkdir(parents=True)
    for name in ("pipeline", "executors", "numpy"):
        (site / name).mkdir(parents=True)
    python = dataclasses.replace(PYTHON, libraries=(base,), packages=(tmp_path / "no", site))
    assert bwrap.masks(python) == (
        "/python/lib/python3.12/site-packages",
        "/packages/1/pipeline",
        "/packages/1/executors",
    )


def test_user_ids_are_free_and_differ_by_process_and_worker() -> None:
    everything = "         0          0 4294967295\n"
    found = {free_uid(everything, pid, n) for pid in (1, 2, 4_194_303) for n in (0, 1, 63)}
    assert len(found) == 9
    assert free_uid(everything, 1, 64) == free_uid(everything, 1, 0) == FIRST_FREE_UID + 64
    assert all(FIRST_FREE_UID <= uid < 2**31 for uid in found if uid is not None)


def test_no_user_id_where_the_namespace_has_few() -> None:
    assert free_uid("0 100000 65536\n", 1, 0) is None
    assert free_uid("0 1000 1\n1 100000 65536\n", 1, 0) is None


def test_version_of_bubblewrap() -> None:
    assert version("bubblewrap 0.8.0") == (0, 8)
    assert version("bubblewrap 0.11.0") > (0, 6) > version("bubblewrap 0.4.1")
    assert version("5.15.0-91-generic") == (5, 15)
    assert version("") == ()
