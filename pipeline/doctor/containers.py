"""What containers and sandboxes need: user namespaces, FUSE, bubblewrap, Apptainer, images."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from executors.sandbox.apptainer import IMAGE
from pipeline.doctor.finding import Finding
from pipeline.doctor.needs import Needs
from pipeline.settings import Settings

VERSION_S = 20.0
START_S = 120.0
"""The first start of an image may unpack it."""
IMPORTS = "import awkward, coffea, numpy, pyarrow, snakemake, sys; print(sys.version.split()[0])"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
FUSE = Path("/dev/fuse")


class Said(NamedTuple):
    """How a program ended: its code (None where it did not start or end) and its last words."""

    code: int | None
    words: str


def look(settings: Settings, needs: Needs) -> list[Finding]:
    """The kernel's part, the programs, and the images that the site names."""
    found = [_user_namespaces(), _fuse(needs), _bubblewrap(settings), _apptainer(needs)]
    if needs.container is not None:
        found.append(_container(needs.container, settings.site.container_options, needs))
    if needs.sandbox_image:
        found.append(_sandbox_image(settings.site.sandbox_image))
    if needs.served:
        found += _served(settings)
    return found


def tried(command: Sequence[str], seconds: float) -> Said:
    """Run a program to its end."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return Said(None, f"no end within {seconds:.0f} s")
    except OSError as error:
        return Said(None, str(error.strerror))
    text = COLOURS.sub("", done.stdout if done.returncode == 0 else done.stderr or done.stdout)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return Said(done.returncode, lines[-1] if lines else "")


def _user_namespaces() -> Finding:
    """Tried: what sysctl files say is not all that can forbid them."""
    made = tried(["unshare", "--user", "--map-root-user", "true"], VERSION_S)
    if made.code == 0:
        return Finding("user namespaces", "containers", "ok", "made one")
    return Finding(
        "user namespaces",
        "containers",
        "warning",
        f"expected to make one, found: {made.words}",
        "ask the site (user.max_user_namespaces, kernel.unprivileged_userns_clone, AppArmor); "
        "bubblewrap and Apptainer need them unless they are installed setuid",
    )


def _fuse(needs: Needs) -> Finding:
    if os.access(FUSE, os.R_OK | os.W_OK):
        return Finding("/dev/fuse", "containers", "ok", "can be read and written")
    found = "none" if not FUSE.exists() else "one that this user may not read and write"
    if not needs.apptainer:
        step = "nothing: the chosen site has no image (SIF), which would need it"
        return Finding("/dev/fuse", "containers", "missing", f"found {found}", step)
    return Finding(
        "/dev/fuse",
        "containers",
        "warning",
        f"expected /dev/fuse, found {found}: a SIF file cannot be mounted by an ordinary user",
        "ask the site, or build the image as a folder: containers/build.sh NAME --directory",
    )


def _bubblewrap(settings: Settings) -> Finding:
    required = settings.site.sandbox == "bubblewrap"
    said = tried(["bwrap", "--version"], VERSION_S)
    if said.code == 0:
        return Finding("bubblewrap", "containers", "ok", said.words, required=required)
    return Finding(
        "bubblewrap",
        "containers",
        "missing" if required else "warning",
        f"expected the program bwrap, found none that works ({said.words})",
        "install the package bubblewrap (a single program: it can lie on a folder of PATH)",
        required=required,
    )


def _apptainer(needs: Needs) -> Finding:
    said = tried(["apptainer", "--version"], VERSION_S)
    if said.code == 0:
        return Finding("apptainer", "containers", "ok", said.words, required=needs.apptainer)
    step = "module load apptainer, ask the site, or (as root on Debian) tools/apptainer.sh"
    return Finding(
        "apptainer",
        "containers",
        "missing",
        f"expected the program apptainer, found none that works ({said.words})",
        step if needs.apptainer else "nothing: the chosen site asks for no image",
        required=needs.apptainer,
    )


def _container(image: str, options: Sequence[str], needs: Needs) -> Finding:
    """The image of every step: there, and where steps run its Python can import what they use."""
    name = "container image"
    if "://" not in image and not Path(image).exists():
        return Finding(
            name,
            "containers",
            "missing",
            f"expected an image at site.container={image}, found none",
            "containers/build.sh analysis, and site.container=PATH of what it made",
            required=True,
        )
    if not needs.steps or shutil.which("apptainer") is None:
        said = f"{image} is there; not started" + ("" if needs.steps else " (steps run on nodes)")
        return Finding(name, "containers", "ok", said, required=True)
    # As the steps are started; a root without all capabilities needs it.
    namespace = ["--userns"] if os.geteuid() == 0 and "--userns" not in options else []
    command = ["apptainer", "exec", *namespace, *options, image, "python3", "-c", IMPORTS]
    started = tried(command, START_S)
    if started.code == 0:
        said = f"{image}: Python {started.words} has the packages"
        return Finding(name, "containers", "ok", said, required=True)
    return Finding(
        name,
        "containers",
        "missing",
        f"expected the Python of {image} to import what steps use, found: {started.words}",
        "site.container_options=[--userns] where capabilities lack; else containers/build.sh "
        "analysis builds it anew",
        required=True,
    )


def _sandbox_image(named: str | None) -> Finding:
    image = named or os.environ.get(IMAGE)
    if image and Path(image).exists():
        return Finding("sandbox image", "containers", "ok", image, required=True)
    found = f"none at {image}" if image else f"none named (site.sandbox_image, {IMAGE})"
    return Finding(
        "sandbox image",
        "containers",
        "missing",
        f"expected an image for site.sandbox=apptainer, found {found}",
        "containers/build.sh sandbox, and site.sandbox_image=PATH of what it made",
        required=True,
    )


def _served(settings: Settings) -> list[Finding]:
    """What holds vLLM: an image, an environment, or the command on PATH of the server's job."""
    from pipeline.serve import site_spec

    site = site_spec(settings)
    what, named = ("site.serve.image", site.image) if site.image else ("site.serve.venv", site.venv)
    if named is None:
        return [
            Finding(
                "vLLM",
                "containers",
                "warning",
                "expected site.serve.venv or site.serve.image, found neither: the job takes `vllm` "
                "from its PATH",
                "tools/vllm.sh, or site.serve.venv=PATH",
            )
        ]
    program = Path(named) if site.image else Path(named) / "bin" / "python"
    if program.exists():
        return [Finding("vLLM", "containers", "ok", f"{what}={named}", required=True)]
    return [
        Finding(
            "vLLM",
            "containers",
            "missing",
            f"expected vLLM in {what}={named}, found no {program}",
            "tools/vllm.sh makes an environment, containers/build.sh serve an image",
            required=True,
        )
    ]
