"""Asks for a branch that there is none of.

stage: convert
caught by: bench
category: incorrect branch name
attribution: model
"""

BRANCHES = ["runNumber", "eventNumber", "photon_E"]


def convert(events):
    return {"run_number": events["runNumber"], "cutflow": [("all", len(events))]}
