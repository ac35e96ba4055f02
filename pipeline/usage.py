"""What `ladon --help` says, and which options each verb takes."""

from __future__ import annotations

from collections.abc import Sequence

HELP = """usage: ladon <verb> [overrides]

verbs
  run      run the analysis to its report; the same command continues what was stopped;
           [-m | --multirun]: the same as sweep
  sweep    run many points as one graph to one report: model=a,b trial=range(0,20); the same
           command continues, with more values it computes what is new
  report   draw the report of a run again, and print its summary
  status   RUN [--once] [--json]: how it stands: stages, jobs, servers, chunks, tokens; live
  explain  RUN: why stages of it failed, whose fault that is, and where to look
  compare  A B [--json]: two runs, or configurations RUN:CONFIG of a sweep, on the same trials
  replay   RUN: run it again from its recorded replies, without a model, and compare every file
  verify   RUN [--json] [--judge]: every hash and every number of it against the files it claims;
           --judge runs guards and comparisons of the judge again as well
  export   RUN [--output FOLDER|ZIP] [--without-outputs]: it as a Workflow Run RO-Crate
  serve    start a server of the model at the site and wait until it is ready; [--list] [--stop]
           [--check-determinism]: measure whether it answers with the same bits alone and in a crowd
  config   print the settings that the overrides mean
  data     [list] [RELEASE ...] | show RELEASE[/SKIM[/SAMPLE]] | diff OLD NEW [--json]: what ATLAS
           has opened, what is known of a part of it, what two manifests say differently
  doctor   [--nodes] [--json]: whether the chosen site can run here, and what is missing

RUN is the folder of a run, or its name below run.outputs; without one the newest run
overrides are Hydra's: channel=hzz4l data.mu=2 run.name=mine
groups   {groups}
sweeps   {sweeps}
options  --debug shows tracebacks; --help this text; --version
examples
  ladon run
  ladon run model=endpoint model.repository=OWNER/NAME model.base_url=http://HOST:8000/v1
  ladon sweep sweep=smoke
  ladon sweep model=a,b trial=range(0,20) chain=isolated,chained
  ladon run channel=hzz4l data=opendata_2020 data.location=PATH data.partial=true
"""


MULTIRUN = ("-m", "--multirun")
OPTIONS = {
    "run": MULTIRUN,
    "compare": ("--json",),
    "data": ("--json", "--against"),
    "doctor": ("--json", "--nodes"),
    "serve": ("--check-determinism", "--list", "--stop"),
    "status": ("--json", "--once"),
    "export": ("--author", "--licence", "--output", "--without-outputs"),
    "verify": ("--json", "--judge"),
}
"""What each verb takes besides overrides; --debug and --help are taken by all."""


class UsageError(ValueError):
    """The command line is not of the form that the verb takes."""


def check_options(verb: str, arguments: Sequence[str]) -> None:
    """UsageError for an option among `arguments` that `verb` does not take."""
    for option in arguments:
        if option.startswith("-") and option not in OPTIONS.get(verb, ()):
            known = ", ".join(("--debug", "--help", *OPTIONS.get(verb, ())))
            raise UsageError(f"unknown option {option!r} for {verb}; known: {known}")


def print_help() -> None:
    """Print the verbs, the configuration groups and the sweep files that there are."""
    from pipeline.overrides import groups, sweeps
    from pipeline.paths import resource

    found = groups(resource("conf"))
    text = "; ".join(f"{name}: {', '.join(options)}" for name, options in found.items())
    print(HELP.format(groups=text, sweeps=", ".join(sweeps(resource("conf")))), end="")
