"""Freezing is idempotent, refuses to mix runs, and heals what is broken."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import freeze as freezing
from pipeline.configure import configure
from pipeline.files import read_json, sha256_file, write_json
from pipeline.freeze import FrozenRunError, discard_broken, freeze


def test_settings_are_frozen_read_only(tmp_path: Path) -> None:
    settings = configure(["run.name=x"])
    freeze(settings, tmp_path)
    path = tmp_path / "points" / "main" / "settings.json"
    assert path.stat().st_mode & 0o222 == 0
    before = sha256_file(path), (tmp_path / "sweep.json").stat().st_mtime_ns
    freeze(settings, tmp_path)
    assert (sha256_file(path), (tmp_path / "sweep.json").stat().st_mtime_ns) == before


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    settings = configure(["run.name=x"])
    freeze(settings, tmp_path)
    other = replace(settings, data=replace(settings.data, mu=2.0))
    with pytest.raises(FrozenRunError, match=r"data\.mu: 1\.0 there, 2\.0 asked for"):
        freeze(other, tmp_path)


def test_another_site_may_continue(tmp_path: Path) -> None:
    settings = configure(["run.name=x"])
    freeze(settings, tmp_path)
    freeze(configure(["run.name=x", "site.workers=1"]), tmp_path)
    assert read_json(tmp_path / "points/main/settings.json")["site"]["workers"] == 1


def test_other_code_is_refused_unless_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = configure(["run.name=x"])
    freeze(settings, tmp_path)
    monkeypatch.setattr(freezing, "code_sha256", lambda: "f" * 64)
    with pytest.raises(FrozenRunError, match="another version of Ladon's code"):
        freeze(settings, tmp_path)
    freeze(configure(["run.name=x", "run.accept_code_change=true"]), tmp_path)
    assert read_json(tmp_path / "provenance.json")["code_sha256"] == "f" * 64


@pytest.mark.parametrize("damage", ["delete", "change", "none"])
def test_a_record_whose_file_is_damaged_is_discarded(tmp_path: Path, damage: str) -> None:
    layout = freeze(configure(["run.name=x"]), tmp_path)
    folder = tmp_path / "points" / "main" / "inspect"
    output = folder / "output" / "summary.json"
    write_json(output, {"a": 1})
    write_json(
        folder / "record.json",
        {"status": "ok", "files": {"output/summary.json": sha256_file(output)}},
    )
    if damage == "delete":
        output.unlink()
    elif damage == "change":
        write_json(output, {"a": 2})
    removed = discard_broken(tmp_path, layout)
    assert removed == ([] if damage == "none" else ["points/main/inspect/record.json"])
    assert (folder / "record.json").exists() == (damage == "none")
