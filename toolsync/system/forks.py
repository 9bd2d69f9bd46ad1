"""Run parts of a job in processes, since threads of one interpreter wait for each other.

Each process keeps to one processor: where its threads may move between processors, each change of
threads wakes another processor, which costs time when hundreds of threads do little each.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TypeVar

from toolsync.model.errors import ProgramFailed, ToolsyncError, unforeseen
from toolsync.system import stop
from toolsync.system.confined import wait_for_imports

T = TypeVar("T")

_PR_SET_PDEATHSIG = 1
"""prctl(2)."""


def side_by_side(works: Sequence[Callable[[], T]]) -> list[T | ToolsyncError]:
    """Do the first of ``works`` here and each other one in a process of its own.

    Returns the results in order; where a process died before it returned one, an error.
    The processes are forks: no other thread may hold a lock that they want, and what is open here
    (the journal, a connection) must not be used there. What a work raises is raised here, from
    another process as a ToolsyncError (`unforeseen`). None of them outlives this one. Each keeps to
    a processor of its own, as far as there are so many.
    """
    works = [_at(processor, work) for processor, work in zip(_processors(), works, strict=False)]
    wait_for_imports()
    fork = get_context("fork")
    others = []
    for work in works[1:]:
        ours, theirs = fork.Pipe(duplex=False)
        process = fork.Process(target=_answer, args=(theirs, work), daemon=True)
        process.start()
        theirs.close()
        others.append((process, ours))
    try:
        answers: list[T | BaseException] = [works[0]()]
        for process, ours in others:
            try:
                answers.append(ours.recv())
            except EOFError:
                process.join()
                answers.append(_lost(process.exitcode or 0))
    except BaseException:
        for process, _ in others:
            process.terminate()
        raise
    finally:
        for process, ours in others:
            process.join()
            ours.close()
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, _Lost):
            raise answer
    return answers  # type: ignore[return-value]  # exceptions but for lost ones were raised


def _processors() -> Iterator[int]:
    """Yield the processors that may be used, over and over; another process gets others first."""
    usable = sorted(os.sched_getaffinity(0))
    first = os.getpid() % len(usable)
    return cycle(usable[first:] + usable[:first])


def _at(processor: int, work: Callable[[], T]) -> Callable[[], T]:
    def at() -> T:
        before = os.sched_getaffinity(0)
        _keep_to({processor})
        try:
            return work()
        finally:
            _keep_to(before)

    return at


def _keep_to(processors: set[int]) -> None:
    with contextlib.suppress(OSError):  # not granted here: it is for speed alone
        os.sched_setaffinity(0, processors)


class _Lost(ProgramFailed):
    pass


def _lost(status: int) -> _Lost:
    how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
    return _Lost(
        f"the process that worked on it ended {how} before it was done",
        resolution="Run again. If it ends so again: is the memory too small (dmesg)?",
    )


def _answer(pipe: Connection, work: Callable[[], object]) -> None:
    stop.deaf()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent is gone, or Ctrl-C stopped all processes: nobody reads a result.
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        try:
            answer = work()
        except ToolsyncError as error:
            answer = error
        except Exception as error:  # noqa: BLE001 (put into words: not all can be sent as they are)
            answer = unforeseen(error)
        pipe.send(answer)
