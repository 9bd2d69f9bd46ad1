"""A whole set-up in a folder, driven as a person drives it: through the command line."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

_QUICK = """
[http]
timeout = 5
retries = 1
[build]
backend = "host"
tests = false
lint = false
"""


class Rig:
    """Settings, tools, state and archive below one folder."""

    def __init__(
        self,
        root: Path,
        settings: str = _QUICK,
        series: str = '"bookworm"',
        work: Path | None = None,
    ) -> None:
        self.root = root
        self.tools = root / "conf" / "tools"
        self.state = root / "state"
        self.archive = self.state / "archive"
        self.work = work or root / "work"
        self.tools.mkdir(parents=True)
        self.file = root / "conf" / "toolsync.toml"
        self.settings = settings
        self.configure(settings, series)

    def configure(self, settings: str, series: str = '"bookworm"') -> None:
        """Write toolsync.toml anew."""
        text = settings.replace("[build]", f'[build]\nwork = "{self.work}"')
        self.file.write_text(f"series = [{series}]\n{text}")

    def argv(self, *words: str | Path) -> list[str]:
        """Return the command line."""
        head = [sys.executable, "-m", "toolsync", "--config", str(self.file)]
        return [*head, "--state", str(self.state), *map(str, words)]

    def start(self, *words: str | Path) -> subprocess.Popen[bytes]:
        """Start toolsync and do not wait."""
        quiet = subprocess.DEVNULL
        return subprocess.Popen(self.argv(*words), stdout=quiet, stderr=quiet, env=environment())

    def run(
        self, *words: str | Path, status: int | None = 0, timeout: float = 600, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run toolsync and see that it ends with ``status``, None for any."""
        done = subprocess.run(
            self.argv(*words),
            capture_output=True,
            text=True,
            timeout=timeout,
            env=environment() | env,
            stdin=subprocess.DEVNULL,
        )
        assert status in (done.returncode, None), (
            f"status {done.returncode}\n{done.stdout}{done.stderr}"
        )
        assert "Traceback" not in done.stderr
        return done

    def json(self, *words: str | Path, status: int | None = 0) -> Any:
        """Run toolsync with --json and return what it printed."""
        return json.loads(self.run(*words, "--json", status=status).stdout)

    def pool(self) -> dict[str, str]:
        """Return the digests of the archive's packages by file name.

        Left out are the .buildinfo, which has the build's date, and the .changes, which names it.
        """
        files = (p for p in (self.archive / "pool").rglob("*") if p.is_file())
        kept = (p for p in files if p.suffix not in (".buildinfo", ".changes"))
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in kept}

    def leftovers(self) -> list[Path]:
        """Return what no finished run may leave behind."""
        store = self.state / "store"
        places = (*self.work.glob("toolsync-*"), store / "tmp", store / "partial")
        found = [path for place in places if place.is_dir() for path in place.iterdir()]
        tag = hashlib.sha256(str(self.state).encode()).hexdigest()[:12]
        return found + list(Path("/tmp").glob(f"toolsync-home-{tag}-*"))


def environment() -> dict[str, str]:
    """Return an environment that owes nothing to the person who runs the tests."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TOOLSYNC_", "XDG_"))}
    return kept | {"NO_COLOR": "1", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
