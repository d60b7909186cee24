"""Headless Chromium over its debugging pipe (Chrome DevTools Protocol), without any library."""

import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 30.0
_ON_3_AND_4 = (
    "import os, sys; reading, writing, *command = sys.argv[1:]; os.dup2(int(reading), 3);"
    " os.dup2(int(writing), 4); os.execv(command[0], command)"
)
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip


def find() -> str | None:
    """Return the browser's path, None where none is installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """Speaks to a browser on descriptors 3 and 4: JSON texts, each with a zero byte behind it."""

    def __init__(self, asking: int, answering: int) -> None:
        self._asking = asking
        self._answering = answering
        self._last = 0
        self._read = b""
        self.events: list[dict[str, Any]] = []

    def ask(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """Return the result of a command; events that come meanwhile are kept."""
        self._last += 1
        asked: dict[str, object] = {"id": self._last, "method": method, "params": parameters}
        if session is not None:
            asked["sessionId"] = session
        os.write(self._asking, json.dumps(asked).encode() + b"\0")
        while True:
            said = self._next()
            if said.get("id") == self._last:
                assert "error" not in said, (method, said["error"])
                result: dict[str, Any] = said["result"]
                return result
            self.events.append(said)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            assert select.select([self._answering], [], [], _SECONDS)[0], "the browser is silent"
            part = os.read(self._answering, 1 << 20)
            assert part, "the browser is gone"
            self._read += part
        text, _, self._read = self._read.partition(b"\0")
        said: dict[str, Any] = json.loads(text)
        return said

    def tab(self, url: str, *, width: int = 1200, scheme: str = "light") -> "Tab":
        """Open an address in a tab with a storage of its own."""
        context = self.ask("Target.createBrowserContext")["browserContextId"]
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=context)
        session = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        tab = Tab(self, session["sessionId"])
        for domain in ("Page", "Runtime", "Network", "Log"):
            tab.do(f"{domain}.enable")
        tab.do("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
               mobile=False)  # fmt: skip
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        tab.do("Emulation.setEmulatedMedia", features=features)
        tab.open(url)
        return tab


class Tab:
    """One page; `js` values come back as Python's."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    def do(self, method: str, **parameters: object) -> dict[str, Any]:
        return self._browser.ask(method, self._session, **parameters)

    def open(self, url: str) -> None:
        self.do("Page.navigate", url=url)

    def js(self, expression: str) -> Any:
        """Return the value of an expression, or of the promise that it gives."""
        said = self.do("Runtime.evaluate", expression=expression, awaitPromise=True,
                       returnByValue=True)  # fmt: skip
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def until(self, expression: str, seconds: float = 20.0) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + seconds
        while not self.js(f"!!({expression})"):
            assert time.monotonic() < deadline, f"not within {seconds} s: {expression}"
            time.sleep(0.05)

    def text(self, selector: str) -> str:
        text: str = self.js(f"document.querySelector({json.dumps(selector)}).textContent")
        return text

    def press(self, key: str, code: int) -> None:
        fields: Mapping[str, object] = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        text = {"text": "\r"} if key == "Enter" else {}
        self.do("Input.dispatchKeyEvent", type="keyDown", **fields, **text)
        self.do("Input.dispatchKeyEvent", type="keyUp", **fields)

    def events(self, method: str) -> list[dict[str, Any]]:
        """Return the parameters of what happened in this tab so far."""
        self.js("0")
        return [
            event["params"]
            for event in self._browser.events
            if event.get("method") == method and event.get("sessionId") == self._session
        ]


@contextmanager
def running() -> Iterator[Browser]:
    """Run a browser with a profile of its own until the block ends."""
    path = find()
    assert path is not None
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [path, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
        high = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (theirs_in, theirs_out)]
        process = subprocess.Popen(
            [sys.executable, "-c", _ON_3_AND_4, *map(str, high), *command], pass_fds=high,
            env={"PATH": os.environ["PATH"], "HOME": profile}, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for each in high:
            os.close(each)
        os.close(theirs_in)
        os.close(theirs_out)
        browser = Browser(ours_out, ours_in)
        try:
            yield browser
            browser.ask("Browser.close")
        finally:
            os.close(ours_out)
            os.close(ours_in)
            try:
                process.wait(_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
