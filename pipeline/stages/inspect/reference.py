"""Reference solution of inspect: what uproot says of a file's trees."""

from __future__ import annotations

from typing import Any

import uproot


def inspect(path: str) -> dict[str, Any]:
    """Trees of a ROOT file with their entries and the type of every branch."""
    with uproot.open(path) as file:
        trees = {}
        for name in file.keys(recursive=True, cycle=False, filter_classname="TTree"):
            tree = file[name]
            trees[name] = {
                "entries": int(tree.num_entries),
                "branches": {branch.name: branch.typename for branch in tree.branches},
            }
        return {"trees": trees}
