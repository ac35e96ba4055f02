"""An honest solution of preprocess for H→γγ."""

import numpy as np
import pandas as pd


def preprocess(tables, info):
    low, high = info["fit_range"]
    parts = {"signal": [], "background": [], "control": [], "data": []}
    n_tight = n_loose = n_window = 0
    for name in sorted(tables):
        facts = info["samples"][name]
        table = tables[name].assign(process=facts["process"], sample=name)
        mass = table[info["observable"]]
        tight = table.ph1_tight & table.ph1_isolated & table.ph2_tight & table.ph2_isolated
        fit = mass.between(low, high)
        if facts["kind"] == "mc":
            if facts["normalisable"] and facts["role"] == "signal":
                scale = facts["xsec_pb"] * facts["filter_efficiency"] * facts["k_factor"]
                scale *= 1000 * info["luminosity_fb"] / facts["sum_of_weights"]
                chosen = table[tight & fit]
                parts["signal"].append(chosen.assign(weight=chosen.weight * scale))
            continue
        side = np.any([mass.between(a, b) for a, b in info["sidebands"]], axis=0)
        n_tight += int((tight & side).sum())
        n_loose += int((~tight & side).sum())
        n_window += int((~tight & mass.between(*info["signal_window"])).sum())
        parts["data"].append(table[tight & fit].assign(weight=1.0))
        parts["background"].append(table[~tight & side])
        parts["control"].append(table[~tight & fit & ~side])
    sf1 = n_tight / n_loose if n_loose else 0.0
    sf2 = n_window / n_loose if n_loose else 0.0
    for name, weight in (("background", sf1 * sf2), ("control", sf1)):
        parts[name] = [t.assign(weight=weight, control_weight=sf1) for t in parts[name]]
    empty = tables[min(tables)].iloc[:0].assign(process="", sample="")
    result = {}
    for name, found in parts.items():
        filled = [table for table in found if len(table)]
        result[name] = pd.concat(filled, ignore_index=True) if filled else empty.copy()
        if name in ("background", "control") and not filled:
            result[name]["control_weight"] = np.empty(0)
    return result
