"""The `ladon` command: one grammar for every verb, `ladon <verb> [hydra overrides]`."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from pipeline.usage import MULTIRUN, UsageError, check_options, print_help

if TYPE_CHECKING:
    from pipeline.settings import Settings

EXIT_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code is 0 for done, 1 for failed, 2 for a user's mistake."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given or os.environ.get("LADON_DEBUG") == "1"
    given = [g for g in given if g != "--debug"]
    try:
        return _dispatch(given)
    except (ValueError, LookupError, OSError, RuntimeError) as error:
        # Everything that a user can cause arrives here as one sentence.
        if debug:
            traceback.print_exc()
        Console(stderr=True).print(
            f"ladon: {_sentence(error)}", highlight=False, markup=False, soft_wrap=True
        )
        return EXIT_USAGE


def _sentence(error: BaseException) -> str:
    if isinstance(error, LookupError) and error.args:
        return str(error.args[0])
    return str(error) or type(error).__name__


def _dispatch(given: list[str]) -> int:
    from pipeline.settings import nearest

    if not given or given[0] in ("-h", "--help", "help") or "--help" in given:
        print_help()
        return 0 if given else EXIT_USAGE
    if given[0] == "--version":
        from importlib import metadata

        print(metadata.version("ladon-hep"))
        return 0
    verb, overrides = given[0], given[1:]
    if verb not in VERBS:
        raise UsageError(f"unknown verb {verb!r}; {nearest(verb, list(VERBS))}")
    check_options(verb, overrides)
    return VERBS[verb](overrides)


def _sweep(overrides: list[str]) -> int:
    from pipeline.launcher import multirun

    return multirun(overrides)


def _run(overrides: list[str]) -> int:
    if any(option in overrides for option in MULTIRUN):
        return _sweep([o for o in overrides if o not in MULTIRUN])
    from pipeline.configure import configure
    from pipeline.report import terminal_summary
    from pipeline.run import EXIT_CONTINUE, EXIT_OK, EXIT_STOPPED, run

    console = Console()
    settings = configure(overrides)
    console.print(
        f"run {settings.run.name} in {settings.run.outputs}/", highlight=False, soft_wrap=True
    )
    for said in _who_writes(settings):
        console.print(said, highlight=False, markup=False, soft_wrap=True)
    outcome = run(settings, console)
    if outcome.exit_code == EXIT_OK:
        console.print(terminal_summary(outcome.folder))
    elif outcome.exit_code in (EXIT_STOPPED, EXIT_CONTINUE):
        console.print("stopped; the same command continues where this one was")
    for problem in outcome.problems:
        Console(stderr=True).print(
            f"ladon: {problem}", highlight=False, markup=False, soft_wrap=True
        )
    return outcome.exit_code


def _who_writes(settings: Settings) -> Iterator[str]:
    """Who writes the solutions, and what their code may reach on this machine."""
    from executors.sandbox import unprotected
    from pipeline.determinism.asked import asked
    from pipeline.stages.jail import Jail

    if settings.solver.name == "reference":
        return
    model = settings.model
    if model.provider == "scripted":
        yield f"model scripted:{model.script}: replies written by people, no language model"
    else:
        where = model.base_url or f"served by Ladon at site {settings.site.name}"
        yield f"model {model.repository or model.name}, {where}"
        if model.deterministic:
            yield from (f"  {sentence}" for sentence in asked(settings))
    sandbox = Jail.of(settings).sandbox
    if sandbox is None:
        yield "sandbox none: the model's code runs with all rights of this user"
        return
    yield f"sandbox {sandbox.name}"
    yield from (f"  not protected: {layer}" for layer in unprotected(sandbox))


def _report(overrides: list[str]) -> int:
    from pipeline.report import make_report, terminal_summary

    folder = _run_folder(overrides)
    make_report(folder)
    Console().print(terminal_summary(folder))
    return 0


def _run_folder(overrides: list[str]) -> Path:
    """The run that the overrides mean: a named one, or the newest."""
    from pipeline.configure import configure

    settings = configure(overrides)
    named = any(o.startswith("run.name=") for o in overrides)
    name = settings.run.name if named else "latest"
    folder = Path(settings.run.outputs) / name
    if not (folder / "sweep.json").exists():
        raise FileNotFoundError(
            f"expected a run in {folder}, found none; start one with `ladon run`, or name it with "
            "run.name=NAME and its place with run.outputs=PATH"
        )
    return folder.resolve()


def _explain(arguments: list[str]) -> int:
    from pipeline.explain import print_explanation

    print_explanation(Console(), _given_run(arguments))
    return 0


def _replay(arguments: list[str]) -> int:
    from pipeline.replay import compare_runs, prepare_replay, replay_folder
    from pipeline.run import EXIT_FAILED, EXIT_OK, run

    console = Console()
    recorded = _given_run(arguments)
    target = replay_folder(recorded)
    settings = prepare_replay(recorded, target)
    console.print(f"replaying {recorded.name} in {target}", highlight=False, soft_wrap=True)
    outcome = run(settings, console, latest=False)
    for problem in outcome.problems:
        Console(stderr=True).print(f"ladon: {problem}", highlight=False, markup=False)
    if outcome.exit_code != EXIT_OK:
        return outcome.exit_code
    comparison = compare_runs(recorded, target)
    console.print(comparison)
    return EXIT_OK if comparison.same else EXIT_FAILED


def _given_run(arguments: list[str]) -> Path:
    """The run that is named: a folder, or a name below run.outputs; without a word the newest."""
    names = [a for a in arguments if "=" not in a]
    if len(names) > 1:
        raise UsageError(f"expected one run, found {' '.join(names)}")
    if names and (Path(names[0]) / "sweep.json").is_file():
        return Path(names[0]).resolve()
    overrides = [a for a in arguments if "=" in a]
    return _run_folder([*overrides, *(f"run.name={Path(n).name}" for n in names)])


def _compare(arguments: list[str]) -> int:
    from pipeline.evaluation.compare import compare_runs
    from pipeline.evaluation.compare_view import show

    overrides = [a for a in arguments if "=" in a and ":" not in a]
    words = [a for a in arguments if a not in (*overrides, "--json")]
    found = compare_runs(words, lambda name: _given_run([name, *overrides]))
    show(found, Console(), "--json" in arguments)
    return 0


def _status(arguments: list[str]) -> int:
    from pipeline.status import status

    options = [a for a in arguments if a.startswith("-")]
    return status(_given_run([a for a in arguments if a not in options]), options, Console())


def _verify(arguments: list[str]) -> int:
    from pipeline.verify.verb import print_verification

    options = [a for a in arguments if a.startswith("-")]
    run = _given_run([a for a in arguments if a not in options])
    return print_verification(run, options, Console())


def _export(arguments: list[str]) -> int:
    from pipeline.crate.verb import Wanted, export

    wanted, rest = Wanted.read(arguments)
    return export(_given_run(rest), wanted, Console())


def _doctor(arguments: list[str]) -> int:
    from pipeline.doctor import doctor

    return doctor(arguments, Console())


def _config(overrides: list[str]) -> int:
    from pipeline.configure import configure
    from pipeline.files import to_json
    from pipeline.settings import to_dict

    print(to_json(to_dict(configure(overrides))), end="")
    return 0


def _data(arguments: list[str]) -> int:
    from pipeline.data.verb import data

    return data(arguments, Console())


def _serve(arguments: list[str]) -> int:
    from pipeline.serve import serve

    return serve(arguments, Console())


VERBS: dict[str, Callable[[list[str]], int]] = {
    "run": _run,
    "sweep": _sweep,
    "report": _report,
    "status": _status,
    "explain": _explain,
    "compare": _compare,
    "replay": _replay,
    "verify": _verify,
    "export": _export,
    "config": _config,
    "data": _data,
    "doctor": _doctor,
    "serve": _serve,
}


if __name__ == "__main__":
    sys.exit(main())
