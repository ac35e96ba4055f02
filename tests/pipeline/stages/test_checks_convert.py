"""The judge of convert, on faulty solutions that really read synthetic ROOT files."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.configure import configure
from pipeline.data.synthetic import generate_file
from pipeline.files import read_json, read_table, write_json, write_table
from pipeline.judge import JudgeRequest, Verdict, judge
from pipeline.settings import Settings
from pipeline.stages.convert import input_events
from pipeline.stages.convert.contract import CONTRACT, reference_path
from pipeline.stages.convert.events import read_events
from pipeline.stages.solution import load_solution
from tests.pipeline.stages.small_run import settings

DATA, SIMULATION = "data15_periodD", "346525"
FLAGS = ["ph1_tight", "ph1_isolated", "ph2_tight", "ph2_isolated"]
REFERENCE = reference_path(settings()).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Converting:
    """A period of synthetic data and a simulated sample, converted as execute does it."""

    folder: Path
    fileset: dict[str, Any]
    settings: Settings

    def convert(self, code: str, owner: str) -> JudgeRequest:
        folder = self.folder / owner / "convert"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "solution.py"
        path.write_text(code, encoding="utf-8")
        solution = load_solution(path, CONTRACT.defines)
        cutflows, ledger, chunks = {}, {}, []
        for name, sample in self.fileset["samples"].items():
            file = sample["files"][0]
            tree, release = self.fileset["tree"], self.settings.data.release
            events = read_events(file["path"], tree, release, 0, file["entries"])
            arguments = {"events": events, "channel": self.settings.channel.name}
            product = CONTRACT.accept(CONTRACT.call(solution, arguments), arguments)
            table = product.table.sort_values(["run_number", "event_number"], ignore_index=True)
            cutflows[name] = [list(step) for step in product.cutflow]
            ledger[name] = {"entries_done": file["entries"], "complete": True}
            chunks.append({"sample": name, "rows": len(table)})
            if sample["kind"] == "data":
                write_table(folder / "sealed" / f"{name}.parquet", table)
                hidden = table["event_number"].isin(self.blinded(arguments))
                table = table[~hidden].reset_index(drop=True)
            write_table(folder / "output" / f"{name}.parquet", table)
        write_json(folder / "output" / "cutflow.json", cutflows)
        write_json(folder / "output" / "ledger.json", {"samples": ledger, "chunks": chunks})
        return self.request(owner)

    def blinded(self, arguments: dict[str, Any]) -> pd.Series:
        """Event numbers of what our own code finds in the window, as execute does it."""
        if self.settings.channel.name != "hyy":
            return pd.Series([], dtype=np.int64)
        ours = CONTRACT.call(load_solution(reference_path(settings()), {}), arguments)
        table = CONTRACT.accept(ours, arguments).table
        inside = table["m_yy"].between(120, 130, inclusive="neither")
        return table.loc[table[FLAGS].all(axis=1) & inside, "event_number"]

    def request(self, owner: str) -> JudgeRequest:
        solver = "reference" if owner == "reference" else "agent"
        return JudgeRequest(
            stage="convert",
            settings=replace(self.settings, solver=replace(self.settings.solver, name=solver)),
            fileset=self.fileset,
            solution_path=self.folder / owner / "convert" / "solution.py",
            output=self.folder / owner / "convert",
            reference=self.folder / "reference" / "convert",
            upstream={},
            reference_upstream={},
            record={"status": "ok", "failure": None},
        )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Converting:
    folder = tmp_path_factory.mktemp("run")
    data = replace(settings().data, synthetic=True, thinning=0.1)
    samples = {}
    for name in (DATA, SIMULATION):
        made = generate_file("hyy", name, data, folder / f"{name}.root")
        file = {"path": made["path"], "entries": made["entries"]}
        samples[name] = {"kind": made["kind"], "files": [file]}
    converting = Converting(folder, {"tree": "analysis", "samples": samples}, settings())
    converting.convert(REFERENCE, "reference")
    return converting


def judged(run: Converting, tail: str) -> Verdict:
    code = f"{REFERENCE}\n\nhonest = convert\nimport pandas as pd\n\n\n{tail}"
    return judge(run.convert(code, "points/main"))


def failed(verdict: Verdict, with_rungs: bool = False) -> set[str]:
    checks = [c for c in verdict.checks if with_rungs or c.rung is None]
    return {c.name for c in (*checks, *verdict.guard) if not c.passed}


def rewrite(request: JudgeRequest, change) -> JudgeRequest:
    """Change the files that were written, as no honest run would."""
    for path in sorted(request.output.glob("*/*.parquet")):
        write_table(path, change(read_table(path)))
    return request


def test_our_own_code_is_exact(run) -> None:
    verdict = judge(run.convert(REFERENCE, "points/main"))
    assert failed(verdict, with_rungs=True) == set()
    assert (verdict.outcome, verdict.rung) == ("passed", "exact")
    assert len(verdict.guard) == 12  # six for data, six for simulation


def test_the_reference_is_judged_without_a_rung(run) -> None:
    verdict = judge(run.request("reference"))
    assert (verdict.outcome, failed(verdict)) == ("reference", set())
    identity = next(c for c in verdict.checks if c.name == f"{SIMULATION}: event identity")
    assert identity.found == 0
    assert len(verdict.guard) == 12


def test_the_guard_has_events_to_ask_about(run) -> None:
    tables = [read_table(run.folder / f"reference/convert/{f}.parquet")
              for f in (f"sealed/{DATA}", f"output/{SIMULATION}")]  # fmt: skip
    assert len(tables[0]) > 300
    assert len(tables[1]) > 1000
    assert (tables[1]["weight"] < 0).sum() > 10


def test_rows_in_another_order_are_a_permutation(run) -> None:
    request = run.convert(REFERENCE, "points/main")
    verdict = judge(rewrite(request, lambda t: t.sample(frac=1, random_state=1)))
    assert (verdict.outcome, verdict.rung) == ("passed", "permutation")


def test_one_percent_of_the_rows_dropped_reaches_no_rung(run) -> None:
    request = run.convert(REFERENCE, "points/main")
    verdict = judge(rewrite(request, lambda t: t.iloc[np.arange(len(t)) % 100 != 7]))
    assert (verdict.outcome, verdict.rung) == ("failed", None)
    names = failed(verdict, with_rungs=True)
    assert {f"{SIMULATION}: bit for bit", f"{SIMULATION}: same rows in another order",
            f"{SIMULATION}: events", f"{SIMULATION}: rows"} <= names  # fmt: skip
    assert {c.rung for c in verdict.checks if not c.passed} >= {
        "exact", "permutation", "statistical", "physics",
    }  # fmt: skip


def test_another_mass_formula_is_statistical(run) -> None:
    tail = (
        "def mass_and_pt(pt, eta, phi, e):\n"
        "    square = 2 * pt[0] * pt[1] * (np.cosh(eta[0] - eta[1]) - np.cos(phi[0] - phi[1]))\n"
        "    px, py = (pt * np.cos(phi)).sum(axis=0), (pt * np.sin(phi)).sum(axis=0)\n"
        "    return np.sqrt(np.where(square >= 0, square, np.nan)), np.hypot(px, py)\n"
    )
    verdict = judged(run, tail)
    assert failed(verdict) == set()
    assert (verdict.outcome, verdict.rung) == ("passed", "statistical")


def test_a_spare_column_that_is_wrong_leaves_the_physics(run) -> None:
    tail = "def convert(events):\n    t = honest(events)\n    t['jet5_phi'] = -t['jet5_phi']\n"
    verdict = judged(run, tail + "    t['jet1_phi'] = -t['jet1_phi']\n    return t\n")
    assert (verdict.outcome, verdict.rung) == ("passed", "physics")


HEAD = "def convert(events):\n    t = honest(events)\n"
N = "    n = len(t['m_yy'])\n"
FAULTS = {
    "mev for gev": (
        HEAD + "    for name in ('ph1_pt', 'ph2_pt', 'm_yy', 'pt_yy'):\n        t[name] *= 1000\n",
        {f"{DATA}: units", f"{SIMULATION}: units"},
        "units",
    ),
    "unsigned weights": (
        HEAD + "    t['weight'] = np.abs(t['weight'])\n",
        {f"{SIMULATION}: sum of weight"},
        "semantic error",
    ),
    "a shuffled column": (
        HEAD + N + "    t['n_bjets'] = np.random.default_rng(n).permutation(t['n_bjets'])\n",
        {f"{SIMULATION}: values event by event", f"{SIMULATION}: every third event dropped"},
        "fabrication",
    ),
    "constants": (
        HEAD + N + "    t['m_yy'] = np.full(n, 125.0)\n",
        {f"{DATA}: photons and leptons scaled by 1.05: m_yy scales"},
        "fabrication",
    ),
    "drawn at random": (
        HEAD + N + "    t['m_yy'] = np.random.default_rng().normal(125, 5, n)\n",
        {"the same input twice gives the same bits", f"{DATA}: events in another order"},
        "not deterministic",
    ),
    "drawn at random with a seed": (
        HEAD + N + "    t['m_yy'] = np.random.default_rng(1).normal(125, 5, n)\n",
        {f"{DATA}: every third event dropped", f"{DATA}: events in another order"},
        "fabrication",
    ),
    "a cut flow out of thin air": (
        HEAD + "    t['cutflow'] = [('all', len(events)), ('end', len(events))]\n",
        {f"{DATA}: cut flow ends with the rows selected"},
        "semantic error",
    ),
    "nothing is tight": (
        HEAD + N + "    t['ph1_tight'] = np.zeros(n, bool)\n",
        {f"{n}: cut flow ends with the rows selected" for n in (DATA, SIMULATION)},
        "semantic error",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(run, fault) -> None:
    tail, names, category = FAULTS[fault]
    verdict = judged(run, tail + "    return t\n")
    assert names <= failed(verdict, with_rungs=True)
    assert verdict.outcome == "failed"
    assert verdict.failure is not None
    assert (verdict.failure.category, verdict.failure.attribution) == (category, "model")


def test_the_references_answer_pasted_in_is_found(run) -> None:
    answer = str(run.folder / "reference" / "convert")
    tail = (
        f"FOLDER = {answer!r}\n"
        "def convert(events):\n"
        f"    files = ('sealed/{DATA}', 'output/{SIMULATION}')\n"
        "    t = pd.concat([pd.read_parquet(f'{FOLDER}/{f}.parquet') for f in files])\n"
        "    asked = set(zip(np.asarray(events.runNumber), np.asarray(events.eventNumber)))\n"
        "    t = t[[k in asked for k in zip(t.run_number, t.event_number)]]\n"
        "    tight = t[['ph1_tight', 'ph1_isolated', 'ph2_tight', 'ph2_isolated']].all(axis=1)\n"
        "    cutflow = [('all', len(events)), ('selected', int(tight.sum()))]\n"
        "    return {**{c: t[c].to_numpy() for c in t}, 'cutflow': cutflow}\n"
    )
    verdict = judged(run, tail)
    bits = [c for c in verdict.checks if c.name.endswith("bit for bit")]
    assert [c.passed for c in bits] == [True, True]
    assert failed(verdict) == {
        f"{DATA}: other event numbers",
        f"{SIMULATION}: other event numbers, doubled weights",
        f"{DATA}: photons and leptons scaled by 1.05: m_yy scales",
        f"{SIMULATION}: photons and leptons scaled by 1.05: m_yy scales",
    }
    assert verdict.failure is not None
    assert verdict.failure.category == "fabrication"


def test_rows_out_of_thin_air_are_found(run) -> None:
    request = run.convert(REFERENCE, "points/main")
    more = lambda t: pd.concat([t, t.iloc[:1], t.iloc[:1].assign(event_number=10**9)])  # noqa: E731
    verdict = judge(rewrite(request, more))
    identity = next(c for c in verdict.checks if c.name == f"{SIMULATION}: event identity")
    assert (identity.passed, identity.found) == (False, 2)


def test_a_large_fileset_is_not_read_again(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows were recognised chunk by chunk: there are as many as these gave, or some are false."""
    monkeypatch.setattr(input_events, "MOST_ENTRIES", 100)
    monkeypatch.setattr(input_events, "readable_events", None)  # nothing is opened for it
    assert judge(run.request("reference")).outcome == "reference"
    request = run.convert(REFERENCE, "points/main")
    verdict = judge(rewrite(request, lambda t: pd.concat([t, t.iloc[:1]])))
    for name in (DATA, SIMULATION):
        identity = next(c for c in verdict.checks if c.name == f"{name}: event identity")
        assert not identity.passed
        assert identity.found == identity.expected + 1


