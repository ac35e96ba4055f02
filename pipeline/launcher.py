"""The Hydra launcher that turns a multirun into one Snakemake graph, and the verbs that use it."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import ModuleType

from hydra import version
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from pipeline.overrides import SWEEP, check_keys, parse, sentence, values_of
from pipeline.paths import resource
from pipeline.settings import SettingsError
from pipeline.sweep.point import Point, points_of, run_of_sweep

PLUGINS = "hydra_plugins.ladon"
"""Hydra makes plugins of the package `hydra_plugins` alone, and goes by the name of the class."""


class PointSweeper(Sweeper):
    """The product of all values of all overrides, in one batch.

    Hydra's basic sweeper, without its composing of every point before the launcher does the same.
    """

    __module__ = PLUGINS

    def __init__(self, params: Mapping[str, str] | None = None) -> None:
        """`params`: overrides of a sweep file, which those of the command line go before."""
        self.params = dict(params or {})
        self.launcher: Launcher | None = None

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> list[Sequence[JobReturn]]:
        """The results of the one batch."""
        assert self.launcher is not None  # Hydra calls setup first
        given = parse([*(f"{key}={text}" for key, text in self.params.items()), *arguments])
        values: dict[str, list[str]] = {}
        for override in given:
            key = override.get_key_element()
            if override.is_sweep_override() and not override.is_discrete_sweep():
                raise SettingsError(
                    f"expected values that can be listed, found {override.input_line!r}; take a "
                    "choice (a,b) or a range: range(0,20)"
                )
            values[key] = [f"{key}={text}" for text in values_of(override)]
        batch = [list(point) for point in itertools.product(*values.values())]
        return [self.launcher.launch(batch, initial_job_idx=0)]


class SnakemakeLauncher(Launcher):
    """Composes and freezes all points, and runs them as one graph."""

    __module__ = PLUGINS

    def __init__(self) -> None:
        self.config: DictConfig | None = None

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """One result for each job; its value is the exit code of the graph they are all in."""
        code = run_points(points_of_sweep(job_overrides))
        done = JobStatus.COMPLETED
        return [
            JobReturn(overrides=list(own), status=done, _return_value=code) for own in job_overrides
        ]


def register() -> None:
    """Make the two known to Hydra, which looks for them by name in a package of its own."""
    plugins = Plugins.instance()
    package = sys.modules.setdefault("hydra_plugins", ModuleType("hydra_plugins"))
    module = ModuleType(PLUGINS)
    for plugin in (PointSweeper, SnakemakeLauncher):
        plugins.register(plugin)
        setattr(module, plugin.__name__, plugin)
    setattr(package, PLUGINS.rpartition(".")[2], module)
    sys.modules[PLUGINS] = module


def points_of_sweep(batch: Sequence[Sequence[str]]) -> list[Point]:
    """The points of all jobs, in a run with a name."""
    points = points_of(batch)
    chosen = [o.value() for o in parse(batch[0]) if o.key_or_group == SWEEP]
    run = run_of_sweep(points, str(chosen[0]) if chosen else None)
    return [replace(p, settings=replace(p.settings, run=run)) for p in points]


def run_points(points: Sequence[Point]) -> int:
    """Run a sweep to its report and tell what became of it; the exit code."""
    from pipeline.report import terminal_summary
    from pipeline.run import EXIT_CONTINUE, EXIT_OK, EXIT_STOPPED, run_sweep

    console, settings = Console(), points[0].settings
    stages = {(p.name, s) for p in points for s in p.settings.stages}
    console.print(
        f"sweep {settings.run.name} in {settings.run.outputs}/: {len(points)} points, "
        f"{len(stages)} stages of them",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    outcome = run_sweep(points, console)
    if outcome.exit_code in (EXIT_STOPPED, EXIT_CONTINUE):
        console.print("stopped; the same command continues where this one was")
    if (outcome.folder / "summary.json").exists() or outcome.exit_code == EXIT_OK:
        console.print(terminal_summary(outcome.folder))
    for problem in outcome.problems:
        Console(stderr=True).print(f"ladon: {problem}", highlight=False, markup=False)
    return outcome.exit_code


def multirun(overrides: Sequence[str]) -> int:
    """What `ladon sweep` does, with the launcher of hydra/launcher; the worst exit code."""
    conf = resource("conf")
    own = [o for o in overrides if not o.lstrip("+~").startswith("hydra")]
    check_keys(conf, parse(own), sweep=True)
    register()
    version.setbase("1.3")
    GlobalHydra.instance().clear()
    hydra = Hydra.create_main_hydra2("ladon", create_config_search_path(str(conf)))
    try:
        returned = hydra.multirun(
            config_name="config",
            task_function=one_run,
            overrides=list(overrides),
            with_log_configuration=False,
        )
    except (HydraException, OmegaConfBaseException) as error:
        raise SettingsError(sentence(error)) from error
    finally:
        GlobalHydra.instance().clear()
    return max(int(job.return_value) for batch in returned for job in batch)


def one_run(config: DictConfig) -> int:
    """One point as a run of its own, for Hydra's other launchers: its exit code."""
    from pipeline.cli import main

    chosen = HydraConfig.get()
    overrides = list(chosen.overrides.task)
    for number, text in enumerate(overrides):
        if text.startswith("run.name="):
            overrides[number] = f"{text}-{chosen.job.num}"  # two runs cannot have one folder
    return main(["run", *overrides])
