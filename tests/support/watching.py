"""Helpers for tests of release pages: a tool, a server, and one look at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.servers.web import Web
from toolsync.config.definition import CompatPolicy, Tool, Verify, Watch
from toolsync.config.licensing import LicensePolicy
from toolsync.config.settings import Limits
from toolsync.http.client import Http
from toolsync.watch.kinds import KINDS
from toolsync.watch.look import Sighting, look


def tool_with(**watch: Any) -> Tool:
    """Return a tool of which only [watch] matters."""
    return Tool(
        name="tool",
        folder=Path("/nonexistent"),
        summary="",
        homepage="",
        watch=Watch(**watch, record=KINDS[watch["kind"]]),
        verify=Verify(),
        license=LicensePolicy(),
        compat=CompatPolicy(),
        source="tool",
        series=(),
    )


class Watcher:
    """A loopback upstream that serves nothing yet, and the looks at it."""

    def __init__(self) -> None:
        self.web = Web()
        self.http = Http(user_agent="toolsync-tests", timeout=5, retries=0)

    def __enter__(self) -> Watcher:
        self.web.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.http.close()
        self.web.__exit__(None, None, None)

    def look(
        self,
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        remembered: Sighting | None = None,
        **watch: Any,
    ) -> Sighting:
        """Look at the page that the keywords of [watch] describe."""
        watch.setdefault("url", self.web.url + "/")
        return look(tool_with(**watch), http=self.http, limits=limits, remembered=remembered)


def versions(sighting: Sighting) -> list[str]:
    """Return the versions of a sighting in its order."""
    return [release.version for release in sighting.releases]
