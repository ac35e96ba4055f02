"""The API key: where it may be, and that it is never shown."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from agents.errors import ApiKeyError
from agents.secret import Secret, read_api_key

KEY = 'sk-"quoted"/and\\escaped'


def test_no_place_no_key() -> None:
    assert read_api_key(None, None) is None


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_file(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n")
    path.chmod(mode)
    secret = read_api_key(str(path), None)
    assert secret is not None
    assert secret.reveal() == KEY


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o610])
def test_a_file_that_others_may_read(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_text(KEY)
    path.chmod(mode)
    sentence = f"expected mode 0600 .* found {mode:04o}: others may read it; run: chmod 600"
    with pytest.raises(ApiKeyError, match=sentence) as raised:
        read_api_key(str(path), None)
    assert KEY not in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ApiKeyError, match="found 'No such file or directory'; write the key there"):
        read_api_key(str(tmp_path / "key"), None)
    with pytest.raises(ApiKeyError, match="Is a directory"):
        read_api_key(str(tmp_path), None)


def test_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    secret = read_api_key(None, "SOME_KEY")
    assert secret is not None
    assert secret.reveal() == KEY
    with pytest.raises(ApiKeyError, match="'OTHER_KEY', found it unset"):
        read_api_key(None, "OTHER_KEY")


@pytest.mark.parametrize("content", ["", "short", "two lines\nof text", "with space", "ümlaut-key"])
def test_what_cannot_be_a_key(monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    monkeypatch.setenv("SOME_KEY", content)
    with pytest.raises(ApiKeyError, match="it is not shown") as raised:
        read_api_key(None, "SOME_KEY")
    assert not content or content not in str(raised.value)


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(KEY)
    assert KEY not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError, match="attempt to pickle"):
        pickle.dumps(secret)
    escaped = json.dumps({"said": KEY})
    for text in (KEY, escaped, escaped.replace("/", "\\/")):
        assert "quoted" not in secret.removed_from(f"before {text} after")
