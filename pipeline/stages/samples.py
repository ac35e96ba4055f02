"""What each sample is and whether it may be normalised, as the stages after convert need it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.files import read_json
from pipeline.stages.contract import StageContext

SAMPLES_FILE = "samples.json"
"""Kept by preprocess beside its tables, for the stages that do not read convert's files."""

_FROM_FILESET = (
    "kind",
    "process",
    "role",
    "dsid",
    "xsec_pb",
    "filter_efficiency",
    "k_factor",
    "sum_of_weights",
)


def describe_samples(context: StageContext) -> dict[str, dict[str, Any]]:
    """Sample name -> its facts, with `complete`, `normalisable` and the `reason` if it is not.

    Joins the fileset (are all files there?) with the ledger of convert (was every chunk of them
    read?): a sample that lost a chunk is neither complete nor normalisable.
    """
    ledger = read_json(context.upstream["convert"] / "output" / "ledger.json")["samples"]
    described = {}
    for name, sample in sorted(context.fileset["samples"].items()):
        complete, reason = bool(sample["complete"]), sample["reason"]
        read = ledger.get(name)
        if read is not None and not read["complete"]:
            complete = False
            reason = (
                reason
                or read.get("reason")
                or (
                    f"{read['quarantined']} of {read['chunks']} chunks were quarantined, so that "
                    f"{read['entries_done']} of {read['entries_expected']} entries were read"
                )
            )
        described[name] = {
            **{key: sample[key] for key in _FROM_FILESET},
            "complete": complete,
            "normalisable": complete and bool(sample["normalisable"]),
            "reason": reason,
        }
    return described


def cannot_measure(samples: Mapping[str, Mapping[str, Any]], needs_background: bool) -> str | None:
    """The sentence why these samples give no measurement, or None.

    Every simulated signal sample must be normalisable (and with `needs_background` every simulated
    background), and every data sample complete, or its luminosity is not the one assumed.
    """
    roles = {"signal": "simulated signal"}
    if needs_background:
        roles["background"] = "simulated background"
    for role, title in roles.items():
        ours = {name: s for name, s in samples.items() if s["role"] == role and s["kind"] == "mc"}
        lacking = [name for name, s in ours.items() if not s["normalisable"]]
        if len(lacking) == len(ours):
            return f"no {title} sample is complete: {_listed(ours, lacking)}"
        if lacking:
            return f"not every {title} sample is complete: {_listed(ours, lacking)}"
    data = {name: s for name, s in samples.items() if s["kind"] == "data"}
    lacking = [name for name, s in data.items() if not s["complete"]]
    if lacking or not data:
        return (
            "the data are not complete, so that their luminosity is not that of the settings: "
            + _listed(data, lacking)
        )
    return None


def _listed(samples: Mapping[str, Mapping[str, Any]], names: list[str]) -> str:
    if not names:
        return "there is none"
    first = names[0]
    why = samples[first]["reason"] or "it cannot be normalised"
    said = f"{samples[first]['process']} ({first}): {why}"
    return said if len(names) == 1 else f"{said}; and {len(names) - 1} more"
