"""Everything that a solution may import works inside, and no check takes it for an attack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import uproot

from executors.sandbox import Limits
from tests.executors.sandbox.conftest import made

pytestmark = pytest.mark.sandbox

SOLUTION = """
import awkward as ak
import hist
import numpy as np
import pandas as pd
import pyarrow.parquet
import scipy.optimize
import scipy.stats
import uproot
import vector
import xgboost
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import cross_val_predict


def inspect(path):
    with uproot.open(path) as file:
        tree = file["analysis"]
        return {"entries": tree.num_entries, "sum": float(np.sum(tree["pt"].array()))}


def train(x, y):
    model = HistGradientBoostingClassifier(max_iter=3, random_state=1)
    folds = cross_val_predict(model, x.reshape(-1, 1), y, cv=3, n_jobs=2)
    forest = RandomForestClassifier(3, n_jobs=-1, random_state=1).fit(x.reshape(-1, 1), y)
    trees = xgboost.XGBClassifier(n_estimators=2).fit(x.reshape(-1, 1), y)
    column = x[:, None]
    right = [np.mean(p == y) for p in (folds, forest.predict(column), trees.predict(column))]
    pd.DataFrame({"x": x}).to_parquet("kept.parquet")
    kept = pd.read_parquet("kept.parquet")["x"].to_numpy()
    photons = vector.array({"pt": x + 1, "phi": x, "eta": x, "mass": 0 * x})
    filled = hist.Hist.new.Reg(4, 0, 1).Double().fill(x)
    root = scipy.optimize.brentq(lambda z: z * z - 2, 0, 2)
    return right + [np.array_equal(kept, x), float((photons + photons).mass[0]),
                    float(filled.sum()), root]
"""


@pytest.mark.parametrize(
    "kind", ["bubblewrap", pytest.param("apptainer", marks=pytest.mark.apptainer)]
)
def test_packages_work_inside(kind: str, tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "some events.root") as file:
        file["analysis"] = {"pt": np.arange(10.0)}
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 1, 300)
    readonly = {"events.root": tmp_path / "some events.root"}
    with made(kind, Limits(memory_mb=2048)).open(SOLUTION, readonly) as worker:
        assert worker.loaded.ok, worker.loaded
        found = worker.call("inspect", [worker.inputs["events.root"]])
        assert found.value == {"entries": 10, "sum": 45.0}, found
        result = worker.call("train", [x, (x > 0.5).astype(np.int64)])
        assert result.ok, result
        assert min(result.value[:3]) > 0.9
        assert result.value[3] is True
        assert result.value[5:] == [300.0, pytest.approx(2**0.5)]
        assert found.violations == result.violations == worker.loaded.violations == ()
