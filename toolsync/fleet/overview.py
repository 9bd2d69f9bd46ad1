"""What is to be seen of a fleet: by Celery's own inspection, and by what was noted beside it."""

from __future__ import annotations

from typing import TypedDict

from toolsync.fleet.broker import AWAY, away, board_of, make_app

_SECONDS = 1.5
"""For workers to answer."""


class Worker(TypedDict):
    """A worker that answers."""

    name: str
    queues: list[str]
    running: int
    done: int


class Fleet(TypedDict):
    """A fleet at one moment."""

    workers: list[Worker]
    waiting: dict[str, int]
    """Tasks that wait, by queue."""
    given_up: list[dict[str, str]]


def look(broker: str) -> Fleet:
    """Return what is to be seen; raises TryAgain where the broker does not answer."""
    app = make_app(broker, 3600)
    try:
        board = board_of(app)
        given_up = board.given_up()
        asked = app.control.inspect(timeout=_SECONDS)
        queues, active, stats = (
            asked.active_queues() or {},
            asked.active() or {},
            asked.stats() or {},
        )
        workers = [
            Worker(
                name=str(name),
                queues=sorted(str(queue["name"]) for queue in found),
                running=len(active.get(name, ())),
                done=sum((stats.get(name, {}).get("total") or {}).values()),
            )
            for name, found in sorted(queues.items())
        ]
        known = sorted({queue for worker in workers for queue in worker["queues"]})
        waiting = {queue: board.waiting(queue) for queue in known}
    except AWAY as error:
        raise away(error) from error
    return Fleet(workers=workers, waiting=waiting, given_up=given_up)
