"""Solutions behind the wall and without one: the same names, the same faults."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from executors.sandbox import Limits, SandboxResult, named
from pipeline.configure import configure
from pipeline.files import write_table
from pipeline.physics.significance import SignificanceRule
from pipeline.stages.contract import ContractError, declared_columns
from pipeline.stages.jail import TRUSTED, Jail, SolutionFault, signal_name
from pipeline.stages.solution import SolutionLoadError
from pipeline.stages.stored import StoredTable, StoredTables

DEFINES = {"SIZE": None, "work": ("value",)}


@pytest.fixture(params=["walled", "open"])
def jail(request: pytest.FixtureRequest) -> Jail:
    """In the strongest sandbox of this machine, and in this process."""
    walled = request.param == "walled"
    return Jail(named("auto", Limits(wall_s=20, memory_mb=1024))) if walled else TRUSTED


def test_functions_and_values_are_those_of_the_module(jail: Jail) -> None:
    code = "SIZE = [3, 4]\ndef work(value):\n    return {'twice': 2 * value}"
    with jail.opened(code, DEFINES) as solution:
        assert solution.SIZE == [3, 4]
        assert solution.work(np.arange(3.0))["twice"].tolist() == [0.0, 2.0, 4.0]
        with pytest.raises(AttributeError):
            _ = solution.other


def test_columns_may_be_declared(jail: Jail) -> None:
    code = "SIZE = 0\ndef work(value): ...\n"
    with jail.opened(code, DEFINES) as solution:
        assert declared_columns(solution) is None
    with jail.opened(f"COLUMNS = ('m', 'weight', 'm')\n{code}", DEFINES) as solution:
        assert declared_columns(solution) == ["m", "weight"]
    with (
        jail.opened(f"COLUMNS = 'm'\n{code}", DEFINES) as solution,
        pytest.raises(ContractError, match="COLUMNS to be a list of names, found 'm'"),
    ):
        declared_columns(solution)


def test_tables_in_files_cross_one_after_the_other(jail: Jail, tmp_path: Path) -> None:
    write_table(tmp_path / "a.parquet", pd.DataFrame({"m": [1.0, 2.0], "n": [3, 4]}))
    tables = StoredTables({name: StoredTable(tmp_path / "a.parquet") for name in "ab"})
    code = "SIZE = 0\ndef work(tables):\n    return {n: tables[n] for n in sorted(tables)}"
    with jail.opened(code, DEFINES) as solution:
        found = solution.work(tables.narrowed(["m"]))
    for name in "ab":
        assert found[name].to_dict("list") == {"m": [1.0, 2.0], "input_row": [0, 1]}


def test_the_rule_of_significance_keeps_its_attributes(jail: Jail) -> None:
    code = (
        "SIZE = 0\ndef work(rule):\n"
        "    return [rule(3.0, 10.0), rule.min_gain, rule.min_background, rule.max_boundaries]"
    )
    rule = SignificanceRule(0.07, 0.9, 4)
    with jail.opened(code, DEFINES) as solution:
        assert solution.work(rule) == [rule(3.0, 10.0), 0.07, 0.9, 4]


def test_what_a_solution_raises_keeps_its_name(jail: Jail) -> None:
    code = "SIZE = 0\ndef work(value):\n    return value['photon_ptt']"
    with jail.opened(code, DEFINES) as solution, pytest.raises(SolutionFault) as caught:
        solution.work({"photon_pt": 1.0})
    assert type(caught.value).__name__ == "KeyError"
    assert str(caught.value) == "KeyError: 'photon_ptt'"
    assert caught.value.result.line == 3
    assert "photon_ptt" in caught.value.result.traceback


def test_leaving_the_program_is_a_fault_too(jail: Jail) -> None:
    code = "import sys\nSIZE = 0\ndef work(value):\n    sys.exit(3)"
    with jail.opened(code, DEFINES) as solution, pytest.raises(SolutionFault, match="SystemExit"):
        solution.work(1)


def test_what_cannot_be_imported_says_why(jail: Jail) -> None:
    code = "import no_such_package\nSIZE = 0\ndef work(value): ..."
    with (
        pytest.raises(SolutionLoadError, match=r"ModuleNotFoundError: .*no_such_package"),
        jail.opened(code, DEFINES),
    ):
        pass


def test_what_defines_too_little_is_not_opened(jail: Jail) -> None:
    with pytest.raises(ContractError, match="define 'work'"), jail.opened("SIZE = 0", DEFINES):
        pass


def test_a_file_is_read_where_it_lies_inside(jail: Jail, tmp_path: Path) -> None:
    path = tmp_path / "canary"
    path.write_text("sings")
    code = "SIZE = 0\ndef work(path):\n    with open(path) as file:\n        return file.read()"
    with jail.opened(code, DEFINES, {"paths": {"sample": str(path)}}) as solution:
        assert solution.work(str(path)) == "sings"


def test_an_ending_of_the_sandbox_has_a_name_of_its_own() -> None:
    slow = Jail(named("auto", Limits(wall_s=1.0)))
    code = "import time\nSIZE = 0\ndef work(value):\n    time.sleep(60)"
    with slow.opened(code, DEFINES) as solution, pytest.raises(SolutionFault) as caught:
        solution.work(1)
    assert type(caught.value).__name__ == "TimeLimitError"
    assert not solution.alive


def test_a_solution_cannot_take_the_name_of_such_an_ending() -> None:
    walled = Jail(named("auto", Limits(wall_s=20)))
    code = (
        "SIZE = 0\nclass TimeLimitError(Exception): ...\n"
        "def work(value):\n    raise TimeLimitError('took 1 s of 600')"
    )
    with walled.opened(code, DEFINES) as solution, pytest.raises(SolutionFault) as caught:
        solution.work(1)
    assert type(caught.value).__name__ == "Exception"


def test_signals_have_names_or_numbers() -> None:
    named_ones = {9: "SIGKILL", 40: "signal 40", None: ""}
    found = {n: signal_name(SandboxResult("killed", signal=n)) for n in named_ones}
    assert found == named_ones
    for number in (9, 40):
        assert str(SolutionFault.of(SandboxResult("killed", signal=number))).startswith(
            f"ProcessDiedError: the process was ended by {named_ones[number]}"
        )


def test_who_is_trusted() -> None:
    assert Jail.of(configure(["solver=reference"])).sandbox is None
    assert Jail.of(configure(["site.sandbox=none"])).sandbox is None
    chosen = Jail.of(configure(["site.sandbox=plain", "site.limits.memory_mb=777"])).sandbox
    assert chosen is not None
    assert chosen.name == "plain"
    assert Jail.of(configure([])).sandbox is not None


def test_a_trial_has_less_time_than_the_whole() -> None:
    settings = configure(["site.limits.trial_s=7"])
    for trial, seconds in ((True, 7.0), (False, 3600.0)):
        sandbox = Jail.of(settings, trial=trial).sandbox
        assert sandbox is not None
        assert sandbox.limits.wall_s == seconds  # type: ignore[attr-defined]
