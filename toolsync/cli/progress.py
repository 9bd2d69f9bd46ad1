"""Show what is under way: on a terminal all of it, with elapsed time; elsewhere a line at times.

What ends within a second is not shown at all. Nothing is loaded nor started before then.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from typing import TYPE_CHECKING

from toolsync.model.text import escaped
from toolsync.system import stop, underway
from toolsync.system.board import Board
from toolsync.system.underway import Step

if TYPE_CHECKING:
    from rich.console import RenderableType

_TICK, _TICKS = 0.25, 4
"""Seconds between two looks, and looks between two that others are told of."""
_PATIENCE = 1.0
"""Seconds that a step may take unseen on a terminal."""
_FIRST, _LAST = 30.0, 600.0
"""Seconds after which a line tells of a step elsewhere: the first, then twice as many each time."""
_MOST = 12
"""Steps that are shown at once."""
_SHOW_CURSOR = b"\x1b[?25h"


@contextmanager
def shown(told: Callable[[str], None], board: Board | None = None) -> Iterator[None]:
    """For the block, show each long step; ``told`` prints a line about one, where lines are due.

    On a ``board`` other processes see all steps.
    """
    ticker = _Ticker(_Screen() if sys.stderr.isatty() else _Lines(told), board)
    with underway.watched(ticker.begin):
        try:
            yield
        finally:
            ticker.end()


class _Ticker:
    """Looks at what is under way four times a second, from the first step on."""

    def __init__(self, view: _Screen | _Lines, board: Board | None) -> None:
        self._view, self._board, self._over = view, board, threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        with self._lock:
            if self._thread is None and not self._over.is_set():
                self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
                self._thread.start()

    def end(self) -> None:
        with self._lock:
            self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        with self._view, closing(self._board) if self._board else nullcontext():
            number = 0
            while not self._over.wait(_TICK):
                steps = underway.steps()
                self._view.look(steps)
                if self._board and number % _TICKS == 0:
                    self._board.tell(steps)
                number += 1


class _Lines(ExitStack):
    """Tells of a step after half a minute, a minute, two, and so on."""

    def __init__(self, told: Callable[[str], None]) -> None:
        super().__init__()
        self._told = told
        self._due: dict[int, tuple[Step, float]] = {}

    def look(self, steps: list[Step]) -> None:
        known, self._due = self._due, {}
        for step in steps:
            _, due = known.get(id(step), (step, _FIRST))
            if step.seconds >= due:
                self._told(line_of(step))
                while due <= step.seconds:
                    due += min(due, _LAST)
            self._due[id(step)] = (step, due)


class _Screen(ExitStack):
    """Keeps a line for each step at the bottom of the terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: list[Step] = []
        self._refresh: Callable[[], None] | None = None

    def look(self, steps: list[Step]) -> None:
        self._steps = [step for step in steps if step.seconds >= _PATIENCE]
        if self._steps and self._refresh is None:
            self._refresh = self._opened()
        if self._refresh is not None:
            self._refresh()

    def _opened(self) -> Callable[[], None]:
        from rich.console import Console
        from rich.live import Live

        live = Live(
            console=Console(stderr=True, highlight=False),
            get_renderable=self._lines,
            auto_refresh=False,
            transient=True,
        )
        self.enter_context(stop.ended_by(_show_cursor))
        self.enter_context(live)
        return live.refresh

    def _lines(self) -> RenderableType:
        from rich.text import Text

        lines = [line_of(step) for step in self._steps[:_MOST]]
        if len(self._steps) > _MOST:
            lines.append(f"and {len(self._steps) - _MOST} more")
        return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")


def _show_cursor() -> None:
    os.write(2, _SHOW_CURSOR)


def line_of(step: Step) -> str:
    """Return a step in a line: what it is, for how long, and its last word."""
    minutes, seconds = divmod(int(step.seconds), 60)
    words = escaped(step.last_words())[:300]
    return f"{step.label} {minutes}:{seconds:02}" + (f"  {words}" if words else "")
