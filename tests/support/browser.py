# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A web page as a browser shows it, and as somebody uses it who has a keyboard and a screen of some width."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import typing as t

#: Without these, Chromium calls home.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
#: Chromium reads commands from the file descriptor 3 and writes answers to 4.
_START = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""
#: The codes and the texts of the keys that are pressed.
KEYS = {
    "Tab": (9, ""),
    "Enter": (13, "\r"),
    "Space": (32, " "),
    "End": (35, ""),
    "Home": (36, ""),
    "PageDown": (34, ""),
}
#: In seconds: so long no answer takes, however busy the machine is.
TIMEOUT = 300


def find() -> str | None:
    """The path of Chromium or Chrome, None if there is none."""
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))
    return next(filter(None, found), None)


class Browser:
    """Chromium without a window, which is told what to do over two pipes."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._number = 0
        self._read = b""
        self.events: list[dict[str, t.Any]] = []

    def send(self, method: str, session: str | None = None, **params: t.Any) -> dict[str, t.Any]:
        """Give a command of the DevTools protocol.

        :return: its result; what happens meanwhile is added to ``events``.
        """
        self._number += 1
        told = dict(id=self._number, method=method, params=params)
        if session:
            told["sessionId"] = session
        left = json.dumps(told).encode() + b"\0"
        while left:
            left = left[os.write(self._commands, left) :]
        while True:
            message = self._next()
            if message.get("id") == self._number:
                assert "error" not in message, (method, message["error"])
                return t.cast("dict[str, t.Any]", message["result"])
            self.events.append(message)

    def wait_for(self, method: str, session: str) -> None:
        """Return once there is an event, and forget those that were before it."""
        while True:
            while self.events:
                event = self.events.pop(0)
                if (event.get("method"), event.get("sessionId")) == (method, session):
                    return
            self.events.append(self._next())

    def _next(self) -> dict[str, t.Any]:
        parts = [self._read]
        while b"\0" not in parts[-1]:
            ready, _writable, _failed = select.select([self._answers], [], [], TIMEOUT)
            assert ready, "Chromium does not answer"
            parts.append(os.read(self._answers, 1 << 20))
            assert parts[-1], "Chromium has ended"
        message, _end, self._read = b"".join(parts).partition(b"\0")
        return t.cast("dict[str, t.Any]", json.loads(message))


class Page:
    """A page on a screen."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self._target = target
        self._session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        #: The addresses of all requests, and what the page complains of, a policy that is broken too.
        self.requests: list[str] = []
        self.complaints: list[str] = []
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(domain + ".enable")
        self.send("Emulation.setFocusEmulationEnabled", enabled=True)

    def send(self, method: str, **params: t.Any) -> dict[str, t.Any]:
        result = self._browser.send(method, self._session, **params)
        for event in self._browser.events:
            if event.get("sessionId") == self._session:
                self._note(event)
        self._browser.events.clear()
        return result

    def _note(self, event: dict[str, t.Any]) -> None:
        params = event["params"]
        if event["method"] == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif event["method"] == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif event["method"] == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])

    def show(
        self, address: str, width: int = 1400, height: int = 900, dark: bool = False, javascript: bool = True
    ) -> None:
        """Load a page, and wait until it is drawn.

        A window has a width of 500 at the least. The screen of a phone that is emulated has any.
        """
        self.requests, self.complaints = [], []
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = dict(name="prefers-color-scheme", value="dark" if dark else "light")
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send("Emulation.setScriptExecutionDisabled", value=not javascript)
        # Another fragment alone would not load it again.
        self.send("Page.navigate", url="about:blank")
        while self.evaluate("location.href") != "about:blank" or self.evaluate("document.readyState") != "complete":
            pass
        self.send("Page.navigate", url=address)
        while self.evaluate("location.href") == "about:blank" or self.evaluate("document.readyState") != "complete":
            pass
        if javascript:
            self.settle()

    def settle(self) -> None:
        """Wait until what was begun is drawn."""
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))")

    def evaluate(self, expression: str) -> t.Any:
        """The value of an expression in JavaScript, also of a promise.

        :raises AssertionError: it fails.
        """
        found = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key: str, times: int = 1, shift: bool = False) -> None:
        """Press a key, one of those in ``KEYS``."""
        code, text = KEYS[key]
        what = dict(key=text if key == "Space" else key, code=key, windowsVirtualKeyCode=code, modifiers=8 * shift)
        for _time in range(times):
            self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **what)
            self.send("Input.dispatchKeyEvent", type="keyUp", **what)
        self.settle()

    def write(self, text: str) -> None:
        """Write into what has the focus."""
        self.send("Input.insertText", text=text)
        self.settle()

    def click(self, selector: str) -> None:
        """Click into the middle of an element, with what lies above it in the way."""
        place = self.evaluate(
            f"(e => {{ e.scrollIntoView({{block: 'nearest'}}); const b = e.getBoundingClientRect();"
            f" return [b.x + b.width / 2, b.y + b.height / 2]; }})(document.querySelector({json.dumps(selector)}))"
        )
        for what in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=what, x=place[0], y=place[1], button="left", clickCount=1)
        self.settle()

    def picture(self, path: pathlib.Path, form: str = "png", whole: bool = False, **options: t.Any) -> None:
        """Save what is on the screen or, as a whole, what is below it too."""
        found = self.send("Page.captureScreenshot", format=form, captureBeyondViewport=whole, **options)
        path.write_bytes(base64.b64decode(found["data"]))

    def printed(self) -> bytes:
        """The page as a PDF."""
        return base64.b64decode(self.send("Page.printToPDF", printBackground=True)["data"])

    def close(self) -> None:
        self._browser.send("Target.closeTarget", targetId=self._target)


@contextlib.contextmanager
def started() -> t.Iterator[Browser]:
    """A browser that has ended afterwards."""
    ours, theirs = os.pipe(), os.pipe()
    # 3 and 4 may be in use.
    read, write = (fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10) for descriptor in (ours[0], theirs[1]))
    for descriptor in (ours[0], theirs[1]):
        os.close(descriptor)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [t.cast(str, find()), *FLAGS, f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"]
        with subprocess.Popen(
            [sys.executable, "-c", _START, str(read), str(write), *command],
            pass_fds=(read, write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            os.close(read)
            os.close(write)
            browser = Browser(ours[1], theirs[0])
            try:
                yield browser
            finally:
                with contextlib.suppress(AssertionError, OSError):
                    browser.send("Browser.close")
                os.close(ours[1])
                os.close(theirs[0])
                try:
                    process.wait(TIMEOUT)
                except subprocess.TimeoutExpired:
                    process.kill()
