"""An honest solution of classify: an additive logistic model on binned features, in five folds."""

import numpy as np

FOLDS, BINS, STEPS = 5, 8, 8


def binned(table, features, edges):
    columns = [np.ones(len(table))]
    for name in features:
        which = np.searchsorted(edges[name], table[name].to_numpy(float))
        columns += [which == i for i in range(1, len(edges[name]) + 1)]
    return np.stack(columns, axis=1).astype(float)


def fitted(x, y, w):
    beta = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ beta))
        slope = x.T @ (w * (y - p)) - 1e-3 * beta
        bend = (x * (w * p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(len(beta))
        beta = beta + np.linalg.solve(bend, slope)
    return beta


def fold_of(table):
    return table["event_number"].to_numpy(np.int64) * 2654435761 % 2**32 // 7 % FOLDS


def scores(signal, background, data, features, seed):
    tables = {"signal": signal, "background": background, "data": data}
    both = np.concatenate([signal[features].to_numpy(float), background[features].to_numpy(float)])
    steps = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = {n: np.unique(np.quantile(both[:, i], steps)) for i, n in enumerate(features)}
    x = {name: binned(table, features, edges) for name, table in tables.items()}
    folds = {name: fold_of(table) for name, table in tables.items()}
    found = {name: np.zeros(len(table)) for name, table in tables.items()}
    for fold in range(FOLDS):
        s, b = (folds[n] != fold for n in ("signal", "background"))
        w = np.abs(signal["weight"].to_numpy(float)[s])
        weight = np.concatenate([w / w.sum(), np.full(b.sum(), 1 / b.sum())]) * len(both)
        y = np.concatenate([np.ones(s.sum()), np.zeros(b.sum())])
        beta = fitted(np.concatenate([x["signal"][s], x["background"][b]]), y, weight)
        for name in tables:
            mine = folds[name] == fold
            found[name][mine] = 1 / (1 + np.exp(-x[name][mine] @ beta))
    return found
