"""One order for one set of rows, and cut flows that add up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.contract import ContractError
from pipeline.stages.convert.product import merged_cutflow, sorted_rows

ROW = st.tuples(
    st.integers(0, 2), st.integers(-2, 2), st.sampled_from([0.5, -1.0, np.nan]), st.booleans()
)


@settings(deadline=None)
@given(st.lists(ROW, max_size=25), st.randoms())
def test_rows_in_any_order_come_out_in_one(rows: list, chance) -> None:  # type: ignore[no-untyped-def,type-arg]
    names = ["run_number", "event_number", "value", "flag"]
    table = pd.DataFrame(rows, columns=names)
    other = pd.DataFrame(chance.sample(rows, len(rows)), columns=names).astype(table.dtypes)
    found = sorted_rows(table)
    pd.testing.assert_frame_equal(found, sorted_rows(other))
    pairs = list(zip(found["run_number"], found["event_number"], strict=True))
    assert pairs == sorted(pairs)
    assert found.index.tolist() == list(range(len(rows)))


def test_cut_flows_add_up() -> None:
    parts = [(("all", 5), ("tight", 2)), (("all", 7), ("tight", 7))]
    assert merged_cutflow(parts) == [["all", 12], ["tight", 9]]
    assert merged_cutflow([]) == [["all", 0]]


def test_cut_flows_of_other_steps_are_refused() -> None:
    with pytest.raises(ContractError, match=r"expected the steps \['all', 'tight'\]"):
        merged_cutflow([(("all", 5), ("tight", 2)), (("all", 7),)])
