"""Results: every number of results.json, put together again from the files of the stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.files import RunFileError
from pipeline.report.errors import ResultsError
from pipeline.report.results import validate_results
from pipeline.results import collect
from pipeline.settings import SettingsError
from pipeline.verify.findings import Group, differences
from pipeline.verify.folder import RunFolder

REMEDY = (
    "remove the point's results.json and give the command of the run again, or restore the stage's "
    "files from a copy of the run"
)
MOMENT = ("git", "versions", "manifest_sha256", "code_sha256", "hardware")
"""Members of the provenance that say what made the run; `origin` compares them."""


@dataclass(frozen=True)
class Collected:
    """results.json of every point as its files give it, and the group of the comparison."""

    group: Group
    results: dict[str, dict[str, Any]]


def check_results(run: RunFolder) -> Collected:
    """Collect every point again and compare number by number."""
    group = Group("results", REMEDY)
    found: dict[str, dict[str, Any]] = {}
    for point in run.points:
        name = f"points/{point}/results.json"
        told = run.json(name, group)
        lacking = [v for v in run.layout.verdicts(point) if not run.has(v)]
        for verdict in lacking:
            group.lacks(verdict)
        if told is None or lacking:
            continue
        try:
            validate_results(told)
            wanted = collect(run.path, point)
        except ResultsError as error:
            group.holds(False, name, "the form of results.json", str(error) + run.other_code)
            continue
        except FileNotFoundError as error:
            group.lacks(_relative(run, str(error.filename)))
            continue
        except (RunFileError, SettingsError, LookupError, TypeError, ValueError) as error:
            said = f"{type(error).__name__}: {error}"
            group.holds(False, name, "files that the results can be collected from", said)
            continue
        for member in MOMENT:
            wanted["provenance"][member] = told["provenance"].get(member)
        found[point] = wanted
        for place, expected, had in differences(wanted, told):
            file = _source(point, place)
            what = f"{place} as {file} has it," if file else f"{place} as the stages give it,"
            group.same(name, what, expected, _with_doubt(had, run))
        group.checked += _leaves(told)
    return Collected(group, found)


def _with_doubt(found: Any, run: RunFolder) -> Any:
    return f"{found!r}{run.other_code}" if run.other_code else found


def _source(point: str, place: str) -> str | None:
    """The file that a member of the results is from, where it is one file."""
    head, _, rest = place.partition(".")
    if head == "stages":
        stage, _, member = rest.partition(".")
        member = member.partition(".")[0]
        if member in ("rounds", "api_calls", "tokens", "notes"):
            return f"points/{point}/{stage}/attempts.json"
        if member in ("outcome", "rung", "checks"):
            return f"points/{point}/{stage}/verdict.json"
    if head == "measurement":
        return f"points/{point}/measure/sealed/measurement.json"
    if head == "categories":
        return f"points/{point}/categorize/output/categories.json"
    return None


def _leaves(content: Any) -> int:
    """How many values a JSON value holds."""
    if isinstance(content, dict):
        return sum(map(_leaves, content.values()))
    return sum(map(_leaves, content)) if isinstance(content, list) else 1


def _relative(run: RunFolder, name: str) -> str:
    return name.removeprefix(f"{run.path}/")
