"""A real Chromium without a window, driven by the WebDriver protocol (W3C) over plain HTTP."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from tests.support.rig import ROOT

AXE = ROOT / ".venv" / "axe" / "node_modules" / "axe-core" / "axe.min.js"

_OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-background-networking", "--hide-scrollbars"),
    *("--force-color-profile=srgb", "--proxy-server=127.0.0.1:9"),
)


class Browser:
    """One window; its context starts and ends chromedriver and Chromium."""

    def __enter__(self) -> Browser:
        self._home = tempfile.TemporaryDirectory(prefix="browser-")
        self._driver = subprocess.Popen(
            ["chromedriver", "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            found = re.search(r"successfully on port (\d+)", line)
            if found:
                break
        assert found, "chromedriver did not start"
        self._url = f"http://127.0.0.1:{found[1]}/session"
        options = {"args": [*_OPTIONS, f"--user-data-dir={self._home.name}"]}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options}
        wanted |= {"goog:loggingPrefs": {"browser": "ALL"}}
        session = self._post("", {"capabilities": {"alwaysMatch": wanted}})
        self._url += f"/{session['sessionId']}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._ask("DELETE", "", None)
        finally:
            self._driver.kill()
            self._driver.wait()
            assert self._driver.stdout is not None
            self._driver.stdout.close()
            self._home.cleanup()

    def open(self, path: Path, *, width: int = 1200, dark: bool = False) -> None:
        """Load a file by its file: address."""
        self.look(width=width, dark=dark)
        self.go(path.absolute().as_uri())

    def go(self, url: str) -> None:
        """Load an address, as the window is."""
        self._post("/url", {"url": url})

    def look(self, *, width: int = 1200, height: int = 800, dark: bool = False) -> None:
        """Let the window be so wide and high, in light or dark colors."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._cdp("Emulation.setEmulatedMedia", features=features)
        self._cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def scripts(self, *, run: bool) -> None:
        """Let pages run scripts, or not."""
        self._cdp("Emulation.setScriptExecutionDisabled", value=not run)

    def words(self) -> str:
        """Return all that the page says, as its accessibility tree (CDP) has it without script."""
        nodes = self._cdp("Accessibility.getFullAXTree")["nodes"]
        return " ".join(str(node.get("name", {}).get("value", "")) for node in nodes)

    def until(self, script: str, seconds: float = 10) -> None:
        """Wait until a function's body returns something true."""
        end = time.monotonic() + seconds
        while not self.run(script):
            assert time.monotonic() < end, script
            time.sleep(0.05)

    def focused(self) -> str:
        """Return the name of what has the focus."""
        found = self.run(
            "const e = document.activeElement; return e.getAttribute('aria-label')"
            " || e.labels?.[0]?.textContent || e.textContent.trim().slice(0, 60)"
        )
        return str(found)

    def run(self, script: str, *values: object) -> Any:
        """Run a function's body in the page and return what it returns."""
        return self._post("/execute/sync", {"script": script, "args": list(values)})

    def log(self) -> list[dict[str, Any]]:
        """Return the console's entries since the last call."""
        found: list[dict[str, Any]] = self._post("/se/log", {"type": "browser"})
        return found

    def press(self, key: str) -> None:
        """Press a key (WebDriver's code point) and let it go."""
        keys = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._post("/actions", {"actions": [{"type": "key", "id": "keys", "actions": keys}]})

    def violations(self) -> list[dict[str, Any]]:
        """Return what axe-core finds wrong, with where."""
        assert AXE.is_file(), f"{AXE} is not there: make .venv/.axe"
        self.run(AXE.read_text(encoding="utf-8"))
        # What is preloaded would be asked for over file:, which a browser rightly refuses.
        script = "axe.run({preload: false}).then(r => arguments[0](r.violations))"
        found = self._post("/execute/async", {"script": script, "args": []})
        return [{"id": v["id"], "at": [n["html"] for n in v["nodes"]]} for v in found]

    def picture(self) -> bytes:
        """Return the window as PNG."""
        return base64.b64decode(self._ask("GET", "/screenshot", None))

    def _cdp(self, command: str, **params: Any) -> Any:
        return self._post("/goog/cdp/execute", {"cmd": command, "params": params})

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(self._url + path, data=data, method=method, headers=headers)
        with build_opener(ProxyHandler({})).open(request, timeout=60) as answer:
            return json.load(answer)["value"]
