"""The plan: sweep.json says of each point what its frozen settings say, and leaves none out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from pipeline.overrides import GROUPS, groups
from pipeline.paths import resource
from pipeline.settings import STAGES, Settings, to_dict
from pipeline.sweep.point import Point
from pipeline.verify.findings import Group
from pipeline.verify.folder import RunFolder

PLAN = "sweep.json"
OWN = ("points", "dialogues/points")
"""Folders that hold a folder for every point."""


def check_plan(run: RunFolder, group: Group) -> None:
    """The points, their choices and identities, and what was asked for."""
    settings = {
        point: found
        for point in run.points
        if (found := run.settings(f"points/{point}/settings.json", group)) is not None
    }
    for name in _unplanned(run):
        group.holds(
            False, PLAN, f"the point of {name}", "no such point",
            "restore sweep.json from a copy of the run: a report without some of the trials is "
            "another result",
        )  # fmt: skip
    if len(settings) == len(run.points):
        _check_whole(run, settings, group)
    if not run.layout.is_sweep:
        return
    choices: Mapping[str, Mapping[str, str]] = run.sweep["choices"]
    for point, found in settings.items():
        planned = run.sweep.get("identity", {}).get(point)
        group.same(PLAN, f"identity.{point} as points/{point}/settings.json gives it,",
                   Point(point, found).identity, planned)  # fmt: skip
        _check_choices(point, choices.get(point, {}), found, settings, group)


def _unplanned(run: RunFolder) -> Iterator[str]:
    """Folders of points that the plan does not have.

    One with settings alone is none: they are written before the plan, and a kill may come between.
    """
    for owner in OWN:
        for folder in sorted((run.path / owner).glob("*")):
            more = folder.is_dir() and any(p.name != "settings.json" for p in folder.iterdir())
            if more and folder.name not in run.points:
                yield f"{owner}/{folder.name}"


def _check_whole(run: RunFolder, settings: Mapping[str, Settings], group: Group) -> None:
    """What the plan says of all points together, or of those that its last command asked for."""
    asked = [str(point) for point in run.sweep.get("asked", run.points)]
    group.same(PLAN, "asked: points of the plan, and beside them",
               [], [point for point in asked if point not in settings])  # fmt: skip
    of_asked = [settings[point] for point in asked if point in settings]
    stages = {stage for one in of_asked for stage in one.stages}
    group.same(PLAN, "stages as the settings of the points that were asked for have them,",
               [stage for stage in STAGES if stage in stages], run.sweep.get("stages"))  # fmt: skip
    if of_asked:
        group.same(PLAN, f"solver as points/{asked[0]}/settings.json has it,",
                   of_asked[0].solver.name, run.sweep.get("solver"))  # fmt: skip


def _check_choices(
    point: str,
    choices: Mapping[str, str],
    settings: Settings,
    every: Mapping[str, Settings],
    group: Group,
) -> None:
    """What was chosen for a point, by which a report calls it, is what its settings hold.

    A configuration of somebody's own may have another `name` inside than its file; that is noted,
    if no configuration of Ladon's and no other point has the name that the choice says.
    """
    plain = to_dict(settings)
    for key, chosen in choices.items():
        held = _held(plain, key)
        if held is None:
            continue
        what = f"choices.{point}.{key} as points/{point}/settings.json has it,"
        if key in GROUPS and chosen != held and not _is_known(key, chosen, every):
            group.note(f"{PLAN} calls {key}={chosen} what the settings of {point} call {held}")
        elif _means(chosen, held):
            group.holds(True, PLAN, what, "")
        else:
            group.same(PLAN, what, held, chosen)


def _is_known(key: str, name: str, every: Mapping[str, Settings]) -> bool:
    """Whether a configuration of this name is Ladon's, or that of any point."""
    own = {_held(to_dict(settings), key) for settings in every.values()}
    return name in own or name in groups(resource("conf"))[key]


def _held(plain: Mapping[str, Any], key: str) -> Any:
    """The value of a key, or the name of the option of a group; None where there is none."""
    value: Any = plain
    for word in [key, "name"] if key in GROUPS else key.split("."):
        if not isinstance(value, Mapping) or word not in value:
            return None
        value = value[word]
    return value


def _means(text: str, value: Any) -> bool:
    """Whether a word of a command line means this value."""
    if text == value or text == str(value):
        return True
    try:
        read = yaml.safe_load(text)
        return bool(read == value or float(read) == float(value))
    except (yaml.YAMLError, TypeError, ValueError):
        return False
