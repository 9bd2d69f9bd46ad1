"""Stop within a second when told to (SIGINT, SIGTERM, SIGHUP), whatever is being waited for.

The main thread is interrupted and leaves its blocks, which clear up behind it. So that nothing
holds it up, all that waits elsewhere is ended at the same moment: each registers how (`ended_by`).
A thread of its own hears the signal at once, also while the main thread waits in a library that
tells nobody (a name server that does not answer), and ends the process when the time is over;
programs then end with their namespaces, and the next run clears the folders.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE = 0.5
"""Seconds that blocks have to clear up behind them."""
TOLD = ("stopped", "What was finished is kept; the next run goes on from there.")
"""What a person is told: what happened, and what to do."""

_lock = threading.Lock()
_enders: set[Callable[[], None]] = set()
_number = 0
"""The signal that was heard first, 0 before any."""
# A process that is forked while another thread holds the lock would wait for it for ever.
os.register_at_fork(
    before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
)


def begun() -> bool:
    """Say whether we are to stop."""
    return _number != 0


def status() -> int:
    """Return the exit status for the signal that was heard, as shells tell it."""
    return 128 + (_number or signal.SIGINT)


@contextmanager
def ended_by(ender: Callable[[], None]) -> Iterator[None]:
    """Have ``ender``, which must not wait, end what the block waits for when we are to stop.

    Raises KeyboardInterrupt, after a call of ``ender``, when that is so already; and in place of
    whatever the block ends with when it became so meanwhile: what was ended has told us nothing.
    """
    with _lock:
        if not begun():
            _enders.add(ender)
    if begun():
        ender()
        raise KeyboardInterrupt
    try:
        yield
    except Exception as error:
        if begun():
            raise KeyboardInterrupt from error
        raise
    finally:
        with _lock:
            _enders.discard(ender)
    if begun():
        raise KeyboardInterrupt


def listen() -> None:
    """From now on stop when told to; for the main thread of a command line."""
    heard, hears = socket.socketpair()
    hears.setblocking(False)
    threading.Thread(target=_watch, args=(heard,), name="stop", daemon=True).start()
    signal.set_wakeup_fd(hears.detach(), warn_on_full_buffer=False)
    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup, and jobs in the background
            signal.signal(number, _interrupt)


def deaf() -> None:
    """Undo `listen` in a process that was forked: it ends when it is told to."""
    signal.set_wakeup_fd(-1)
    for number in _SIGNALS:
        if signal.getsignal(number) == _interrupt:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(*_: object) -> None:
    global _interrupted
    if not _interrupted:  # a second one would only disturb the clearing up
        _interrupted = True
        raise KeyboardInterrupt


_interrupted = False


def _watch(heard: socket.socket) -> None:
    """End all that waits when a signal comes, and the process when that did not suffice."""
    global _number
    number = next(n for n in iter(lambda: heard.recv(1)[0], None) if n in _SIGNALS)
    with _lock:
        _number = number
        enders = list(_enders)
    end = time.monotonic() + _PATIENCE
    for ender in enders:
        with suppress(Exception):
            ender()
    time.sleep(max(0.0, end - time.monotonic()))
    leave()


def leave() -> NoReturn:
    """Say that we stopped and end the process, waiting for no thread."""
    with suppress(Exception):
        sys.stdout.flush()
    with suppress(OSError):
        os.write(2, f"toolsync: {TOLD[0]}\n  → {TOLD[1]}\n".encode())
    os._exit(status())
