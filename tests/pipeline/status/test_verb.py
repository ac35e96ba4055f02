"""The verb: once, as JSON, live on a terminal, and what it answers to mistakes."""

import io
import json
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.cli import main
from pipeline.lock import run_lock
from pipeline.status import status, verb
from tests.pipeline.status.run_folder import RunFolder, run_folder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return run_folder(tmp_path / "outputs")


def terminal() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=True, width=100, height=40), text


def test_json_is_one_object(folder: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(folder.path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["run"], told["state"]) == (1, "shown", "stopped")


def test_a_run_is_found_by_its_name(
    folder: RunFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["status", "shown", "--once"]) == 0
    assert "shown  not started" in capsys.readouterr().out
    assert main(["status", "another"]) == 2
    assert "expected a run in outputs/another, found none" in capsys.readouterr().err
    assert main(["status", "shown", "--twice"]) == 2
    assert "unknown option '--twice' for status" in capsys.readouterr().err


def test_what_is_no_terminal_gets_one_view(folder: RunFolder) -> None:
    console = Console(file=io.StringIO(), width=100)
    with run_lock(folder.path):
        assert status(folder.path, (), console) == 0


def test_the_live_view_ends_when_the_run_has_ended(folder: RunFolder) -> None:
    console, text = terminal()
    looking = threading.Thread(target=status, args=(folder.path, (), console, 0.05), daemon=True)
    with run_lock(folder.path):
        looking.start()
        time.sleep(0.5)
        assert looking.is_alive()
        assert "running here" in text.getvalue()
        folder.finish()
    looking.join(timeout=10)
    assert not looking.is_alive()
    assert "finished" in text.getvalue()


def test_an_interrupt_ends_the_view(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    console, text = terminal()
    monkeypatch.setattr(verb.time, "sleep", interrupt)
    with run_lock(folder.path):
        assert status(folder.path, (), console) == 0
    assert "running here" in text.getvalue()
