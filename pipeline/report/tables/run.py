"""Tables of the run: points, stages with their verdicts and checks, provenance."""

from __future__ import annotations

from typing import Any

from pipeline.report.folder import PointFolder
from pipeline.report.model import solvers
from pipeline.report.notation import DASH, interval, number, seconds, short_hash, whole
from pipeline.report.tables.cell import Cell, Table, Tone, numeric

TONES: dict[str, Tone] = {
    "passed": "good",
    "reference": "good",
    "failed": "bad",
    "not_reached": "muted",
}


def stages_table(point: PointFolder) -> Table:
    """One row per stage: verdict, rung, checks, time, and why it failed."""
    rows = []
    for stage, about in in_order(point):
        verdict = f"{point.base}/{stage}/verdict.json"
        solution = f"{point.base}/{stage}/solution.py"
        file = verdict if point.exists(verdict) else point.results_file
        checks = about.get("checks") or {"passed": 0, "total": 0}
        failed = checks["passed"] < checks["total"]
        rows.append(
            (
                Cell(stage, solution if point.exists(solution) else None, tone="strong"),
                Cell(about["outcome"].replace("_", " "), file, tone=TONES[about["outcome"]]),
                Cell(about["rung"] or DASH, file),
                numeric(f"{checks['passed']} / {checks['total']}", file, checks["passed"],
                        tone="bad" if failed else ""),
                numeric(seconds(about["wall_s"]), point.results_file, about["wall_s"]),
                Cell(why(about), file if why(about) else None),
            )
        )  # fmt: skip
    return Table(
        "stages",
        "Outcome of each stage",
        "Outcome of judging each stage, the highest rung of the ladder it reached (exact, "
        "permutation, statistical, physics), and the time it took to write and to run its "
        "solution. The reference solver is judged by the checks that need no other solution.",
        ("stage", "outcome", "rung", "checks", "time", "why"),
        tuple(rows),
    )


def why(about: dict[str, Any]) -> str:
    """Why a stage failed or was not reached, in a sentence; empty if neither."""
    failure = about["failure"]
    if failure:
        return f"{failure['category']} ({failure['attribution']}): {failure['evidence']}"
    return str(about.get("reason") or "")


def in_order(point: PointFolder) -> list[tuple[str, dict[str, Any]]]:
    """(stage, its entry of results.json) in the order in which stages run."""
    stages = point.results["stages"]
    return [(s, stages[s]) for s in point.settings.channel.stages if s in stages]


def checks_table(point: PointFolder) -> Table | None:
    """Every check and guard of every verdict; None if no verdict has any."""
    rows = []
    for stage, _ in in_order(point):
        path = f"{point.base}/{stage}/verdict.json"
        verdict = point.json(path) if point.exists(path) else {"checks": [], "guard": []}
        for kind in ("checks", "guard"):
            for check in verdict[kind]:
                passed = check["passed"]
                rung = "guard" if kind == "guard" else check.get("rung") or "requirement"
                rows.append(
                    (
                        Cell(stage, path, tone="strong"),
                        Cell(check["name"]),
                        Cell(rung, tone="muted"),
                        Cell("yes" if passed else "no", tone="good" if passed else "bad"),
                        numeric(scalar(check["expected"]), path, check["expected"]),
                        numeric(scalar(check["found"]), path, check["found"]),
                        Cell(check["detail"], tone="muted"),
                    )
                )
    if not rows:
        return None
    return Table(
        "checks",
        "Every check",
        "What each verdict rests on. A guard runs the frozen solution again on inputs that were "
        "changed in a known way.",
        ("stage", "check", "kind", "passed", "expected", "found", "detail"),
        tuple(rows),
    )


def scalar(value: Any) -> str:
    """A value of a check: numbers with up to six digits, text as it is."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return whole(value)
    return f"{value:.6g}".replace("-", "\u2212") if isinstance(value, float) else str(value)


def provenance_table(point: PointFolder) -> Table:
    """What made these results: hashes, versions, code, machine."""
    made = point.results["provenance"]
    rows = [_hash("settings", made["settings_sha256"], point.settings_file)]
    rows.append(
        _hash("manifest", made["manifest_sha256"], None)
        if made["manifest_sha256"]
        else (Cell("manifest", tone="strong"), Cell("none: synthetic data have no manifest"))
    )
    if made.get("fileset_sha256"):
        rows.append(_hash("fileset", made["fileset_sha256"], point.fileset_file))
    for stage, about in ((s, made["solutions"].get(s)) for s, _ in in_order(point)):
        path = f"{point.base}/{stage}/solution.py"
        if about:
            rows.append(_hash(f"solution of {stage}", about, path if point.exists(path) else None))
    if made.get("code_sha256"):
        rows.append(_hash("code of Ladon", made["code_sha256"], None))
    rows.append((Cell("git", tone="strong"), Cell(made["git"], point.results_file)))
    versions = ", ".join(f"{name} {version}" for name, version in sorted(made["versions"].items()))
    rows.append((Cell("versions", tone="strong"), Cell(versions, point.results_file)))
    hardware = made.get("hardware") or {}
    if hardware:
        text = ", ".join(f"{key} {value}" for key, value in sorted(hardware.items()))
        rows.append((Cell("machine", tone="strong"), Cell(text, point.results_file)))
    return Table(
        "provenance",
        "What made these results",
        "Hashes are SHA-256, cut to twelve digits; the whole ones are in results.json.",
        ("what", "value"),
        tuple(rows),
    )


def _hash(name: str, digest: str, file: str | None) -> tuple[Cell, Cell]:
    return Cell(name, tone="strong"), Cell(short_hash(digest), file, digest, hint=digest)


def points_table(points: tuple[PointFolder, ...]) -> Table:
    """One row per point of a sweep."""
    rows = []
    for point in points:
        stages, who = in_order(point), solvers(point)
        good = sum(about["outcome"] in ("passed", "reference") for _, about in stages)
        cells = [
            Cell(point.name, f"#{anchor(point)}", tone="strong"),
            Cell(point.settings.channel.name),
            Cell(point.settings.data.name),
            Cell(who.short if who is not None else "reference"),
            numeric(f"{good} / {len(stages)}", point.results_file, good,
                    tone="" if good == len(stages) else "bad"),
        ]  # fmt: skip
        found = point.results["measurement"]
        if found is None:
            cells += [numeric(DASH, point.results_file, None)] * 3
        else:
            best = interval(found["mu"], tuple(found["mu_err"]))
            expected = found["significance"]["expected"]
            observed = found["significance"]["observed"]
            cells += [
                numeric(best.plain, point.results_file, found["mu"]),
                numeric(number(expected), point.results_file, expected),
                numeric(number(observed), point.results_file, observed),
            ]
        rows.append(tuple(cells))
    return Table(
        "points",
        "Points of this run",
        "One row per configuration.",
        ("point", "channel", "data", "solver", "stages done", "μ", "Z expected", "Z observed"),
        tuple(rows),
    )


def anchor(point: PointFolder) -> str:
    """The id of a point's section on the page."""
    return "point-" + "".join(c if c.isalnum() else "-" for c in point.name)
