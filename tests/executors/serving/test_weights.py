"""Weights: found in a hub's folder, copied to a node's disk once, and taken off it again."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from executors.serving import weights
from executors.serving.errors import WeightsError
from executors.serving.spec import ServeSpec, SiteSpec
from executors.serving.weights import MARK, find_weights, prepare, remove_copy

SPEC = ServeSpec("m", "owner/model", "owner/model", revision="abc")


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A hub's folder as huggingface_hub lays it out: snapshots are links to blobs."""
    cached = tmp_path / "hub" / "models--owner--model"
    snapshot = cached / "snapshots" / "abc"
    (snapshot / "more").mkdir(parents=True)
    (cached / "blobs").mkdir()
    for name, text in (("config.json", "{}"), ("more/weights.bin", "w" * 1000)):
        blob = cached / "blobs" / name.replace("/", "-")
        blob.write_text(text)
        (snapshot / name).symlink_to(blob)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc\n")
    return tmp_path


def site(hub: Path, **changes: object) -> SiteSpec:
    return replace(SiteSpec(hub=str(hub), scratch=str(hub / "local")), **changes)  # type: ignore[arg-type]


def test_it_is_copied_once_and_for_real(hub: Path) -> None:
    first = prepare(SPEC, site(hub))
    copy = Path(first.model)
    assert copy == hub / "local" / "model-abc"
    assert first.note.startswith("weights copied to")
    assert (copy / "more" / "weights.bin").read_text() == "w" * 1000
    assert not (copy / "config.json").is_symlink()
    stamp = (copy / "config.json").stat().st_mtime_ns
    second = prepare(SPEC, site(hub))
    assert second.note.startswith("weights on this node's disk")
    assert (copy / "config.json").stat().st_mtime_ns == stamp
    for held in (first, second):
        assert held.lock is not None
        os.close(held.lock)


def test_a_copy_that_was_cut_is_made_again(hub: Path) -> None:
    cut = hub / "local" / "model-abc"
    cut.mkdir(parents=True)
    (cut / "config.json").write_text("half")
    held = prepare(SPEC, site(hub))
    assert held.lock is not None
    os.close(held.lock)
    assert (cut / "config.json").read_text() == "{}"
    assert (cut / MARK).exists()


def test_nobody_takes_away_what_somebody_reads(hub: Path) -> None:
    held = prepare(SPEC, site(hub))
    assert held.lock is not None
    assert not remove_copy(SPEC, site(hub))
    assert Path(held.model).is_dir()
    os.close(held.lock)
    assert remove_copy(SPEC, site(hub))
    assert list((hub / "local").iterdir()) == []
    assert remove_copy(SPEC, site(hub))


def test_what_does_not_fit_stays_where_it_is(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "SPARE_BYTES", 1 << 60)
    held = prepare(SPEC, site(hub))
    assert held.lock is None
    assert held.model.endswith("snapshots/abc")
    assert "stay at" in held.note


def test_without_scratch_it_is_read_where_it_lies(hub: Path) -> None:
    assert prepare(SPEC, site(hub, scratch=None)).model.endswith("snapshots/abc")
    main = replace(SPEC, revision=None)
    assert prepare(main, site(hub, scratch=None)).model.endswith("snapshots/abc")


def test_only_vllm_knows_where_it_is_without_a_hub() -> None:
    assert prepare(SPEC, SiteSpec()).model == "owner/model"


def test_what_is_missing_is_said_with_the_command_that_fetches_it(hub: Path) -> None:
    other = replace(SPEC, revision="def")
    with pytest.raises(WeightsError, match="hf download owner/model --revision def"):
        find_weights(other, site(hub))
    assert find_weights(other, site(hub, offline=False)) is None
    with pytest.raises(WeightsError, match="expected a folder with weights"):
        find_weights(replace(SPEC, repository="/not/there"), site(hub))


def test_a_variable_of_the_node_is_expanded(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    held = prepare(SPEC, site(hub, scratch=f"{hub}/local/$SLURM_JOB_ID"))
    assert held.model == f"{hub}/local/77/model-abc"
    assert held.lock is not None
    os.close(held.lock)
    monkeypatch.delenv("SLURM_JOB_ID")
    with pytest.raises(WeightsError, match="does not set"):
        prepare(SPEC, site(hub, scratch=f"{hub}/local/$SLURM_JOB_ID"))
