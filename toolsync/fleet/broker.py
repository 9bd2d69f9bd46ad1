"""The broker: Celery over Redis, and what coordinator and workers tell each other beside it.

Messages are JSON, never pickle: what comes by a broker must not choose code. A task is
acknowledged when it is done, so that one that is never finished is delivered again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from toolsync.model.errors import SetupError, TryAgain

try:
    import redis
    from celery import Celery
    from kombu.exceptions import OperationalError
except ImportError as error:
    raise SetupError(
        f"[fleet] broker is set, and Celery cannot be loaded: {error}",
        resolution="Install it: apt install python3-celery python3-redis, or pip install"
        " 'toolsync[fleet]'.",
    ) from error

BEAT = 2.0
"""Seconds between two signs of life of a worker at work."""
SILENCE = 10.0
"""Seconds without one after which it is taken for dead."""
DAY = 24 * 3600
_DEAD, _MOST_DEAD = "toolsync:dead", 1000
AWAY = (redis.RedisError, OperationalError, OSError)
"""What the way to the broker raises."""


class Keys(Protocol):
    """What is asked of Redis itself."""

    def get(self, name: str) -> bytes | None: ...  # noqa: D102
    def set(self, name: str, value: str, ex: int) -> object: ...  # noqa: D102
    def delete(self, *names: str) -> object: ...  # noqa: D102
    def strlen(self, name: str) -> int: ...  # noqa: D102
    def llen(self, name: str) -> int: ...  # noqa: D102
    def lpush(self, name: str, *values: str) -> object: ...  # noqa: D102
    def ltrim(self, name: str, first: int, last: int) -> object: ...  # noqa: D102
    def lrange(self, name: str, first: int, last: int) -> Sequence[bytes]: ...  # noqa: D102


def task_name(kind: str) -> str:
    """Return a kind's name among Celery's tasks."""
    return f"toolsync.{kind}"


def make_app(url: str, seconds: float) -> Celery:
    """Return Celery for a broker; a task is taken for lost after so many seconds."""
    app = Celery("toolsync", broker=url, backend=url)
    app.conf.update(
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        result_accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=True,
        task_send_sent_event=True,
        result_expires=DAY,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"visibility_timeout": int(seconds), "socket_timeout": 30},
        redis_socket_timeout=30,
        task_ignore_result=False,
    )
    return app


class Board:
    """What is noted in the broker of each task: sent, at work, over; and which were given up."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def sent(self, task: str) -> None:
        """Note that a task was sent."""
        self._keys.set(f"toolsync:sent:{task}", "1", ex=7 * DAY)

    def anew(self, task: str) -> None:
        """Forget what is noted of a task, and its answer: it is sent once more."""
        names = ("toolsync:over:", "toolsync:sent:", "toolsync:at:", "celery-task-meta-")
        self._keys.delete(*(f"{name}{task}" for name in names))

    def is_sent(self, task: str) -> bool:
        """Say whether it was, and the broker has not forgotten it since."""
        return self._keys.get(f"toolsync:sent:{task}") is not None

    def beat(self, task: str, worker: str) -> None:
        """Tell that a worker is at work on a task."""
        self._keys.set(f"toolsync:at:{task}", worker, ex=int(SILENCE))

    def at(self, task: str) -> str:
        """Return the worker that is at work on a task, empty where none has said so lately."""
        found = self._keys.get(f"toolsync:at:{task}")
        return found.decode("utf-8", "replace")[:200] if found else ""

    def over(self, task: str) -> None:
        """Note that nobody waits for a task any more: one that is delivered again is left."""
        self._keys.set(f"toolsync:over:{task}", "1", ex=7 * DAY)
        self._keys.delete(f"toolsync:sent:{task}", f"toolsync:at:{task}")

    def forget(self, task: str) -> None:
        """Note that a task is over, for as long as it may be delivered again; drop its answer."""
        self._keys.set(f"toolsync:over:{task}", "1", ex=DAY)
        names = ("toolsync:sent:", "toolsync:at:", "celery-task-meta-")
        self._keys.delete(*(f"{name}{task}" for name in names))

    def is_over(self, task: str) -> bool:
        """Say whether nobody waits for it."""
        return self._keys.get(f"toolsync:over:{task}") is not None

    def size_of_answer(self, task: str) -> int:
        """Return the bytes of an answer, 0 where there is none yet."""
        return int(self._keys.strlen(f"celery-task-meta-{task}"))

    def give_up(self, note: dict[str, str]) -> None:
        """Put a task on the list of those that were given up, the newest first."""
        self._keys.lpush(_DEAD, json.dumps(note))
        self._keys.ltrim(_DEAD, 0, _MOST_DEAD - 1)

    def given_up(self) -> list[dict[str, str]]:
        """Return the tasks that were given up, the newest first."""
        return [json.loads(entry) for entry in self._keys.lrange(_DEAD, 0, _MOST_DEAD - 1)]

    def waiting(self, queue: str) -> int:
        """Return how many tasks of a queue wait for a worker."""
        return int(self._keys.llen(queue))


def board_of(app: Celery) -> Board:
    """Return the board in the same Redis."""
    return Board(app.backend.client)


def away(error: BaseException) -> TryAgain:
    """Return the error for a broker that does not answer."""
    return TryAgain(
        f"the broker does not answer: {error}",
        resolution="See that it runs and [fleet] broker names it; run again: nothing is lost.",
    )
