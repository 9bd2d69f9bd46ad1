"""The web application over a gallery of tools, without a server: requests go to it directly."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.gallery import STORIES, Story, archive
from toolsync.config.definition import Tool
from toolsync.config.settings import Config
from toolsync.journal.journal import Journal
from toolsync.pipeline.belonging import open_journal
from toolsync.setup.settings import load_config
from toolsync.system.clock import SystemClock
from toolsync.web.app import application
from toolsync.web.people import secret_of

PASSWORD = "correct horse battery"
SECRET = secret_of(PASSWORD)


class Site:
    """A set-up in a folder, its application, and a browser that keeps its cookies."""

    def __init__(
        self,
        folder: Path,
        stories: Sequence[Story] = STORIES,
        web: str = "",
        head: str = 'series = ["bookworm", "trixie"]',
    ) -> None:
        self.folder = folder
        names = ", ".join(f'"{story.name}"' for story in stories)
        text = f"{head}\ntools = [{names}]\n[web]\n{web}"
        (folder / "toolsync.toml").write_text(text)
        with archive(folder, stories) as (_, tools):
            for tool in tools:
                define(folder / "tools" / tool.name, tool)
        self.app, self.shared = application(self.load, errand=self.errand)
        self.browser: FlaskClient = self.app.test_client()

    @property
    def errand(self) -> list[str]:
        """The command line that does an errand."""
        place = (
            "--config",
            str(self.folder / "toolsync.toml"),
            "--state",
            str(self.folder / "state"),
        )
        return [sys.executable, "-m", "toolsync", *place, "errand"]

    def load(self) -> Config:
        """Read the set-up."""
        return load_config(self.folder / "toolsync.toml", self.folder / "state")

    def journal(self) -> Journal:
        """Open the journal, to be closed."""
        return open_journal(self.load(), SystemClock())

    def account(self, name: str, role: str) -> None:
        """Make an account whose password is `PASSWORD`."""
        journal = self.journal()
        journal.accounts.keep(name, role, SECRET)
        journal.close()

    def log_in(self, name: str = "ann", role: str = "reviewer") -> None:
        """Make an account and log in."""
        self.account(name, role)
        answer = self.post("/login", name=name, password=PASSWORD)
        assert answer.status_code == 303, answer.text

    def get(self, path: str, **headers: str) -> TestResponse:
        """Ask for a page."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.browser.get(path, headers=named, buffered=True)

    def post(self, path: str, page: str = "/login", **form: str) -> TestResponse:
        """Send a form with the token that the form on ``page`` has."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(page).text)
        token = {"csrf": found[1]} if found else {}
        return self.browser.post(path, data=token | form)


def define(folder: Path, tool: Tool) -> None:
    """Write the definition of a tool of the gallery."""
    (folder / "debian").mkdir(parents=True)
    (folder / "debian" / "control").write_text(f"Source: {tool.name}\n\nPackage: {tool.name}1\n")
    (folder / "tool.toml").write_text(
        f"summary = {json.dumps(tool.summary)}\nhomepage = '{tool.homepage}'\n"
        f"[watch]\nkind = '{tool.watch.kind}'\nurl = '{tool.watch.url}'\n"
        f"pattern = '''{tool.watch.pattern}'''\n"
    )
