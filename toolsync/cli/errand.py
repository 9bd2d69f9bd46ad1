"""``toolsync errand``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from toolsync.cli.session import Settings, opened
from toolsync.model.errors import FINE, Busy

if TYPE_CHECKING:
    from toolsync.maintain.errand import Tell
    from toolsync.pipeline.context import Context

_PAUSE, _TIMES = 2.0, 1800
"""How often, and how many times, a state is asked for that another toolsync holds: an hour."""


@click.command("errand")
@click.pass_obj
def command(settings: Settings) -> int:
    """Do the one thing that a reviewer asks for in a browser, and end.

    toolsync serve and toolsync-errand.socket start it: the question comes by the standard input,
    which is a socket, and so does the answer go. It is written to the log with the person's name.
    """
    from toolsync.system import door

    with door.given() as link:
        door.answer(link, lambda question, tell: _done(settings, question, tell))
    return FINE


def _done(settings: Settings, question: Mapping[str, object], tell: Tell) -> Mapping[str, object]:
    from toolsync.maintain.errand import failed
    from toolsync.maintain.errands import EVERY, do, errand_of, write_down
    from toolsync.model.errors import ToolsyncError, unforeseen
    from toolsync.model.values import dump

    try:
        errand = errand_of(question, EVERY)
        lock = EVERY[errand.act].lock
        if lock:
            with opened(settings) as context:
                write_down(context, errand)
        with _held(settings, lock, tell) as context:
            if not lock:
                write_down(context, errand)
            return dump(do(context, errand, tell))
    except ToolsyncError as error:
        return dump(failed(error))
    except Exception as error:  # noqa: BLE001 (whoever asked is told)
        return dump(failed(unforeseen(error)))


@contextmanager
def _held(settings: Settings, lock: str, tell: Tell) -> Iterator[Context]:
    """Give the opened context; while another toolsync holds the state, wait for it to end."""
    from toolsync.system.clock import SystemClock

    said = ""
    for turn in range(_TIMES):
        begun = False
        try:
            with opened(settings, lock=lock) as context:
                begun = True
                yield context
                return
        except Busy as error:
            if begun or not lock or turn + 1 == _TIMES:
                raise
            if str(error) != said:
                tell(f"waiting: {error}")
            said = str(error)
        SystemClock().sleep(_PAUSE)
