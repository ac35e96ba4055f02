"""A headless Chromium that a test drives through a pipe: no port, no package."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-dev-shm-usage", "--window-size=1400,1000",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe",
)  # fmt: skip
START = (
    "import os,sys; os.dup2(int(sys.argv[1]),3); os.dup2(int(sys.argv[2]),4); "
    "os.execvp(sys.argv[3],sys.argv[3:])"
)
"""Chromium reads commands from descriptor 3 and answers on 4."""


class BrowserError(RuntimeError):
    """The browser did not do what it was told, or said nothing."""


class Page:
    """One page, and what happened on it: requests, console messages, errors."""

    def __init__(self, reading: int, writing: int, patience: float = 120.0) -> None:
        self._reading, self._writing, self._patience = reading, writing, patience
        self._number, self._rest, self._session = 0, b"", ""
        self.requests: list[str] = []
        self.messages: list[str] = []
        self._loaded = False

    def attach(self) -> Self:
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        found = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        return self

    def open(self, url: str) -> None:
        """Load `url` and wait until its script has read the trials."""
        self._loaded = False
        self.send("Page.navigate", url=url)
        self.wait("document.documentElement?.dataset.ready !== undefined")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression; a promise is waited for."""
        found = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise BrowserError(f"{expression!r} raised {found['exceptionDetails']}")
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        """Until the expression is true."""
        end = time.monotonic() + self._patience
        while time.monotonic() < end:
            if self.evaluate(expression):
                return
            time.sleep(0.05)
        raise BrowserError(f"expected {expression!r} to become true, it did not: {self.messages}")

    def press(self, key: str) -> None:
        """A key, pressed and let go."""
        text = "\r" if key == "Enter" else ""
        about = {
            "key": key,
            "code": key,
            "windowsVirtualKeyCode": {
                "Enter": 13,
                "Escape": 27,
                "Tab": 9,
                "ArrowLeft": 37,
                "ArrowUp": 38,
                "ArrowRight": 39,
                "ArrowDown": 40,
            }[key],
        }
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        self.send("Input.dispatchKeyEvent", type="keyUp", **about)

    def screenshot(self, path: Path, whole: bool = False) -> None:
        """A picture of what is seen, or of the whole page."""
        found = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a command of the DevTools protocol."""
        self._number += 1
        command: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            command["sessionId"] = self._session
        content = json.dumps(command).encode() + b"\0"
        while content:
            content = content[os.write(self._writing, content) :]
        end = time.monotonic() + self._patience
        while True:
            message = self._receive(end, method)
            if message.get("id") == self._number:
                if "error" in message:
                    raise BrowserError(f"{method} failed: {message['error']}")
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        about = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(about["request"]["url"])
            case "Runtime.consoleAPICalled":
                self.messages.append(str([a.get("value") for a in about["args"]]))
            case "Runtime.exceptionThrown":
                self.messages.append(str(about["exceptionDetails"]))
            case "Log.entryAdded":
                self.messages.append(about["entry"]["text"])

    def _receive(self, end: float, method: str) -> dict[str, Any]:
        while b"\0" not in self._rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._reading], [], [], left)[0]:
                raise BrowserError(f"expected an answer to {method}, found none in time")
            part = os.read(self._reading, 1 << 20)
            if not part:
                raise BrowserError(f"expected an answer to {method}, the browser ended")
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        return found


@contextmanager
def browser(chromium: str, folder: Path) -> Iterator[Page]:
    """A page of a browser that ends with the block; `folder` takes its profile."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    command = [
        sys.executable, "-c", START, str(to_read), str(from_write), chromium, *FLAGS,
        f"--user-data-dir={folder / 'profile'}",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, pass_fds=(to_read, from_write), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    os.close(to_read)
    os.close(from_write)
    try:
        yield Page(from_read, to_write).attach()
    finally:
        os.close(to_write)  # the browser ends when nobody can command it
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(from_read)
