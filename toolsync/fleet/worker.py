"""A worker: takes a question from a queue, does the stage, and answers with values.

It holds no key and no journal. What it is given lies in the store by digest, and what it makes goes
there. While it works a thread tells so; when it is killed nobody does, and another one is asked.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

from celery import Celery
from celery.exceptions import Ignore, Reject

from toolsync.fleet.broker import AWAY, BEAT, Board, board_of, task_name
from toolsync.fleet.kind import Doer
from toolsync.model.errors import PackageFailed, ToolsyncError, unforeseen
from toolsync.model.values import dump
from toolsync.system.clock import Clock


class Request(Protocol):
    """What Celery tells of a task that was delivered."""

    id: str


class Bound(Protocol):
    """A task of Celery's while it runs."""

    request: Request


def offer(app: Celery, name: str, doers: Mapping[str, Doer], clock: Clock) -> None:
    """Let a worker of this name do what is asked of it by the broker: by kind, who does it."""
    for kind, doer in doers.items():
        app.task(name=task_name(kind), bind=True)(_task(app, name, doer, clock))


def _task(app: Celery, name: str, do: Doer, clock: Clock) -> Callable[..., object]:
    """Return what Celery calls for each task of a kind."""

    def task(task: Bound, data: object, refused: Sequence[str]) -> Mapping[str, object]:
        board = board_of(app)
        if board.is_over(task.request.id) or board.size_of_answer(task.request.id):
            raise Ignore  # delivered once more, and nobody waits for it
        if name in refused:
            clock.sleep(1.0)
            raise Reject("another worker is to do it", requeue=True)
        with _beating(board, task.request.id, name):
            return {**answered(do, data), "worker": name}

    return task


def answered(do: Doer, data: object) -> Mapping[str, object]:
    """Return what came of a question, in JSON's types; nothing is raised."""
    try:
        return {"made": dump(do(data))}
    except PackageFailed as error:
        log = dump(error.log) if error.log else None
        return {**_said(error), "kind": "PackageFailed", "log": log}
    except ToolsyncError as error:
        return _said(error)
    except Exception as error:  # noqa: BLE001 (the other side is to be told)
        return _said(unforeseen(error))


def _said(error: ToolsyncError) -> dict[str, object]:
    kind = type(error).__name__
    return {"kind": kind, "message": str(error)[:4000], "resolution": error.resolution[:4000]}


@contextmanager
def _beating(board: Board, task: str, name: str) -> Iterator[None]:
    """For the block, tell that we are at work."""
    ended = threading.Event()
    board.beat(task, name)

    def beat() -> None:
        while not ended.wait(BEAT):
            with suppress(*AWAY):  # told again in a moment
                board.beat(task, name)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def serve(app: Celery, name: str, queues: Sequence[str], at_once: int) -> None:
    """Take tasks from these queues until we are stopped."""
    app.worker_main(
        [
            *("worker", "--loglevel", "WARNING", "--hostname", name, "--queues", ",".join(queues)),
            *("--concurrency", str(at_once), "--without-gossip", "--without-mingle"),
        ]
    )


def name_of_this() -> str:
    """Return a name by which people know this worker."""
    return f"{os.getpid()}@{os.uname().nodename}"
