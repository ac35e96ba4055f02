"""Rounds, calls, tokens and turns of a dialogue that grows."""

from pathlib import Path

from pipeline.status.dialogue import Dialogues, Told
from pipeline.status.reading import Reader
from pipeline.status.snapshot import Spent
from tests.pipeline.status.run_folder import POINT, run_folder


def test_a_dialogue_is_counted_as_it_grows(tmp_path: Path) -> None:
    folder = run_folder(tmp_path)
    dialogues = Dialogues(folder.path, Reader())
    assert dialogues.of(POINT, "convert") == Told()
    folder.dialogue(
        "convert",
        {"kind": "start"},
        {"kind": "request", "round": 1, "role": "supervisor"},
        {"kind": "reply", "usage": {"prompt": 900, "completion": 100, "reasoning": 0}},
        {"kind": "request", "round": 1, "role": "coder"},
    )
    told = dialogues.of(POINT, "convert")
    assert told == Told(1, Spent(1, 900, 100), "round 1: the coder is asked")
    path = folder.dialogue(
        "convert",
        {"kind": "reply", "usage": {"prompt": 1500, "completion": 800, "reasoning": 0}},
        {"kind": "candidate", "round": 1, "code": "x"},
    )
    expected = Told(1, Spent(2, 2400, 900), "round 1: its code is tried")
    assert dialogues.of(POINT, "convert") == expected
    with path.open("a") as file:
        file.write('{"kind": "request", "round": 2, "role"')  # half a line
    assert dialogues.of(POINT, "convert") == expected
    with path.open("a") as file:
        file.write(': "coder"}\n')
    assert dialogues.of(POINT, "convert").doing == "round 2: the coder is asked"
    assert dialogues.of(POINT, "convert").rounds == 2


def test_lines_of_another_form_do_no_harm(tmp_path: Path) -> None:
    folder = run_folder(tmp_path)
    folder.dialogue(
        "inspect",
        {"kind": "reply", "usage": None},
        {"kind": "reply", "usage": {"prompt": "many"}},
        {"kind": "request", "round": "second"},
        {"kind": ["x"]},
        {"kind": "fault", "error": "EndpointError"},
    )
    told = Dialogues(folder.path, Reader()).of(POINT, "inspect")
    assert told == Told(0, Spent(2, 0, 0), "round 0: EndpointError")
