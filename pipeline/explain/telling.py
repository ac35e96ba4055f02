"""An explanation on the terminal: a line for a green run, a block for each stage that is not."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pipeline.explain.reading import explain
from pipeline.explain.story import Explanation, StageStory, StepFault
from pipeline.report.notation import seconds, whole

STYLES = {"failed": "bold red", "not_reached": "yellow", "unfinished": "cyan"}
WHOSE = {
    "model": "the model",
    "endpoint": "the endpoint: it does not count against the model; the same command tries again",
    "infrastructure": "the infrastructure: it does not count against the model",
    "harness": "Ladon itself (harness): it does not count against the model",
    "data": "the data: it does not count against the model",
}
MAX_MISSES = 12


def print_explanation(console: Console, run: Path) -> None:
    """Tell what happened in the run in the folder `run`; NoRunError if there is none."""
    console.print(told(explain(run)), soft_wrap=False, highlight=False)


def told(found: Explanation) -> RenderableType:
    """The explanation as something that rich prints."""
    if found.green:
        how = "by our own solutions" if found.solvers == ("reference",) else "by the judge"
        return Text(f"{found.run}: all {found.stages} stages passed {how}; nothing to explain")
    parts: list[RenderableType] = [Text(_summary(found), style="bold")]
    parts += [part for fault in found.faults for part in (Text(), _fault(fault))]
    parts += [part for story in found.stories for part in (Text(), _story(story))]
    if not found.finished:
        parts += [Text(), Text(_missing(found))]
    return Group(*parts)


def _summary(found: Explanation) -> str:
    counts = [
        f"{n} {'stage' if n == 1 else 'stages'} {state.replace('_', ' ')}"
        for state in ("failed", "not_reached", "unfinished")
        if (n := sum(story.state == state for story in found.stories))
    ]
    if found.faults:
        steps = "1 step" if len(found.faults) == 1 else f"{len(found.faults)} steps"
        counts.append(f"{steps} stopped by a fault that is not the model's")
    return f"{found.run}: {', '.join(counts) or 'not finished'}"


def _missing(found: Explanation) -> str:
    first = ", ".join(found.missing[:3])
    more = f" and {len(found.missing) - 3} more" if len(found.missing) > 3 else ""
    return (
        f"not finished: {len(found.missing)} of {found.expected} files are missing ({first}{more})."
        " Give the same command again: it continues where this run was."
    )


def _fault(fault: StepFault) -> RenderableType:
    table = _grid()
    _row(table, "what", fault.sentence)
    _row(table, "attributed", f"{WHOSE.get(fault.attribution, fault.attribution)}")
    _row(table, "category", f"{fault.category} ({fault.kind})" if fault.kind else fault.category)
    _row(table, "look at", "\n".join(p for p in (fault.log, fault.file) if p))
    return Group(Text.assemble((f"step {fault.step}", "bold"), "  stopped"), Padding(table, (0, 2)))


def _story(story: StageStory) -> RenderableType:
    table = _grid()
    _row(table, "what", f"{story.happened.rstrip('.')}.")
    _row(table, "round", _round(story))
    _row(table, "error", _error(story))
    if story.code:
        table.add_row("code", _code(story))
    if story.misses:
        table.add_row("found", _misses(story))
    _row(table, "output", "\n".join(story.output))
    if story.failure is not None:
        _row(table, "category", _category(story))
        _row(table, "attributed", WHOSE.get(story.failure.attribution, story.failure.attribution))
    _row(table, "hints", "\n".join(f"not followed in {text}" for text in story.hint_violations))
    _row(table, "supervisor", "\n".join(story.supervisor_errors))
    _row(table, "notes", "\n".join((*story.notes, *story.remarks)))
    _row(table, "took", _took(story))
    _row(table, "look at", "\n".join(story.where))
    title = Text.assemble(
        (f"{story.stage}", "bold"),
        f" of {story.point}  ",
        (story.state.replace("_", " "), STYLES[story.state]),
    )
    return Group(title, Padding(table, (0, 2)))


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _row(table: Table, name: str, text: str) -> None:
    """A row, if there is something to say."""
    if text:
        table.add_row(name, Text(text))


def _round(story: StageStory) -> str:
    if story.round is None:
        return ""
    of = f" of {story.spent.rounds}" if story.spent is not None and story.spent.rounds else ""
    return f"{story.round}{of}"


def _error(story: StageStory) -> str:
    """The exception, where the first sentence has not said all of it."""
    if not story.exception:
        return ""
    said = f"{story.exception}: {story.message}"
    where = f"line {story.line}" if story.line is not None else ""
    if " ".join(said.split()) in story.happened:
        return where if where not in story.happened else ""
    return f"{said} ({where})" if where else said


def _code(story: StageStory) -> Text:
    text = Text()
    for line in story.code:
        mark = "→" if line.here else " "
        text.append(f"{mark} {line.number:4d}  {line.text}\n", style="bold" if line.here else "")
    text.rstrip()
    return text


def _misses(story: StageStory) -> Table:
    table = Table.grid(padding=(0, 2))
    for miss in story.misses[:MAX_MISSES]:
        table.add_row(
            Text(miss.name), Text(f"expected {miss.expected}"), Text(f"found {miss.found}")
        )
    if len(story.misses) > MAX_MISSES:
        table.add_row(Text(f"and {len(story.misses) - MAX_MISSES} more"), Text(), Text())
    return table


def _category(story: StageStory) -> str:
    assert story.failure is not None
    name, known = story.failure.category, story.category
    cause = f"; the last error: {story.cause}" if story.cause and story.cause != name else ""
    if known is None:
        return f"{name}{cause}"
    study = f" (in the study's words: {known.study})" if known.study != name else ""
    return f"{name}: {known.meaning}{cause}{study}"


def _took(story: StageStory) -> str:
    spent = story.spent
    if spent is None or not spent.calls:
        return ""
    return (
        f"{whole(spent.rounds)} rounds, {whole(spent.calls)} calls, {whole(spent.prompt_tokens)} "
        f"tokens of prompts and {whole(spent.completion_tokens)} of replies, "
        f"{seconds(spent.wall_s)}"
    )
