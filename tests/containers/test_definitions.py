"""The definition files: no version and no address of their own, arguments that are all used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.containers.conftest import constraints
from tests.images import BUILT, CONTAINERS, REPOSITORY

sys.path.insert(0, str(CONTAINERS))
NAMES = ["analysis", "sandbox", "serve"]
SECTIONS = ["arguments", "setup", "files", "post", "environment", "test", "labels", "help"]


def sections(name: str) -> dict[str, list[str]]:
    """Section -> its lines; the lines before the first under ''."""
    found: dict[str, list[str]] = {"": []}
    current = ""
    for line in (CONTAINERS / f"{name}.def").read_text().splitlines():
        if line.startswith("%"):
            current = line[1:].strip()
            assert current not in found, f"section {current} twice in {name}.def"
            found[current] = []
        elif line.strip() and not line.lstrip().startswith("#"):
            found[current].append(line.strip())
    return found


@pytest.mark.parametrize("name", NAMES)
def test_definition_has_its_sections(name: str) -> None:
    found = sections(name)
    assert found[""] == ["Bootstrap: {{ bootstrap }}", "From: {{ from }}"]
    assert [section for section in SECTIONS if not found.get(section)] == []
    assert any("-c 'import" in line for line in found["test"])


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_is_used_and_has_a_default(name: str) -> None:
    text = (CONTAINERS / f"{name}.def").read_text()
    used = set(re.findall(r"\{\{ (\w+) \}\}", text))
    assert used == {line.partition("=")[0] for line in sections(name)["arguments"]}


@pytest.mark.parametrize("name", NAMES)
def test_versions_and_addresses_stand_elsewhere(name: str) -> None:
    found = sections(name)
    commands = "\n".join(found["post"])
    assert "==" not in commands
    assert "://" not in (CONTAINERS / f"{name}.def").read_text()
    if name != "serve":
        assert "--constraint /opt/build/constraints.txt" in commands


@pytest.mark.parametrize("name", NAMES)
def test_scripts_in_it_are_shell(name: str) -> None:
    for section in ("setup", "post", "test"):
        script = "\n".join(sections(name)[section])
        done = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (0, ""), f"{name}.def, %{section}"


def sandbox_packages() -> list[str]:
    lines = (CONTAINERS / "sandbox.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_sandbox_holds_what_a_solution_may_import() -> None:
    assert sandbox_packages() == [
        "awkward", "hist", "iminuit", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy",
        "threadpoolctl", "uproot", "vector", "xgboost-cpu",
    ]  # fmt: skip
    assert set(sandbox_packages()) <= set(constraints())


def test_serving_takes_its_versions_from_where_the_environment_has_them() -> None:
    script = (CONTAINERS / "build.sh").read_text()
    for name in ("version", "torch", "ray"):
        assert f"s/^{name}=//p" in script
        assert re.search(rf"^{name}=\d+\.\d+", (REPOSITORY / "tools/vllm.sh").read_text(), re.M)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "expected analysis, sandbox or serve as image, found ''"),
        (["nothing"], "expected analysis, sandbox or serve as image, found 'nothing'"),
        (["sandbox", "--form", "x"], "expected --from, --to, --directory, --cpu or --check, found"),
        (["sandbox", "--from"], "--from needs a base"),
    ],
)
def test_build_says_what_it_expects(arguments: list[str], says: str) -> None:
    done = subprocess.run([CONTAINERS / "build.sh", *arguments], capture_output=True, text=True)
    assert done.returncode == 1
    assert says in done.stderr


def test_base_keeps_what_it_finds(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    done = subprocess.run([CONTAINERS / "base.sh", tmp_path], capture_output=True, text=True)
    assert done.returncode == 1
    assert "base: expected" in done.stderr
    assert (tmp_path / "mine").read_text() == "precious"


def test_settings_of_pip_are_passed_on(tmp_path: Path) -> None:
    import pip_settings

    (tmp_path / "mirror" / "simple").mkdir(parents=True)
    (tmp_path / "wheels").mkdir()
    listing = "\n".join(
        [
            ":env:.timeout='60'",
            f"global.find-links='{tmp_path}/wheels {tmp_path}/none'",
            "global.timeout='15'",
            f"install.extra-index-url='file://{tmp_path}/mirror/simple'",
            "global.cache-dir='/somewhere'",
            "freeze.timeout='1'",
        ]
    )
    found = pip_settings.configured(listing)
    assert found == {
        "timeout": "60",
        "find-links": f"{tmp_path}/wheels {tmp_path}/none",
        "extra-index-url": f"file://{tmp_path}/mirror/simple",
    }
    assert pip_settings.folders(found) == [tmp_path / "mirror", tmp_path / "wheels"]
    assert pip_settings.configured("") == {}


def test_files_that_settings_of_pip_name_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import pip_settings

    (tmp_path / "caps.txt").write_text("torch<3\n")
    (tmp_path / "root.pem").write_text("certificate\n")
    monkeypatch.setenv("PIP_CONSTRAINT", str(tmp_path / "caps.txt"))
    monkeypatch.setenv("PIP_CERT", str(tmp_path / "root.pem"))
    (tmp_path / "context").mkdir()
    pip_settings.main(tmp_path / "context")
    written = (tmp_path / "context" / "pip.conf").read_text()
    assert "constraint = /opt/build/constraint-0\n" in written
    assert "cert = /opt/build/cert-0\n" in written
    assert str(tmp_path) not in written
    assert (tmp_path / "context" / "constraint-0").read_text() == "torch<3\n"
    assert (tmp_path / "context" / "cert-0").read_text() == "certificate\n"
    assert str(tmp_path) not in capsys.readouterr().out


APPTAINER = """#!/bin/sh
for word; do
    case $word in context=*) cd "${word#context=}" && find . -type f ;; esac
