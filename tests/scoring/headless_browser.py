"""A real browser without a window, spoken to over a pipe in the DevTools protocol; no further package is needed."""

import base64
import json
import os
import shutil
import subprocess
from contextlib import contextmanager

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"),
    "--remote-debugging-pipe",
)


def browser_command():
    """Path of a Chromium on this machine, None where there is none."""
    return next(filter(None, map(shutil.which, COMMANDS)), None)


class Tab:
    """One page. `events`: everything that the browser has told, (method, parameters) each."""

    def __init__(self, commands, answers):
        self._commands, self._answers, self._last = commands, answers, 0
        self._buffer, self.events = b"", []
        target = self._send("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self._send("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """Carry out a command of the protocol; returns its result."""
        return self._send(method, parameters, self._session)

    def open(self, path):
        """Load a file, to the end."""
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        while not any(method == "Page.loadEventFired" for method, _ in self.events):
            self._read()

    def resize(self, width, height=900, *, dark=False, scale=1):
        """Set the size in CSS pixels, and the colour scheme that the reader prefers."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def evaluate(self, expression):
        """The value of a JavaScript expression in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def screenshot(self, path, **options):
        """Write a PNG of what is seen; options: of Page.captureScreenshot."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", **options)["data"]))

    def _send(self, method, parameters, session=None):
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while True:
            answer = self._read()
            if answer.get("id") == self._last:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def _read(self):
        while b"\0" not in self._buffer:
            part = self._answers.read1(1 << 16)
            assert part, "the browser ended"
            self._buffer += part
        text, _, self._buffer = self._buffer.partition(b"\0")
        answer = json.loads(text)
        if "method" in answer:
            self.events.append((answer["method"], answer["params"]))
        return answer


@contextmanager
def open_tab(command, profile):
    """Start the browser with an empty profile folder, and end it afterwards."""
    to_browser, from_us = os.pipe()
    from_browser, to_us = os.pipe()

    def on_descriptors_three_and_four():
        os.dup2(to_browser, 3)
        os.dup2(to_us, 4)

    saved = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(
        [command, *FLAGS, f"--user-data-dir={profile}"],
        env=saved,
        pass_fds=(3, 4, to_browser, to_us),
        preexec_fn=on_descriptors_three_and_four,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(to_us)
    try:
        with os.fdopen(from_us, "wb") as commands, os.fdopen(from_browser, "rb") as answers:
            yield Tab(commands, answers)
    finally:
        process.terminate()
        process.wait(20)
