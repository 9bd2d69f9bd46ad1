"""Do work over a stranger's input in a process that is ended when it has had enough.

Nothing in one process can stop a library that is at work in it, nor take back memory that it
holds. What is over its limit of time or memory, or what kills its process, is told as such, and
whoever asked must take it for not known.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, TypeVar

from toolsync.model.errors import ToolsyncError, TooMuch, unforeseen
from toolsync.system import stop

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

T = TypeVar("T")

_PR_SET_PDEATHSIG = 1
"""prctl(2)."""
_KB = 1024
_LOADING = 10.0
"""Seconds in which other threads should have loaded their modules."""


def confined(work: Callable[[], T], *, what: str, seconds: float, memory: int) -> T:
    """Return what ``work`` gives, done in a fork of this process; raise what it raises.

    Raises TooMuch, which names ``what`` was done, where it takes longer than ``seconds`` or
    more than ``memory`` bytes beyond what is held now, or dies. What ``work`` gives is sent as
    pickle; what is open here (the journal, a connection) must not be used by it. The process
    does not outlive this one.
    """
    from multiprocessing.connection import Pipe  # heavy, and few commands read strangers' pages

    wait_for_imports()
    ours, theirs = Pipe(duplex=False)
    process = _forked(theirs, work, memory)
    theirs.close()
    kind, answer = "lost", None
    try:
        with (
            stop.ended_by(partial(os.kill, process, signal.SIGKILL)),
            suppress(EOFError, UnpicklingError),
        ):
            kind, answer = ours.recv() if ours.poll(seconds) else ("late", None)
        if kind != "late":
            ours.close()
            status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            process = 0
    finally:
        if process:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        ours.close()
    if kind == "answer":
        return answer  # type: ignore[return-value]
    if isinstance(answer, ToolsyncError):
        raise answer
    raise _too_much(kind, what, seconds, memory, 0 if process else status)


def wait_for_imports() -> None:
    """Return when no other thread is loading a module: a fork would wait for its end for ever."""
    end = time.monotonic() + _LOADING
    while time.monotonic() < end and any(
        getattr(getattr(module, "__spec__", None), "_initializing", False)
        for module in list(sys.modules.values())
    ):
        time.sleep(0.005)


def _forked(pipe: Connection, work: Callable[[], object], memory: int) -> int:
    """Start the process and return its id."""
    with warnings.catch_warnings():
        # Threads may be there that wait for servers. None holds what the work needs; if one
        # did, the work would end at its limit of time.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        process = os.fork()
    if process:
        return process
    try:
        _answer(pipe, work, memory)
        os._exit(0)
    finally:
        os._exit(1)  # whatever happened: what is open here is another process's


def _too_much(kind: str, what: str, seconds: float, memory: int, status: int) -> TooMuch:
    ended = (
        f"its process was ended by {signal.Signals(-status).name}"
        if status < 0
        else (f"its process ended with status {status}")
    )
    why = {
        "late": f"it had not ended after {seconds:g} s",
        "memory": f"it wanted more than {memory // (_KB * _KB)} MB of memory",
    }.get(kind, ended)
    return TooMuch(
        f"{what} was given up: {why}",
        resolution="Look at it by hand. If it is honest: raise gate_seconds or gate_memory in"
        " [limits] of toolsync.toml.",
    )


def _answer(pipe: Connection, work: Callable[[], object], memory: int) -> None:
    stop.deaf()
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = _held() + memory
    resource.setrlimit(resource.RLIMIT_DATA, (most if hard < 0 else min(most, hard), hard))
    # Nobody listens any more, or everybody was told to stop: there is nothing to say.
    with suppress(BrokenPipeError, KeyboardInterrupt):
        try:
            said: tuple[str, object] = ("answer", work())
        except MemoryError:
            said = ("memory", None)
        except ToolsyncError as error:
            said = ("error", error)
        except Exception as error:  # noqa: BLE001 (put into words: not all can be sent as they are)
            said = ("error", unforeseen(error))
        try:
            pipe.send(said)
        except MemoryError:
            pipe.send(("memory", None))


def _held() -> int:
    """Return the bytes that this process holds for itself alone, as the kernel counts them."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return int(next(line for line in lines if line.startswith("VmData:")).split()[1]) * _KB
    return 0
