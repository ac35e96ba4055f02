"""How steps are started: by an interpreter, in an image, as the tasks of an allocation."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from executors.container import ImageError
from pipeline.configure import configure
from pipeline.files import write_json
from pipeline.launch import launch
from pipeline.steps.errors import OtherCodeError, check_code


def image(folder: Path) -> Path:
    """A folder that stands for an image, with a record as containers/build.sh writes it."""
    path = folder / "analysis"
    path.mkdir()
    texts = ("kind", "sha256", "base", "built_with", "definition_sha256", "constraints_sha256",
             "sources_sha256", "inputs_sha256")  # fmt: skip
    record = {"image": "analysis", "megabytes": 1, **dict.fromkeys(texts, "x")}
    path.with_name("analysis.json").write_text(json.dumps(record))
    return path


def test_a_laptop_starts_python(tmp_path: Path) -> None:
    assert launch([configure([])], tmp_path) == {"python": "python", "allocation": ""}


def test_steps_run_in_the_site_s_image(tmp_path: Path) -> None:
    """Data can be read, the outputs written, our code is the image's own."""
    run = tmp_path / "out puts" / "run"
    settings = configure(
        [f"site.container={image(tmp_path)}", "site.container_options=['--bind=/data']",
         "data=opendata_2025", f"data.location='{tmp_path}/my data'", "model.api_key_env=MY_KEY"]
    )  # fmt: skip
    words = shlex.split(launch([settings], run)["python"])
    assert words[-2:] == [str(tmp_path / "analysis"), "python"]
    assert "--cleanenv" in words
    assert "--bind=/data" in words
    mounts = [words[i + 1] for i, word in enumerate(words) if word == "--mount"]
    (outputs,) = [m for m in mounts if f'source={tmp_path}/out puts"' in m]
    (data,) = [m for m in mounts if "my data" in m]
    assert data.endswith(",ro")
    assert not outputs.endswith(",ro")
    assert "MY_KEY" in " ".join(words)
    assert "PYTHONPATH" not in " ".join(words)


def test_an_image_without_a_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="expected an image at"):
        launch([configure([f"site.container={tmp_path / 'no.sif'}"])], tmp_path)


def test_a_step_with_another_code_stops(tmp_path: Path) -> None:
    provenance = tmp_path / "provenance.json"
    check_code(provenance)  # outside of a run
    write_json(provenance, {"code_sha256": "0" * 64})
    with pytest.raises(
        OtherCodeError, match=r"expected Ladon's code 000000000000, .* build it anew"
    ):
        check_code(provenance)
