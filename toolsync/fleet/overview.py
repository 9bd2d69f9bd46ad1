"""What is to be seen of a fleet: by Celery's own inspection, and by what was noted beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict

from celery import Celery

from toolsync.fleet.broker import AWAY, Board, Note, away, board_of, make_app
from toolsync.fleet.kind import AnyKind
from toolsync.fleet.kinds import KINDS
from toolsync.model.errors import Hostile
from toolsync.system.clock import Clock, SystemClock

_SECONDS = 1.5
"""For workers to answer."""
_TASK = "toolsync."


class Worker(TypedDict):
    """A worker that answers."""

    name: str
    queues: list[str]
    running: int
    done: int


class Running(TypedDict):
    """A task that a worker does."""

    what: str
    worker: str
    seconds: int


class Queue(TypedDict):
    """One queue."""

    workers: int
    waiting: int
    running: list[Running]
    last_hour: int
    """Answers that were accepted."""


class Fleet(TypedDict):
    """A fleet at one moment."""

    workers: list[Worker]
    queues: dict[str, Queue]
    waiting: dict[str, int]
    """Tasks that wait, by queue."""
    given_up: list[Note]


def look(broker: str, clock: Clock | None = None, kinds: Iterable[AnyKind] = KINDS) -> Fleet:
    """Return what is to be seen; raises TryAgain where the broker does not answer."""
    app, clock = make_app(broker, 3600), clock or SystemClock()
    try:
        return _seen(app, clock, {kind.name: kind for kind in kinds})
    except AWAY as error:
        raise away(error) from error


def _seen(app: Celery, clock: Clock, kinds: Mapping[str, AnyKind]) -> Fleet:
    board = board_of(app)
    given_up = board.given_up()
    asked = app.control.inspect(timeout=_SECONDS)
    served, active, stats = asked.active_queues() or {}, asked.active() or {}, asked.stats() or {}
    workers = [
        Worker(
            name=str(name),
            queues=sorted(str(queue["name"]) for queue in found),
            running=len(active.get(name, ())),
            done=sum((stats.get(name, {}).get("total") or {}).values()),
        )
        for name, found in sorted(served.items())
    ]
    names = {queue for worker in workers for queue in worker["queues"]} | board.queues()
    queues = {name: _queue(board, name, workers, clock) for name in sorted(names)}
    now = clock.now().timestamp()
    for worker, tasks in sorted(active.items()):
        for task in tasks:
            queue = str((task.get("delivery_info") or {}).get("routing_key"))
            if queue in queues:
                began = float(task.get("time_start") or now)
                what = _about(kinds, str(task.get("name")), task.get("args"))
                found = Running(what=what, worker=str(worker), seconds=max(0, int(now - began)))
                queues[queue]["running"].append(found)
    waiting = {name: queue["waiting"] for name, queue in queues.items()}
    return Fleet(workers=workers, queues=queues, waiting=waiting, given_up=given_up)


def _queue(board: Board, name: str, workers: list[Worker], clock: Clock) -> Queue:
    return Queue(
        workers=len([worker for worker in workers if name in worker["queues"]]),
        waiting=board.waiting(name),
        running=[],
        last_hour=board.last_hour(name, clock.now()),
    )


def _about(kinds: Mapping[str, AnyKind], task: str, args: object) -> str:
    """Return what a task is about, its name where that cannot be read."""
    kind = kinds.get(task.removeprefix(_TASK))
    if kind is None or not isinstance(args, list | tuple) or not args:
        return task[:100]
    try:
        return kind.subject(args[0])
    except Hostile:
        return task[:100]