done
exit 9
"""


def test_what_goes_into_the_analysis_image(tmp_path: Path) -> None:
    """Our code and what it reads; not what a user keeps beside it. Apptainer is a stand-in."""
    shutil.copytree(CONTAINERS, tmp_path / "containers")
    (tmp_path / "constraints.txt").touch()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "outputs").mkdir()
    for name in ("pipeline/cli.py", "pipeline/__pycache__/cli.pyc", "conf/config.yaml",
                 "conf/local/key.yaml", ".venv/bin/python", "tests/test_cli.py"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "apptainer").write_text(APPTAINER)
    (tmp_path / "bin" / "apptainer").chmod(0o755)
    done = subprocess.run(
        [tmp_path / "containers" / "build.sh", "analysis"],
        env=os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.endswith(
        "build: the analysis image was not built; the end of the log is above\n"
    )
    found = {line for line in done.stderr.splitlines() if line.startswith("./")}
    # What pip is told varies with the machine.
    assert {line for line in found if "-0" not in line} == {
        "./constraints.txt", "./pip.conf", "./source/conf/config.yaml", "./source/pipeline/cli.py",
        "./source/pyproject.toml",
    }  # fmt: skip


@pytest.mark.apptainer
@pytest.mark.parametrize("name", NAMES)
def test_apptainer_reads_the_definition(name: str, tmp_path: Path) -> None:
    """Everything but the installation: arguments, labels, environment, help."""
    base = BUILT / "base"
    if shutil.which("apptainer") is None or not base.is_dir():
        pytest.skip(f"apptainer or a base at {base} is not there; make testbed provides both")
    (tmp_path / "context").mkdir()
    made = tmp_path / "image"
    values = {"bootstrap": "localimage", "from": base, "context": tmp_path / "context"}
    line = ["apptainer", "build", "--sandbox", "--notest", "--warn-unused-build-args"]
    text = (CONTAINERS / f"{name}.def").read_text()
    start, end = text.index("%post"), text.index("%environment")
    (tmp_path / "short.def").write_text(f"{text[:start]}%post\n    true\n\n{text[end:]}")
    for key, value in values.items():
        line += ["--build-arg", f"{key}={value}"]
    if os.geteuid() == 0:
        line = ["unshare", "--user", "--map-root-user", "--mount", *line]
    variables = os.environ | {"APPTAINER_TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [*line, made, tmp_path / "short.def"], env=variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    labels = (made / ".singularity.d" / "labels.json").read_text()
    assert f"ladon-{name}" in labels
    assert (made / "opt" / "build").is_dir()
    environment = (made / ".singularity.d" / "env" / "90-environment.sh").read_text()
    assert "PATH=/opt/" in environment
