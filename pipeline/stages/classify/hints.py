"""Hints of classify: seeds, one thread, nothing of the observable, no training on data."""

from __future__ import annotations

import ast

from pipeline.settings import Settings
from pipeline.stages.hints import everywhere, in_lines, listed, row_loops
from pipeline.stages.syntax import calls, full_names, keyword, last_name, parameters, words
from pipeline.stages.trial import StageHint

SEEDLESS = frozenset(("KNeighborsClassifier", "RadiusNeighborsClassifier", "VotingClassifier",
                      "StackingClassifier", "DummyClassifier", "is_classifier"))  # fmt: skip
"""Learners that take no seed."""
SEEDS = ("random_state", "seed")
THREADS = ("n_jobs", "nthread", "n_threads", "num_threads")
LIMITERS = frozenset(("threadpool_limits", "ThreadpoolController"))


def hints(settings: Settings) -> tuple[StageHint, ...]:
    """The hints of classify for a channel."""
    observable = settings.channel.observable
    return (
        StageHint(
            "fixed-seed",
            "Give `seed` as random_state to every learner, and to every split that shuffles.",
            in_code=unseeded_learners,
        ),
        StageHint(
            "one-thread",
            "Train in one thread (threadpool_limits(limits=1), n_jobs=1): sums over threads differ "
            "in their last bits.",
            in_code=several_threads,
        ),
        StageHint(
            "no-observable",
            f"Never use {observable}, not even to weight or to choose events.",
            in_code=lambda tree: listed("mentions", sorted(words(tree) & {observable})),
        ),
        StageHint("data-untrained", "Never fit anything to `data`.", in_code=fits_data),
        StageHint("no-row-loops", "No loop over rows: whole columns.", in_code=row_loops),
        *everywhere("classify"),
    )


def unseeded_learners(tree: ast.Module) -> str:
    """Learners and shuffles without a seed, and a `seed` that nobody reads."""
    found = []
    for call in calls(tree):
        name = last_name(call)
        learner = name.endswith("Classifier") and name not in SEEDLESS
        shuffles = _is_true(keyword(call, "shuffle")) or name.endswith("ShuffleSplit")
        if not (learner or shuffles or name == "train_test_split"):
            continue
        given = [keyword(call, each) for each in SEEDS]
        unpacked = any(k.arg is None for k in call.keywords)
        seeds = [g for g in given if g is not None]
        if not unpacked and (not seeds or any(_is_none(g) for g in seeds)):
            found.append(name)
    if found:
        return listed("no seed for", found)
    arguments = parameters(tree, "scores")
    if len(arguments) == 5 and not _is_read(tree, arguments[4]):
        return f"`{arguments[4]}` is never used"
    return ""


def _is_read(tree: ast.Module, name: str) -> bool:
    return any(
        isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)
        for n in ast.walk(tree)
    )


def several_threads(tree: ast.Module) -> str:
    """More threads than one, or nothing that says how many, where a learner takes part."""
    numbers = [value for call in calls(tree) for n in THREADS if (value := keyword(call, n))]
    if any(not _is_one(value) for value in numbers):
        return "asks for more threads than one"
    learners = [m for m in full_names(tree).values() if m.split(".")[0] in ("sklearn", "xgboost")]
    limited = bool(LIMITERS & words(tree)) or bool(numbers) or bool(set(THREADS) & words(tree))
    return "" if limited or not learners else "says nowhere that there is one thread"


def fits_data(tree: ast.Module) -> str:
    """Calls of fit that are given the argument `data`."""
    arguments = parameters(tree, "scores")
    data = arguments[2] if len(arguments) == 5 else "data"
    lines = [
        call.lineno
        for call in calls(tree)
        if last_name(call) in ("fit", "partial_fit", "fit_transform")
        and any(_names(value, data) for value in [*call.args, *(k.value for k in call.keywords)])
    ]
    return in_lines(f"fits `{data}`", lines)


def _names(node: ast.expr, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1
