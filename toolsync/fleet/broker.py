"""The broker: Celery over Redis, and what coordinator and workers tell each other beside it.

Messages are JSON, never pickle: what comes by a broker must not choose code. A task is
acknowledged when it is done, so that one that is never finished is delivered again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypedDict

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
_DEAD, _MOST_DEAD, _QUEUES = "toolsync:dead", 1000, "toolsync:queues"
AWAY = (redis.RedisError, OperationalError, OSError)
"""What the way to the broker raises."""


URGENT, LATER = 0, 6
"""Priorities of Celery's over Redis, the smaller first: a person's request, a timer's run."""
_STEPS = (URGENT, LATER)
_BETWEEN = "\x06\x16"
"""Stands between a queue's name and a priority in the name of its list (kombu's own)."""
_PART, _HOUR = 300, 3600
"""Seconds that answers are counted by, and over which."""


class Note(TypedDict):
    """A task that was given up."""

    id: str
    kind: str
    what: str
    why: str
    queue: str
    at: str
    question: object


class Keys(Protocol):
    """What is asked of Redis itself."""

    def get(self, name: str) -> bytes | None: ...  # noqa: D102
    def set(self, name: str, value: str, ex: int) -> object: ...  # noqa: D102
    def delete(self, *names: str) -> object: ...  # noqa: D102
    def strlen(self, name: str) -> int: ...  # noqa: D102
    def llen(self, name: str) -> int: ...  # noqa: D102
    def lpush(self, name: str, *values: str) -> object: ...  # noqa: D102
    def ltrim(self, name: str, first: int, last: int) -> object: ...  # noqa: D102
    def lrem(self, name: str, count: int, value: str) -> object: ...  # noqa: D102
    def incr(self, name: str) -> object: ...  # noqa: D102
    def expire(self, name: str, seconds: int) -> object: ...  # noqa: D102
    def mget(self, keys: Sequence[str]) -> Sequence[bytes | None]: ...  # noqa: D102
    def sadd(self, name: str, *values: str) -> object: ...  # noqa: D102
    def smembers(self, name: str) -> Iterable[bytes]: ...  # noqa: D102
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
        broker_transport_options={
            "visibility_timeout": int(seconds),
            "socket_timeout": 30,
            "queue_order_strategy": "priority",
            "priority_steps": list(_STEPS),
            "sep": _BETWEEN,
        },
        redis_socket_timeout=30,
        task_ignore_result=False,
    )
    return app


def send(
    app: Celery,
    kind: str,
    task: str,
    queue: str,
    args: Sequence[object],
    *,
    urgent: bool,
    seconds: float | None = None,
) -> None:
    """Send a task by its kind's name, with an id; raises one of `AWAY`.

    No worker begins with it later than in ``seconds``: nobody waits for it any more.
    """
    priority = URGENT if urgent else LATER
    try:
        app.send_task(
            task_name(kind),
            args=list(args),
            task_id=task,
            queue=queue,
            retry=False,
            priority=priority,
            expires=seconds,
        )
    except RuntimeError as error:  # Celery's, when the place for answers cannot be reached again
        raise OperationalError(" ".join(str(error).split())) from error


class Board:
    """What is noted in the broker of each task: sent, at work, over; and which were given up."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def sent(self, task: str) -> None:
        """Note that a task was sent, for no longer than its answer is kept.

        A note that outlived the answer would have everybody wait for what never comes.
        """
        self._keys.set(f"toolsync:sent:{task}", "1", ex=DAY)

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

    def give_up(self, note: Note) -> None:
        """Put a task on the list of those that were given up, the newest first."""
        self._keys.lpush(_DEAD, json.dumps(note))
        self._keys.ltrim(_DEAD, 0, _MOST_DEAD - 1)

    def given_up(self) -> list[Note]:
        """Return the tasks that were given up, the newest first."""
        entries = map(_note, self._keys.lrange(_DEAD, 0, _MOST_DEAD - 1))
        return [entry for entry in entries if entry is not None]

    def drop(self, note: Note) -> None:
        """Take a task from the list of those that were given up."""
        self._keys.lrem(_DEAD, 0, json.dumps(note))

    def waiting(self, queue: str) -> int:
        """Return how many tasks of a queue wait for a worker."""
        names = (f"{queue}{_BETWEEN}{step}" if step else queue for step in _STEPS)
        return sum(int(self._keys.llen(name)) for name in names)

    def accepted(self, queue: str, now: datetime) -> None:
        """Count an answer that was accepted."""
        name = f"toolsync:done:{queue}:{int(now.timestamp()) // _PART}"
        self._keys.incr(name)
        self._keys.expire(name, 2 * _HOUR)

    def last_hour(self, queue: str, now: datetime) -> int:
        """Return how many answers were accepted in the last hour, to five minutes."""
        part = int(now.timestamp()) // _PART
        names = [f"toolsync:done:{queue}:{part - n}" for n in range(_HOUR // _PART)]
        return sum(int(count) for count in self._keys.mget(names) if count)

    def asked(self, queue: str) -> None:
        """Note that there are tasks for a queue, also where nobody serves it."""
        self._keys.sadd(_QUEUES, queue)

    def queues(self) -> set[str]:
        """Return the queues for which there were tasks."""
        return {name.decode("utf-8", "replace")[:200] for name in self._keys.smembers(_QUEUES)}


def _note(entry: bytes) -> Note | None:
    """Return a note, None where it is none: whoever reaches the broker may write there."""
    try:
        found = json.loads(entry)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    names = ("id", "kind", "what", "why", "queue", "at")
    words = [word for name in names if isinstance(word := found.get(name), str)]
    if len(words) != len(names):
        return None
    of, kind, what, why, queue, at = words
    question = found.get("question")
    return Note(id=of, kind=kind, what=what, why=why, queue=queue, at=at, question=question)


def board_of(app: Celery) -> Board:
    """Return the board in the same Redis."""
    return Board(app.backend.client)


def away(error: BaseException) -> TryAgain:
    """Return the error for a broker that does not answer."""
    return TryAgain(
        f"the broker does not answer: {error}",
        resolution="See that it runs and [fleet] broker names it; run again: nothing is lost.",
    )