def test_what_the_jobs_counted_is_known_to_the_judge(run) -> None:
    """Where convert is cut into jobs and no manifest has the entries (2024r-pp)."""
    counts = [
        {"sample": name, "number": 0, "entries": sample["files"][0]["entries"],
         "verified": "none", "problem": None}
        for name, sample in run.fileset["samples"].items()
    ]  # fmt: skip
    write_json(run.folder / "reference" / "convert" / "output" / "counts.json", counts)
    samples = {
        name: {
            **sample,
            "complete": True,
            "files": [
                {**file, "entries": None, "uri": "root://a//b.root", "size": 1, "adler32": "0" * 8}
                for file in sample["files"]
            ],
        }
        for name, sample in run.fileset["samples"].items()
    }
    uncounted = {**run.fileset, "samples": samples, "counted": False}
    verdict = judge(replace(run.request("reference"), fileset=uncounted))
    assert (verdict.outcome, failed(verdict)) == ("reference", set())
    assert len(verdict.guard) == 12


def test_blinded_rows_that_are_shown_are_found(run) -> None:
    request = run.convert(REFERENCE, "points/main")
    everything = read_table(request.output / "sealed" / f"{DATA}.parquet")
    hidden = len(everything) - len(read_table(request.output / "output" / f"{DATA}.parquet"))
    assert hidden > 3
    write_table(request.output / "output" / f"{DATA}.parquet", everything)
    verdict = judge(request)
    check = next(c for c in verdict.checks if "blinded" in c.name)
    assert (check.passed, check.found) == (False, hidden)
    assert verdict.failure is not None
    assert verdict.failure.category == "blinding"


