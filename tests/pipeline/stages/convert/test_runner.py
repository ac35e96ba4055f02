"""Convert over whole filesets: the same tables however the work is cut; faults that stay small."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from executors import make_executor
from executors.base import ChunkExecutor, Result
from executors.local import InlineExecutor
from pipeline.channels.hyy import blinded
from pipeline.files import read_json, read_table, sha256_file
from pipeline.settings import Settings
from pipeline.stages.convert.contract import reference_path
from pipeline.stages.convert.events import read_events
from pipeline.stages.convert.product import write_product
from pipeline.stages.convert.runner import ConvertError, SolutionFailedError, convert_all
from tests.pipeline.stages.convert.conftest import DATA, MC
from tests.pipeline.stages.convert.files import fileset, rewrite

Files = dict[str, list[Path]]
TABLES = (f"output/{DATA}.parquet", f"output/{MC}.parquet", f"sealed/{DATA}.parquet")
LAW = profile(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def run(
    folder: Path,
    content: dict[str, Any],
    settings: Settings,
    executor: ChunkExecutor | None = None,
    solution: Path | None = None,
) -> list[tuple[int, int, int]]:
    """Convert into `folder`; what progress was told."""
    told: list[tuple[int, int, int]] = []
    chosen = solution or reference_path(settings)
    place = executor or make_executor("inline")
    product = convert_all(
        chosen, content, settings, folder / "chunks", place, lambda *now: told.append(now)
    )
    write_product(product, folder / "output", folder / "sealed")
    return told


def fingerprint(folder: Path) -> dict[str, Any]:
    """Hashes of the tables, and the cut flow."""
    hashes: dict[str, Any] = {name: sha256_file(folder / name) for name in TABLES}
    return {**hashes, "cutflow": read_json(folder / "output" / "cutflow.json")}


@pytest.fixture(scope="session")
def expected(
    tmp_path_factory: pytest.TempPathFactory, files: Files, settings: Settings
) -> dict[str, Any]:
    """What one chunk per file gives."""
    folder = tmp_path_factory.mktemp("expected")
    run(folder, fileset(files, 10**6), settings)
    return fingerprint(folder)


def test_cut_flow_and_rows(tmp_path: Path, files: Files, settings: Settings) -> None:
    told = run(tmp_path, fileset(files, 100), settings)
    cutflow = read_json(tmp_path / "output" / "cutflow.json")
    steps = ["all", "tight", "pt", "isolation", "crack", "mass", "pt_over_m"]
    for sample, entries in ((DATA, told[-1][2] - 150), (MC, 150)):
        assert [name for name, _ in cutflow[sample]] == steps
        counts = [n for _, n in cutflow[sample]]
        assert counts[0] == entries
        assert counts == sorted(counts, reverse=True)
        assert counts[-1] > 20
    assert told[-1][0] == told[-1][1] == len(fileset(files, 100)["chunks"])
    table = read_table(tmp_path / "output" / f"{MC}.parquet")
    good = table[["ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated"]].all(axis=1)
    assert good.sum() == cutflow[MC][-1][1]
    assert (table["channel_number"] == int(MC)).all()
    assert table["n_bjets"].max() >= 2
    assert sorted(p.name for p in (tmp_path / "sealed").iterdir()) == [f"{DATA}.parquet"]


@LAW
@given(edges=st.sets(st.integers(1, 500), max_size=8))
def test_any_chunking_gives_the_same_bits(
    edges: set[int],
    expected: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
    files: Files,
    settings: Settings,
) -> None:
    folder = tmp_path_factory.mktemp("chunks")
    run(folder, fileset(files, edges), settings)
    assert fingerprint(folder) == expected


def test_one_event_per_chunk_gives_the_same_bits(
    tmp_path: Path, files: Files, settings: Settings, started: dict[str, ChunkExecutor]
) -> None:
    few = {
        name: [rewrite(paths[0], tmp_path / f"{name}.root", range(25))]
        for name, paths in files.items()
    }
    run(tmp_path / "one", fileset(few, 1), settings, started["processes:2"])
    run(tmp_path / "all", fileset(few, 10**6), settings)
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "all")


@pytest.mark.parametrize("kind", ["inline", "processes:1", "processes:2", "dask"])
def test_any_executor_gives_the_same_bits(
    kind: str, expected: dict[str, Any], tmp_path: Path, files: Files, settings: Settings,
    started: dict[str, ChunkExecutor],
) -> None:  # fmt: skip
    run(tmp_path, fileset(files, 130), settings, started[kind])
    assert fingerprint(tmp_path) == expected


@LAW
@given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from([50, 1000]))
def test_any_order_of_events_gives_the_same_bits(
    seed: int,
    size: int,
    expected: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
    files: Files,
    settings: Settings,
) -> None:
    folder = tmp_path_factory.mktemp("orders")
    turned = {}
    for sample, paths in files.items():
        turned[sample] = []
        for path in paths:
            entries = fileset({sample: [path]})["samples"][sample]["files"][0]["entries"]
            order = random.Random(seed).sample(range(entries), entries)
            turned[sample].append(rewrite(path, folder / path.name, order))
    run(folder, fileset(turned, size), settings)
    assert fingerprint(folder) == expected


def test_a_finished_chunk_is_not_made_again(
    tmp_path: Path, files: Files, settings: Settings, expected: dict[str, Any]
) -> None:
    content = fileset(files, 100)
    run(tmp_path, content, settings)
    records = sorted((tmp_path / "chunks").rglob("*.json"))
    assert len(records) == len(content["chunks"])
    times = {p: p.stat().st_mtime_ns for p in records}
    records[0].unlink()
    told = run(tmp_path, content, settings)
    again = {p for p in records if p.stat().st_mtime_ns != times[p]}
    assert again == {records[0]}
    assert told[-1][0] == len(content["chunks"])
    assert fingerprint(tmp_path) == expected


def test_another_solution_shares_no_chunk(tmp_path: Path, files: Files, settings: Settings) -> None:
    content = fileset(files, 200)
    run(tmp_path, content, settings)
    before = set((tmp_path / "chunks").rglob("*.json"))
    other = tmp_path / "solution.py"
    other.write_text(reference_path(settings).read_text() + "\n# another\n")
    run(tmp_path, content, settings, solution=other)
    assert len(set((tmp_path / "chunks").rglob("*.json")) - before) == len(before)


def test_blinded_events_are_in_sealed_alone(
    tmp_path: Path, files: Files, settings: Settings
) -> None:
    run(tmp_path, fileset(files, 100), settings)
    seen = read_table(tmp_path / "output" / f"{DATA}.parquet")
    every = read_table(tmp_path / "sealed" / f"{DATA}.parquet")
    flags = ["ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated"]
    hidden = every[flags].all(axis=1) & every["m_yy"].between(120, 130, inclusive="neither")
    assert hidden.sum() > 5
    assert len(seen) == len(every) - hidden.sum()
    assert not set(seen["event_number"]) & set(every.loc[hidden, "event_number"])
    run(tmp_path / "open", fileset(files, 100), replace(settings, unblind=True))
    shown = tmp_path / "open" / "output" / f"{DATA}.parquet"
    assert sha256_file(shown) == sha256_file(tmp_path / "sealed" / f"{DATA}.parquet")


def test_a_solution_cannot_show_a_blinded_event_under_other_values(
    tmp_path: Path, files: Files, settings: Settings
) -> None:
    """Blinding looks at the raw events, not at what the solution says of them."""
    liar = tmp_path / "solution.py"
    text = reference_path(settings).read_text()
    liar.write_text(text.replace('"m_yy": m_yy[kept]', '"m_yy": m_yy[kept] + 100'))
    run(tmp_path, fileset(files, 100), settings, solution=liar)
    seen = set(read_table(tmp_path / "output" / f"{DATA}.parquet")["event_number"])
    names = [f"photon_{q}" for q in ("pt", "eta", "phi", "e", "isTightID", "ptcone20")]
    for path in files[DATA]:
        events = read_events(
            path, "analysis", settings.data.release, 0, 10**6, ["eventNumber", *names]
        )
        hidden = events["eventNumber"][blinded(events, settings.channel)]
        assert len(hidden)
        assert not seen & set(np.asarray(hidden).tolist())


def test_a_bad_file_is_quarantined_with_its_reason(
    tmp_path: Path, files: Files, settings: Settings
) -> None:
    broken = tmp_path / "broken.root"
    content = bytearray(files[DATA][1].read_bytes())
    quarter = len(content) // 4
    content[quarter : 3 * quarter] = b"\xff" * (2 * quarter)
    broken.write_bytes(content)
    entries = {"broken.root": 400, "gone.root": 50}
    listed = {DATA: [files[DATA][0], broken], MC: [*files[MC], tmp_path / "gone.root"]}
    run(tmp_path, fileset(listed, 200, entries=entries), settings)
    ledger = read_json(tmp_path / "output" / "ledger.json")
    bad = {c["file"]: c for c in ledger["chunks"] if c["status"] == "quarantined"}
    assert set(bad) == {"broken.root", "gone.root"}
    assert bad["gone.root"]["reason"]["kind"] == "file"
    assert "gone.root" in bad["gone.root"]["reason"]["message"]
    assert bad["broken.root"]["reason"]["kind"] == "file"
    assert bad["broken.root"]["sha256"] is None
    assert not ledger["samples"][DATA]["complete"]
    assert not ledger["samples"][MC]["complete"]
    assert ledger["samples"][MC]["entries_done"] == 150
    assert ledger["samples"][MC]["entries_expected"] == 200
    assert len(read_table(tmp_path / "output" / f"{MC}.parquet")) > 50
    assert str(tmp_path) not in (tmp_path / "output" / "ledger.json").read_text()


def test_a_sample_without_a_readable_file_has_an_empty_table(
    tmp_path: Path, files: Files, settings: Settings
) -> None:
    listed = {DATA: files[DATA], MC: [tmp_path / "gone.root"]}
    run(tmp_path, fileset(listed, 200, entries={"gone.root": 50}), settings)
    empty = read_table(tmp_path / "output" / f"{MC}.parquet")
    full = read_table(tmp_path / "output" / f"{DATA}.parquet")
    assert len(empty) == 0
    assert list(empty.columns) == list(full.columns)
    assert list(empty.dtypes) == list(full.dtypes)
    assert read_json(tmp_path / "output" / "cutflow.json")[MC] == [["all", 0]]


@pytest.mark.parametrize(
    ("old", "new", "exception", "sentence"),
    [
        ('"photon_pt", "photon_eta"', '"photon_pt", "foton_eta"', "ContractError",
         "did you mean 'photon_eta'"),
        ("def convert(", "def convert(", "ZeroDivisionError", "division by zero"),
        ('"cutflow": cutflow', '"cut_flow": cutflow', "ContractError", "expected key 'cutflow'"),
        ("import numpy as np", "import numpy as np; import nosuchmodule", "SolutionLoadError",
         "No module named 'nosuchmodule'"),
        ('"m_yy": m_yy[kept],', "", "ContractError", "expected column 'm_yy'"),
    ],
)  # fmt: skip
def test_a_solution_that_fails_is_told(
    tmp_path: Path, files: Files, settings: Settings, old: str, new: str, exception: str,
    sentence: str,
) -> None:  # fmt: skip
    text = reference_path(settings).read_text()
    assert old in text
    if exception == "ZeroDivisionError":
        text = text.replace("    first, photons = first", "    1 / 0\n    first, photons = first")
    wrong = tmp_path / "solution.py"
    wrong.write_text(text.replace(old, new))
    with pytest.raises(SolutionFailedError, match=sentence) as caught:
        run(tmp_path, fileset(files, 200), settings, solution=wrong)
    assert type(caught.value.__cause__).__name__ == exception
    assert "more chunks failed" in str(caught.value)


def test_a_solution_that_fails_on_some_events_leaves_the_others_done(
    tmp_path: Path, files: Files, settings: Settings
) -> None:
    picky = tmp_path / "solution.py"
    text = reference_path(settings).read_text()
    picky.write_text(
        text.replace(
            "    first, photons =", "    assert len(events) < 200\n    first, photons =", 1
        )
    )
    with pytest.raises(SolutionFailedError, match="AssertionError"):
        run(tmp_path, fileset(files, {200, 230, 260}), settings, solution=picky)
    assert len(list((tmp_path / "chunks").rglob("*.json"))) >= 3


def test_a_disk_that_fails_stops_the_step_and_blames_nobody(
    tmp_path: Path, files: Files, settings: Settings
) -> None:
    digest = sha256_file(reference_path(settings))
    (tmp_path / "chunks").mkdir()
    (tmp_path / "chunks" / digest[:16]).write_text("a file where a folder should be")
    with pytest.raises(ConvertError, match=r"the system failed.*Not a directory|File exists"):
        run(tmp_path, fileset(files, 200), settings)


def test_a_solution_that_somebody_changed_meanwhile_is_not_blamed(
    tmp_path: Path, files: Files, settings: Settings
) -> None:
    frozen = shutil.copyfile(reference_path(settings), tmp_path / "solution.py")

    class Late(InlineExecutor):
        """Begins when the solution is another one."""

        def map(self, *work: Any) -> list[Result]:
            frozen.write_text(frozen.read_text() + "# edited\n")
            return super().map(*work)

    with pytest.raises(ConvertError, match=r"expected the frozen solution .* found"):
        run(tmp_path, fileset(files, 200), settings, Late(), frozen)


def test_official_numbers_2025(tmp_path: Path, samples: Path) -> None:
    from pipeline.configure import configure

    chosen = configure(["channel=hzz4l", "data=opendata_2025", "data.location=x"])
    source = samples / "2025e-13tev-beta" / "exactly4lep"
    (path,) = source.glob("*periodD*.root")
    run(tmp_path, fileset({DATA: [path]}, 1000), chosen)
    cutflow = read_json(tmp_path / "output" / "cutflow.json")[DATA]
    assert [n for _, n in cutflow] == [3424, 458, 395, 110, 2, 2, 2]
    steps = "all, trigger, trigger_matched, lepton_pt, good_leptons, flavour, charge"
    assert ", ".join(name for name, _ in cutflow) == steps
    assert len(read_table(tmp_path / "output" / f"{DATA}.parquet")) == 2


@pytest.mark.parametrize(
    ("period", "entries", "selected"), [("A", 39, 27), ("B", 156, 86), ("C", 237, 146)]
)
def test_official_numbers_2020(
    tmp_path: Path, samples: Path, period: str, entries: int, selected: int
) -> None:
    from pipeline.configure import configure

    chosen = configure(["channel=hzz4l", "data=opendata_2020", "data.location=x"])
    path = samples / "2020e-13tev" / "4lep" / "Data" / f"data_{period}.4lep.root"
    name = f"data_{period}"
    run(tmp_path, fileset({name: [path]}, 50, tree="mini"), chosen)
    cutflow = read_json(tmp_path / "output" / "cutflow.json")[name]
    assert (cutflow[0], cutflow[-1]) == (["all", entries], ["charge", selected])
    table = read_table(tmp_path / "output" / f"{name}.parquet")
    assert len(table) == selected
    assert set(table["final_state"]) <= {44, 48, 52}
    assert table["m_4l"].between(20, 2000).all()
    assert (table["weight"] == 1).all()
    shutil.rmtree(tmp_path / "chunks")
