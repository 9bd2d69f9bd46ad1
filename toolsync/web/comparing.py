"""Compute what differs between releases, one after the other, while requests go on.

A difference of large releases takes longer than a page may. So a thread does it, and a page that
comes too early says so.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from toolsync.config.definition import Tool
from toolsync.model.errors import Busy, ToolsyncError, unforeseen
from toolsync.pipeline.changes import Changes, changes_of, is_known
from toolsync.pipeline.context import Context
from toolsync.system.clock import Clock
from toolsync.system.underway import step
from toolsync.web.acting import Acting, Open

_PATIENCE = 2.0
"""Seconds that a page waits."""
_MOST = 20
"""Differences that may be asked for and not be there yet."""
_KEPT = 50
"""Errors that are remembered, until they are asked for."""


@dataclass(slots=True, kw_only=True)
class Comparing:
    """What is being compared."""

    clock: Clock
    acting: Acting
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _begun: dict[tuple[str, str], tuple[float, threading.Event]] = field(default_factory=dict)
    _failed: dict[tuple[str, str], ToolsyncError] = field(default_factory=dict)

    def ask(self, context: Context, open_: Open, tool: Tool, version: str) -> Changes | float:
        """Return the difference, or for how many seconds it has been computed.

        Raises what computing it has raised; then it may be asked for again.
        """
        key = (tool.name, version)
        if is_known(context, tool, version):
            return changes_of(context, tool, version)
        done = self._begin(key, open_, tool, version)
        if done.wait(_PATIENCE) and is_known(context, tool, version):
            return changes_of(context, tool, version)
        if key in self._failed:
            raise self._failed.pop(key)
        begun = self._begun.get(key)
        return self.clock.monotonic() - begun[0] if begun else 0.0

    def _begin(
        self, key: tuple[str, str], open_: Open, tool: Tool, version: str
    ) -> threading.Event:
        if key in self._begun:
            return self._begun[key][1]
        if len(self._begun) >= _MOST:
            raise Busy("many releases are being compared", resolution="Load the page again soon.")
        done = threading.Event()
        self._begun[key] = (self.clock.monotonic(), done)

        def work() -> None:
            try:
                with step(f"{tool.name} {version}: comparing"), self._turn:
                    self.acting.compare(open_, tool, version)
            except ToolsyncError as error:
                self._fail(key, error)
            except Exception as error:  # noqa: BLE001 (it is told on the page)
                self._fail(key, unforeseen(error))
            finally:
                self._begun.pop(key, None)
                done.set()

        threading.Thread(target=work, name="comparing", daemon=True).start()
        return done

    def _fail(self, key: tuple[str, str], error: ToolsyncError) -> None:
        if len(self._failed) > _KEPT:
            self._failed.clear()
        self._failed[key] = error