def test_a_table_of_another_form_is_found(run) -> None:
    request = run.convert(REFERENCE, "points/main")
    verdict = judge(rewrite(request, lambda t: t.drop(columns="n_jets").assign(m_yy=1)))
    schema = next(c for c in verdict.checks if c.name == f"{DATA}: schema")
    assert not schema.passed
    assert "m_yy float64, m_yy int64, n_jets int64" in schema.detail
    assert verdict.failure is not None
    assert verdict.failure.category == "contract"


def test_the_cut_flow_is_compared_with_ours(run) -> None:
    request = run.convert(REFERENCE, "points/main")
    path = request.output / "output" / "cutflow.json"
    flows = read_json(path)
    flows[DATA][1][1] -= 1
    write_json(path, flows)
    verdict = judge(request)
    assert (verdict.outcome, verdict.rung) == ("passed", "permutation")
    assert failed(verdict, with_rungs=True) == {"cut flows: samples that differ"}


PERIOD_D = "ODEO_FEB2025_v0_exactly4lep_data15_periodD.exactly4lep.root"
REAL = {
    "opendata_2020": (
        "mini",
        {
            "data_A": ("2020e-13tev/4lep/Data/data_A.4lep.root", 39, 27),
            "data_C": ("2020e-13tev/4lep/Data/data_C.4lep.root", 237, 146),
        },
    ),
    "opendata_2025": (
        "analysis",
        {"data15_periodD": (f"2025e-13tev-beta/exactly4lep/{PERIOD_D}", 3424, 2)},
    ),
}


