"""The settings of this machine's pip, for the pip in an image that is being built.

Usage: pip_settings.py FOLDER. Writes FOLDER/pip.conf and the certificates and constraints that it
names, as files beside it, and prints the local folders that it names, one a line, to be mounted for
the build.
"""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from ast import literal_eval
from pathlib import Path
from urllib.parse import unquote, urlsplit

INSIDE = "/opt/build"
"""Where FOLDER lies while an image is built."""
SKIPPED = ("cache-dir", "require-virtualenv", "user", "target", "prefix", "root")
"""Settings about the machine's own installations."""
FILES = ("cert", "constraint", "build-constraint")
"""Settings that name files, which are copied."""


def configured(listing: str) -> dict[str, str]:
    """Option -> value from what `pip config list` prints; the environment goes over the files."""
    found: dict[str, str] = {}
    for line in listing.splitlines():
        name, equals, value = line.partition("=")
        section, _, option = name.partition(".")
        if not equals or option in SKIPPED or section not in ("global", "install", ":env:"):
            continue
        if section == ":env:" or option not in found:
            found[option] = str(literal_eval(value))
    return found


def folders(settings: dict[str, str]) -> list[Path]:
    """The local folders that `settings` take packages from."""
    found = []
    for option in ("index-url", "extra-index-url", "find-links"):
        for word in settings.get(option, "").split():
            parts = urlsplit(word)
            if parts.scheme == "file":
                # An index's links lead to a folder beside it.
                found.append(Path(unquote(parts.path)).parent)
            elif parts.scheme == "" and Path(word).is_absolute():
                found.append(Path(word))
    return [folder for folder in dict.fromkeys(found) if folder.is_dir()]


def main(folder: Path) -> None:
    """Write the settings into `folder`; print the folders to mount."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    settings = configured(listing)
    mounts = folders(settings)
    for option in FILES:
        if named := settings.get(option, "").split():
            copies = [f"{option}-{number}" for number in range(len(named))]
            for path, copy in zip(named, copies, strict=True):
                shutil.copyfile(path, folder / copy)
            settings[option] = "\n".join(f"{INSIDE}/{copy}" for copy in copies)
    parser = configparser.RawConfigParser()
    parser["global"] = settings
    with open(folder / "pip.conf", "w") as file:
        parser.write(file)
    print("\n".join(str(mount) for mount in mounts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
