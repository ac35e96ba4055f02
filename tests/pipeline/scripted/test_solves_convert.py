"""The final modules of convert give what our own solutions give, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.stages.contract import ContractError
from pipeline.stages.convert.contract import CONTRACT, Converted, reference_path
from pipeline.stages.solution import load_solution
from tests.pipeline.scripted.random_events import random_events
from tests.pipeline.scripted.replies import module_of, settings_of

SCOPES = ("hyy-2025", "hyy-2020", "hzz4l-2025", "hzz4l-2020")
ROWS = {"hyy-2025": 40, "hyy-2020": 40, "hzz4l-2025": 5, "hzz4l-2020": 100}
"""Rows that are selected at least of 1,500 events, so that equal means something."""


def load(folder: Path, reply: str) -> Any:
    path = folder / "solution.py"
    path.write_text(module_of(reply), encoding="utf-8")
    return load_solution(path, CONTRACT.defines)


def converted(module: Any, events: Any, channel: str) -> Converted:
    arguments = {"events": events, "channel": channel}
    return CONTRACT.accept(CONTRACT.call(module, arguments), arguments)


@pytest.mark.parametrize("scope", SCOPES)
def test_rows_and_cut_flow_are_those_of_our_solution(scope: str, tmp_path: Path) -> None:
    settings, channel = settings_of(scope), scope.partition("-")[0]
    scripted = load(tmp_path, f"{scope}/convert/04-coder.md")
    ours = load_solution(reference_path(settings), CONTRACT.defines)
    events = random_events(settings, 1_500, seed=7)
    for given in (events, events[:0]):
        found, right = converted(scripted, given, channel), converted(ours, given, channel)
        assert found.cutflow == right.cutflow
        assert [*found.columns] == [*right.columns]
        for name, values in right.columns.items():
            assert found.columns[name].dtype == values.dtype, name
            np.testing.assert_array_equal(found.columns[name], values, err_msg=name)
        assert len(right) >= (ROWS[scope] if len(given) else 0)


@pytest.mark.parametrize("scope", SCOPES)
def test_the_first_module_asks_for_what_does_not_exist(scope: str, tmp_path: Path) -> None:
    first = load(tmp_path, f"{scope}/convert/02-coder.md")
    events = random_events(settings_of(scope), 3, seed=1)
    wrong = "photon_E" if scope.startswith("hyy") else "lep_E"
    sentence = f"unknown branch '{wrong}' in BRANCHES; did you mean '{wrong.lower()}'"
    with pytest.raises(ContractError, match=sentence):
        CONTRACT.call(first, {"events": events})
