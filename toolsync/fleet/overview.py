"""What is to be seen of a fleet: by Celery's own inspection, and by what was noted beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypedDict

from celery import Celery

from toolsync.fleet.broker import AWAY, Board, Note, away, board_of, make_app
from toolsync.fleet.kind import AnyKind
from toolsync.fleet.kinds import KINDS
from toolsync.model.errors import Hostile, TryAgain
from toolsync.system.clock import Clock, SystemClock

_SECONDS = 1.5
"""For workers to answer."""
_TASK = "toolsync."
_NAME = 200
"""Characters of a worker's and a queue's name."""
_MOST = 1e12


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


def served(broker: str) -> Mapping[str, Collection[str]]:
    """Return the names of the workers that answer, by queue; raises TryAgain as `look`."""
    app = make_app(broker, 3600)
    try:
        told = _told(app.control.inspect(timeout=_SECONDS).active_queues)
    except AWAY as error:
        raise away(error) from error
    found: dict[str, list[str]] = {}
    for worker in _workers(told, {}, {}):
        for queue in worker["queues"]:
            found.setdefault(queue, []).append(worker["name"])
    return found


def require_served(queue: str, known: Mapping[str, Collection[str]]) -> None:
    """Raise TryAgain where no worker serves a queue, of those that `served` returned."""
    if queue not in known:
        raise TryAgain(
            f"no worker that answers serves the queue {queue}",
            resolution=f"Start one: toolsync worker --queues {queue}",
        )


def _seen(app: Celery, clock: Clock, kinds: Mapping[str, AnyKind]) -> Fleet:
    board = board_of(app)
    given_up = board.given_up()
    asked = app.control.inspect(timeout=_SECONDS)
    served, active = _told(asked.active_queues), _told(asked.active)
    workers = _workers(served, active, _told(asked.stats))
    names = {queue for worker in workers for queue in worker["queues"]} | board.queues()
    queues = {name: _queue(board, name, workers, clock) for name in sorted(names)}
    now = clock.now().timestamp()
    for worker, task in _each(active):
        queue = str(_table(task.get("delivery_info")).get("routing_key"))
        if queue in queues:
            seconds = now - _number(task.get("time_start"), now)
            what = _about(kinds, str(task.get("name")), task.get("args"))
            found = Running(what=what, worker=worker, seconds=max(0, int(seconds)))
            queues[queue]["running"].append(found)
    waiting = {name: queue["waiting"] for name, queue in queues.items()}
    return Fleet(workers=workers, queues=queues, waiting=waiting, given_up=given_up)


def _told(ask: Callable[[], object]) -> Mapping[str, object]:
    """Return what workers say of themselves, by name; nothing where one says what none does."""
    try:
        found = ask()
    except AWAY:
        raise
    except Exception:  # noqa: BLE001 (Celery's own readers fall over an odd answer)
        return {}
    return {name[:_NAME]: what for name, what in _table(found).items()}


def _workers(
    served: Mapping[str, object], active: Mapping[str, object], stats: Mapping[str, object]
) -> list[Worker]:
    """Return who answers; what is odd of an answer counts for nothing."""
    return [
        Worker(
            name=name,
            queues=sorted(str(queue.get("name"))[:_NAME] for _, queue in _each({name: found})),
            running=len(list(_each({name: active.get(name)}))),
            done=sum(int(_number(n, 0)) for n in _totals(stats.get(name))),
        )
        for name, found in sorted(served.items())
    ]


def _totals(stats: object) -> Iterable[object]:
    return _table(_table(stats).get("total")).values()


def _each(found: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Give each table that a worker tells, with its name."""
    for name, rows in sorted(found.items()):
        for row in rows if isinstance(rows, list | tuple) else ():
            if isinstance(row, Mapping):
                yield name, _table(row)


def _table(found: object) -> Mapping[str, object]:
    return {str(k): v for k, v in found.items()} if isinstance(found, Mapping) else {}


def _number(found: object, other: float) -> float:
    """Return a number that can be true, else another one."""
    good = isinstance(found, int | float) and abs(found) < _MOST
    return float(found) if good and isinstance(found, int | float) else other


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
