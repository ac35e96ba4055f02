"""What a user types and what comes back: exit codes and single sentences."""

from pathlib import Path

import pytest

from pipeline.cli import main


def test_help_names_every_verb_and_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for word in ("run", "report", "config", "data", "hzz4l", "opendata_2025"):
        assert word in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rum"], "unknown verb 'rum'; did you mean 'run'"),
        (["run", "--fast"], "unknown option '--fast' for run"),
        (["run", "data.mux=1"], "unknown key 'data.mux'; did you mean 'data.mu'"),
        (["run", "channel=hzz4l", "stages=[classify]"], "has no stage 'classify'"),
        (["report", "run.name=nowhere"], "expected a run in outputs/nowhere, found none"),
        (["explain", "outputs/nowhere"], "expected a run in outputs/nowhere, found none"),
        (["replay", "nowhere"], "expected a run in outputs/nowhere, found none"),
        (["replay", "one", "two"], "expected one run, found one two"),
        (["compare", "one"], "expected two runs, or two configurations as RUN:CONFIG, found one"),
        (["compare", "nowhere", "two"], "expected a run in outputs/nowhere, found none"),
        (["compare", "nowhere:novice", "two"], "expected a run in outputs/nowhere, found none"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], in_tmp: Path
) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert message in " ".join(told.split())
    assert "Traceback" not in told
    assert list(in_tmp.iterdir()) == []


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str], in_tmp: Path) -> None:
    assert main(["run", "data.mux=1", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_config_prints_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "data.mu=2", "run.name=x"]) == 0
    assert '"mu": 2.0' in capsys.readouterr().out


def test_no_verb_shows_help_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage: ladon" in capsys.readouterr().out
