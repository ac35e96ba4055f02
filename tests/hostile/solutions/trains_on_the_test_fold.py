"""Scores events with the neighbours that it was trained on: themselves.

stage: classify
caught by: judge
category: leakage
attribution: model
"""

import numpy as np
from scipy.spatial import cKDTree


def scores(signal, background, data, features, seed):
    tables = {"signal": signal, "background": background, "data": data}
    x = {name: np.log1p(table[features].to_numpy(float)) for name, table in tables.items()}
    tree = cKDTree(np.concatenate([x["signal"], x["background"]]))
    weight = np.concatenate([
        np.full(len(signal), 1 / len(signal)), np.full(len(background), 1 / len(background)),
    ])  # fmt: skip
    is_signal = np.arange(len(weight)) < len(signal)
    found = {}
    for name, points in x.items():
        near = tree.query(points, k=40)[1]
        w = weight[near]
        found[name] = (w * is_signal[near]).sum(axis=1) / w.sum(axis=1)
    return found
