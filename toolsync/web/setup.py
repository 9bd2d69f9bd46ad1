"""How the application finds its set-up, and the secret by which it signs sessions."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolsync.config.settings import Config
from toolsync.maintain.overview import mark_of
from toolsync.system.clock import Clock
from toolsync.system.private import open_private, private_folder

OWN = "TOOLSYNC_WEB_STATE"
"""Environment variable that names the folder of pages that run as a user of their own."""
_BYTES, _MINUTE = 32, 60.0
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")


@dataclass(slots=True, kw_only=True)
class Setup:
    """The settings: what is changed in their file holds from the next request on."""

    read: Callable[[], Config]
    clock: Clock
    listen: str
    _kept: tuple[str, float, Config] | None = None

    def load(self) -> Config:
        """Return the settings; an unchanged file is read again each minute alone."""
        now = self.clock.monotonic()
        if self._kept is not None:
            mark, at, config = self._kept
            if now < at + _MINUTE and mark_of(config.file) == mark:
                return config
        found = self.read()
        self._kept = mark_of(found.file), now, found
        return found

    def hosts(self, config: Config) -> frozenset[str]:
        """Return the names by which a browser may call us (without a port)."""
        own = self.listen.rpartition(":")[0]
        local = _LOOPBACK if self.listen.startswith("unix:") or own in _LOOPBACK else (own,)
        return frozenset((*local, *config.web.hosts))


def session_key(config: Config) -> bytes:
    """Return the secret that signs sessions, made at first; it stays over a restart."""
    path = session_file(config)
    private_folder(path.parent)
    with os.fdopen(open_private(path), "r+b") as file:
        file.seek(0)
        found = file.read()
        if len(found) < _BYTES:
            found = secrets.token_bytes(_BYTES)
            file.truncate(0)
            file.write(found)
    return found[:_BYTES]


def session_file(config: Config) -> Path:
    """Return where that secret lies: in a folder of the pages' own, where they have one."""
    own = os.environ.get(OWN, "")
    return (Path(own) if own else config.state / "web") / "session.key"
