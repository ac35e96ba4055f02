"""A real browser renders the page: no request, no error in the console."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.pipeline.report.conftest import Reported

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--v=0", "--virtual-time-budget=3000",
)  # fmt: skip


@pytest.fixture
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium is installed; `make testbed` installs it")
    return found


def _run(chromium: str, page: str, folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [chromium, *FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, page],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip


class Recorder(SimpleHTTPRequestHandler):
    """Serves a folder and remembers what was asked for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def served(diphoton: Reported) -> Iterator[str]:
    """Address of the page on this machine."""
    Recorder.asked.clear()
    handler = partial(Recorder, directory=str(diphoton.run.path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/report.html"
        server.shutdown()
        thread.join()


@pytest.mark.chromium
def test_the_page_renders_without_error_or_request(
    served: str, chromium: str, tmp_path: Path
) -> None:
    """An address elsewhere would not resolve, and the console would say so."""
    nowhere = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
    done = _run(chromium, served, tmp_path, "--dump-dom", nowhere)
    assert "CONSOLE" not in done.stderr
    assert done.stdout.count("<figure") == 10
    assert "1.04" in done.stdout
    assert Recorder.asked == ["/report.html"]


@pytest.mark.chromium
def test_the_page_prints(diphoton: Reported, chromium: str, tmp_path: Path) -> None:
    pdf = tmp_path / "report.pdf"
    _run(chromium, diphoton.product.html.as_uri(), tmp_path, f"--print-to-pdf={pdf}")
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF")
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 20
