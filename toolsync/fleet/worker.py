"""A worker: takes a question from a queue, does the stage, and answers with values.

It holds no key and no journal. What it is given lies in the store by digest, and what it makes goes
there. While it works a thread tells so; when it is killed nobody does, and another one is asked.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Protocol

from celery import Celery
from celery.exceptions import Ignore, Reject

from toolsync.build.chroot import Chroots
from toolsync.build.stage import Product, make
from toolsync.config.settings import Build
from toolsync.fleet.asked import BuildAsked, read_asked
from toolsync.fleet.broker import AWAY, BEAT, BUILD, Board, board_of
from toolsync.model.errors import PackageFailed, ToolsyncError, unforeseen
from toolsync.model.values import dump
from toolsync.system.clock import Clock
from toolsync.system.store import Store
from toolsync.system.work import Workshop

Do = Callable[[BuildAsked], Product]
"""Builds what is asked; see `builder`."""


class Request(Protocol):
    """What Celery tells of a task that was delivered."""

    id: str


class Bound(Protocol):
    """A task of Celery's while it runs."""

    request: Request


def builder(settings: Build, store: Store, workshop: Workshop, chroots: Chroots) -> Do:
    """Return what builds on this machine: its own limits, and what was asked for."""

    def do(asked: BuildAsked) -> Product:
        wanted = replace(
            settings,
            backend=asked.backend,
            tests=asked.tests,
            lint=asked.lint,
            rebuild=asked.rebuild,
        )
        return make(
            asked,
            settings=wanted,
            store=store,
            workshop=workshop,
            chroots=chroots,
            known=asked.known,
        )

    return do


def offer(app: Celery, name: str, do: Do, clock: Clock) -> None:
    """Let a worker of this name do what is asked of it by the broker."""

    def build(task: Bound, data: object, refused: Sequence[str]) -> Mapping[str, object]:
        board = board_of(app)
        if board.is_over(task.request.id) or board.size_of_answer(task.request.id):
            raise Ignore  # delivered once more, and nobody waits for it
        if name in refused:
            clock.sleep(1.0)
            raise Reject("another worker is to do it", requeue=True)
        with _beating(board, task.request.id, name):
            return answered(do, data)

    app.task(name=BUILD, bind=True)(build)


def answered(do: Do, data: object) -> Mapping[str, object]:
    """Return what came of a question, in JSON's types; nothing is raised."""
    try:
        return {"made": dump(do(read_asked(data)))}
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
