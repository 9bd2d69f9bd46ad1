"""Keep every status up to date for pages that may only read, and the journal open for them.

SQLite lets nobody read who may not write unless somebody who may has the file open (docs/adr/0046);
and a status is written down when it was computed. So one process of the state's owner does both.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from toolsync.config.settings import Config
from toolsync.journal.journal import Journal
from toolsync.maintain.overview import Plan, refresh
from toolsync.model.errors import ToolsyncError, unforeseen
from toolsync.pipeline.belonging import open_journal
from toolsync.pipeline.context import opened
from toolsync.system import stop
from toolsync.system.clock import Clock
from toolsync.system.private import for_readers

_EACH, _WHOLE = 1.0, 10.0
"""Seconds between two looks at what was written, and at what is out of date by itself."""
_READ = ("store", "changes")
"""Folders of a state that pages read."""


def keep(load: Callable[[], Config], clock: Clock, tell: Callable[[str], None]) -> None:
    """Keep statuses up to date until we are told to stop; ``tell`` is given what goes wrong.

    Raises what opening the journal raises.
    """
    config, plan, said = load(), Plan(), ""
    with closing(open_journal(config, clock)) as journal:
        let_read(config.state)
        tell(f"keeping {config.state}")
        last = clock.monotonic() - _WHOLE
        while not stop.begun():
            try:
                if _is_due(journal, clock, last):
                    last = clock.monotonic()
                    _bring_up_to_date(load(), plan, clock)
                said = ""
            except ToolsyncError as error:
                said = _told(f"{error} → {error.resolution}", said, tell)
            except Exception as error:  # noqa: BLE001 (the pages go on; it is tried again soon)
                said = _told(str(unforeseen(error)), said, tell)
            clock.sleep(_EACH)


def _is_due(journal: Journal, clock: Clock, last: float) -> bool:
    return clock.monotonic() >= last + _WHOLE or bool(journal.states.stale())


def _bring_up_to_date(config: Config, plan: Plan, clock: Clock) -> None:
    with opened(config, tell=lambda _: None, progress=lambda _: _show, clock=clock) as context:
        refresh(context, plan)


def _told(text: str, before: str, tell: Callable[[str], None]) -> str:
    """Tell of a fault once, as long as it lasts."""
    if text != before:
        tell(text)
    return text


def let_read(state: Path) -> None:
    """Let the group read what was kept before it might (a restored backup, an older version)."""
    readers = for_readers(state)
    for place in _READ if readers else ():
        for top, _, names in os.walk(state / place):
            with suppress(OSError):  # gone meanwhile, or somebody else's
                Path(top).chmod(0o700 | readers)
            for name in names:
                _open_to(Path(top) / name, readers & 0o040)


def _open_to(path: Path, bits: int) -> None:
    with suppress(OSError):
        if path.stat().st_mode & 0o077 != bits:
            path.chmod(0o600 | bits)


def _show(done: int, total: int | None) -> None:
    """Show no progress."""
