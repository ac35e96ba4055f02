"""A real XRootD server before a mirror, run by whoever runs the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.data.fetch.xrootd import installed
from tests.mirror.process import binary, free_port, serving

_CONF = """
xrd.port {port}
xrd.protocol xrootd *
oss.localroot {root}
all.export / r/o
all.adminpath {scratch}
all.pidpath {scratch}
xrootd.async off
"""


@contextmanager
def xrootd(root: Path, scratch: Path) -> Iterator[str]:
    """The address of an XRootD server before the folder `root`.

    The server refuses to run as root: then it runs as `nobody`, on a copy that everybody may read.
    """
    program, port = binary("xrootd", "xrootd-server"), free_port()
    if not installed():
        pytest.skip("the package xrootd is not installed: pip install 'ladon-hep[xrootd]'")
    # Its sockets have long names of their own, and a path of a socket may have 107 letters.
    place = Path(tempfile.mkdtemp(prefix="ladon-xrootd-", dir="/tmp"))
    try:
        options: list[str] = []
        if os.geteuid() == 0:
            root = Path(shutil.copytree(root, place / "files", symlinks=False))
            nobody = pwd.getpwnam("nobody")
            for base, folders, files in os.walk(place):
                for name in (base, *(os.path.join(base, n) for n in (*folders, *files))):
                    os.chown(name, nobody.pw_uid, nobody.pw_gid)
            options = ["-R", "nobody"]
        (place / "run").mkdir()
        if os.geteuid() == 0:
            os.chown(place / "run", nobody.pw_uid, nobody.pw_gid)
        conf = place / "xrootd.conf"
        conf.write_text(_CONF.format(port=port, root=root, scratch=place / "run"))
        conf.chmod(0o644)
        scratch.mkdir(parents=True, exist_ok=True)
        command = [program, "-c", str(conf), "-n", "ladon", *options]
        with serving(command, port, scratch / "xrootd.log"):
            yield f"root://127.0.0.1:{port}"
    finally:
        shutil.rmtree(place, ignore_errors=True)