@pytest.mark.realdata
@pytest.mark.parametrize("data", REAL)
def test_four_leptons_of_the_real_files_are_judged(samples: Path, tmp_path: Path, data) -> None:
    chosen = configure(["channel=hzz4l", f"data={data}", f"data.location={samples}"])
    tree, files = REAL[data]
    listed = {
        name: {"kind": "data", "files": [{"path": str(samples / path), "entries": entries}]}
        for name, (path, entries, _) in files.items()
    }
    run = Converting(tmp_path, {"tree": tree, "samples": listed}, chosen)
    code = reference_path(chosen).read_text(encoding="utf-8")
    run.convert(code, "reference")
    verdict = judge(run.request("reference"))
    assert (verdict.outcome, failed(verdict)) == ("reference", set())
    ends = [c for c in verdict.checks if c.name.endswith("cut flow ends with the rows selected")]
    assert [c.found for c in ends] == [selected for _, _, selected in files.values()]
    verdict = judge(run.convert(code, "points/main"))
    assert (verdict.outcome, verdict.rung) == ("passed", "exact")

    fewer = code + (
        "\n\nhonest = convert\n\ndef convert(events):\n    t = honest(events)\n"
        "    flow = t.pop('cutflow')\n    n = len(t['m_4l']) - 1\n"
        "    return {**{k: v[:n] for k, v in t.items()}, 'cutflow': [*flow[:-1], ('end', n)]}\n"
    )
    verdict = judge(run.convert(fewer, "points/main"))
    assert (verdict.outcome, verdict.rung) == ("failed", None)
