"""Keep every status up to date for pages that may only read, and let them read.

SQLite lets nobody read who may not write unless somebody who may has the file open (docs/adr/0046);
a status is written down when it was computed; and a run that began before an upgrade makes files
by its older rules. So one process of the state's owner sees to all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from toolsync.config.settings import Config
from toolsync.journal.journal import Journal
from toolsync.maintain.overview import Plan, refresh
from toolsync.model.errors import ToolsyncError, unforeseen
from toolsync.pipeline.belonging import open_journal
from toolsync.pipeline.context import opened
from toolsync.system import stop
from toolsync.system.activated import tell_ready
from toolsync.system.clock import Clock
from toolsync.system.readable import Readable

_EACH, _WHOLE = 1.0, 10.0
"""Seconds between two looks at what was written, and at what is out of date by itself."""


def keep(
    load: Callable[[], Config],
    clock: Clock,
    tell: Callable[[str], None],
    ready: Callable[[], None] = tell_ready,
) -> None:
    """Keep statuses up to date until we are told to stop; ``tell`` is given what goes wrong.

    ``ready`` is called when the state can be read, and when it cannot: the pages, which wait for
    that, then say why. Raises what opening the journal raises.
    """
    config = load()
    place = config.journal
    readable = Readable(config.state, place if isinstance(place, Path) else None)
    with ExitStack() as stack:
        try:
            journal = stack.enter_context(closing(open_journal(config, clock)))
            readable.let()
            tell(f"keeping {config.state}")
        finally:
            ready()
        _go_on(load, journal, readable, clock, tell)


def _go_on(
    load: Callable[[], Config],
    journal: Journal,
    readable: Readable,
    clock: Clock,
    tell: Callable[[str], None],
) -> None:
    plan, said, last = Plan(), "", clock.monotonic() - _WHOLE
    while not stop.begun():
        readable.let()
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


def _show(done: int, total: int | None) -> None:
    """Show no progress."""
