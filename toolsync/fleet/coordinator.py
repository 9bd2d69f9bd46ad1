"""Have work done by workers: ask, wait, judge, and ask elsewhere where that came to nothing.

Delivery is at least once, acceptance exactly once: a question has the same id whoever asks it, its
answer is judged here, and what was accepted is remembered by the stage's fingerprint like any
other result. A coordinator that was killed finds its questions again by their ids.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Generic

from toolsync.config.settings import Limits
from toolsync.fleet.broker import AWAY, SILENCE, Board, Note, away, board_of, make_app, send
from toolsync.fleet.checks import read_log
from toolsync.fleet.kind import A, Kind, Q
from toolsync.model.errors import Hostile, PackageFailed, SetupError, TryAgain
from toolsync.model.values import dump
from toolsync.system.clock import Clock, stamp
from toolsync.system.store import Store
from toolsync.system.underway import step

_POLL = 0.2
_NAME = 200
"""Characters of a worker's name."""
_NAMELESS = 3
"""How many times as often a task is tried where nobody says who failed: that is no worker's try,
and a liar without a name cannot be left out."""
_FIRST, _LONGEST = 1.0, 120.0
"""Seconds before it is asked again, doubled each time."""
_SOON, _FEW = 60.0, 2
"""Seconds and tries after which the coordinator does it itself, where it can."""
_LATELY = 30.0
"""Seconds for which it is believed who serves which queue."""
_DESERTED = 300.0
"""Seconds in which a queue is asked no more where nobody took a task that can be done here."""


class Lost(Exception):
    """A question came to nothing, and is asked again; its text says why, ``worker`` of whom."""

    def __init__(self, message: str, worker: str = "") -> None:
        super().__init__(message)
        self.worker = worker


class Blamed(Lost):
    """A worker says that the package itself is at fault; ``error`` is what to say of it then."""

    def __init__(self, error: PackageFailed, worker: str) -> None:
        said = str(error).partition("\n")[0]
        super().__init__(f"the worker {worker} says that the package is at fault: {said}", worker)
        self.error = error

    def with_names(self, *workers: str) -> Blamed:
        """Return the same whose error names those who say it."""
        head, line, rest = str(self.error).partition("\n")
        said = f"{head.rstrip(':')} (on {' and '.join(workers)}){':' if line else ''}{line}{rest}"
        error = PackageFailed(said, resolution=self.error.resolution, log=self.error.log)
        return Blamed(error, self.worker)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long and how often."""

    seconds: float
    """Until a task that runs must be done."""
    waiting: float
    """Until a worker must have taken a task."""
    tries: int


class Coordinator:
    """The coordinator's side of a fleet."""

    def __init__(
        self,
        broker: str,
        store: Store,
        clock: Clock,
        patience: Patience,
        tell: Callable[[str], None],
        limits: Limits | None = None,
        *,
        urgent: bool = True,
    ) -> None:
        """``urgent`` tasks go before others: those that a person waits for."""
        self._urgent, self._broker = urgent, broker
        self._served: tuple[float, Mapping[str, Collection[str]]] | None = None
        """Who served which queue, and when that was asked, on the monotonic clock."""
        self._app = make_app(broker, patience.seconds + 600)
        self._store, self._clock, self._patience, self._tell = store, clock, patience, tell
        self._limits = limits or Limits()
        self._deserted: dict[str, float] = {}
        """Queues of which nobody took a task, with the moment on the monotonic clock."""

    def require_served(self, queue: str) -> None:
        """Raise TryAgain where no worker that answers serves a queue, or the broker does not.

        What was seen a moment ago is believed to be so.
        """
        from toolsync.fleet.overview import require_served, served  # seldom needed

        now = self._clock.monotonic()
        if self._served is None or now - self._served[0] > _LATELY:
            self._served = now, served(self._broker)
        require_served(queue, self._served[1])

    def ask(self, kind: Kind[Q, A], asked: Q, *, again: bool = False) -> A:
        """Return what a worker's answer is worth, all that it names in the store.

        With ``again`` an answer of before is not enough. Raises PackageFailed where the package is
        at fault, TryAgain where no worker gave a usable answer.
        """
        task = _Task(kind, asked, uuid.uuid4().hex if again or kind.once else "")
        try:
            if kind.here and self._is_deserted(task.queue):
                self._nobody(board_of(self._app), task)
            return self._asked(board_of(self._app), task)
        except AWAY as error:
            raise away(error) from error

    def _asked(self, board: Board, task: _Task[Q, A]) -> A:
        """Ask until an answer is accepted; raises as `ask` does, and one of `AWAY`."""
        kind, patience = task.kind, self._patience_for(task.kind)
        why, tries = "", _Tries(patience.tries, anybody=kind.here)
        with step(f"{kind.name} on a worker ({task.queue})"):
            for number in count():
                task.id = kind.task(task.known, number)
                try:
                    return self._tried(board, task, patience)
                except Lost as error:
                    if isinstance(error, Blamed):
                        self._believe(task, error)
                    why = str(error)
                    task.refused += [error.worker] if error.worker else []
                    self._tell(f"{task.about}: {why}")
                    board.over(task.id)
                    if tries.were_all(error):
                        break
                longest = min(_FIRST * 2**number, _LONGEST)
                self._clock.sleep(longest * random.uniform(0.75, 1.25))
        if task.blamed is not None:
            raise task.blamed.error
        return self._gave_up(board, task, patience.tries, why)

    def _believe(self, task: _Task[Q, A], said: Blamed) -> None:
        """Raise PackageFailed where two workers say it, or one where there is no other to ask.

        Who does not say who he is may be the same one again, and is believed with nobody.
        """
        if not said.worker or (task.blamed is not None and task.blamed.worker == said.worker):
            return
        if task.blamed is not None:
            raise said.with_names(task.blamed.worker, said.worker).error
        if not self._others(task, said.worker):
            raise said.with_names(said.worker).error
        task.blamed = said.with_names(said.worker)

    def _others(self, task: _Task[Q, A], worker: str) -> bool:
        """Say whether other workers serve the queue than those that are not to be asked again."""
        from toolsync.fleet.overview import served  # seldom needed

        names = served(self._broker).get(task.queue, ())
        # Celery adds the host to a name that has none.
        known = {n if "@" in worker else n.partition("@")[0] for n in names}
        return bool(known - {worker, *task.refused})

    def _patience_for(self, kind: Kind[Q, A]) -> Patience:
        """Return how long is waited: not long for what can as well be done here."""
        patience = self._patience
        seconds = min(patience.seconds, kind.seconds)
        if not kind.here:
            return replace(patience, seconds=seconds)
        waiting, tries = min(patience.waiting, _SOON), min(patience.tries, _FEW)
        return Patience(seconds=seconds, waiting=waiting, tries=tries)

    def _is_deserted(self, queue: str) -> bool:
        """Say whether nobody took a task of a queue lately: others need not wait for that, too."""
        since = self._deserted.get(queue)
        return since is not None and self._clock.monotonic() - since < _DESERTED

    def _gave_up(self, board: Board, task: _Task[Q, A], tries: int, why: str) -> A:
        """Raise what is to be said of a task that nobody could do."""
        if not task.kind.here:
            board.give_up(
                Note(
                    id=task.known[:12],
                    kind=task.kind.name,
                    what=task.about,
                    why=why,
                    queue=task.queue,
                    at=stamp(self._clock.now()),
                    question=dump(task.asked),
                )
            )
        raise TryAgain(
            f"{tries} workers could not do the {task.kind.name} of {task.about}; the last: {why}",
            resolution="See toolsync fleet; it is tried again by the next run.",
        )

    def _tried(self, board: Board, task: _Task[Q, A], patience: Patience) -> A:
        """Ask once, if it was not asked already, and return what the answer is worth."""
        answered = board.size_of_answer(task.id) and not board.is_over(task.id)
        if not answered and not board.is_sent(task.id):
            self._send(board, task)
        worker = self._wait(board, task, patience)
        answer = self._answer(board, task, worker)
        worker = worker or _text(answer, "worker")[:_NAME]  # it was done before we looked
        if "made" in answer:
            worth = self._judged(task, answer["made"], worker)
            if task.kind.once:
                board.forget(task.id)
            board.accepted(task.queue, self._clock.now())
            return worth
        said, resolution = _text(answer, "message"), _text(answer, "resolution")
        if answer.get("kind") == "PackageFailed" and not task.kind.here:
            board.over(task.id)
            log = read_log(answer.get("log"))
            if log is not None and not self._store.has(log):
                log = None
            said = said or f"{task.kind.name} failed"
            raise Blamed(PackageFailed(said, resolution=resolution, log=log), worker)
        raise Lost(f"the worker {worker} could not: {said}", worker)

    def _judged(self, task: _Task[Q, A], made: object, worker: str) -> A:
        """Return what an answer is worth; whatever it does to who judges it is its own fault."""
        try:
            return task.kind.judge(task.asked, made, self._store, self._limits)
        except Hostile as error:
            raise Lost(f"the worker {worker} lied: {error}", worker) from error
        except (TryAgain, SetupError, OSError):
            raise  # the world's, or this machine's: another worker's answer would fare no better
        except Exception as error:  # an answer must not stop who asks
            said = f"{type(error).__name__}: {str(error)[:500]}"
            raise Lost(f"the worker {worker} gave what cannot be judged: {said}", worker) from error

    def _send(self, board: Board, task: _Task[Q, A]) -> None:
        board.anew(task.id)
        args, patience = (dump(task.asked), task.refused), self._patience_for(task.kind)
        send(
            self._app,
            task.kind.name,
            task.id,
            task.queue,
            args,
            urgent=self._urgent,
            seconds=patience.waiting + patience.seconds if task.kind.here else None,
        )
        board.asked(task.queue)
        board.sent(task.id)

    def _wait(self, board: Board, task: _Task[Q, A], patience: Patience) -> str:
        """Wait for an answer and return who was at work; one who falls silent is left."""
        began = heard = self._clock.monotonic()
        worker = ""
        while not board.size_of_answer(task.id):
            now = self._clock.monotonic()
            if found := board.at(task.id):
                began = now if not worker else began
                worker, heard = found, now
            elif worker and now - heard > SILENCE:
                raise Lost(f"the worker {worker} is not heard of any more", worker)
            elif not worker and not board.is_sent(task.id):  # the broker has lost its memory
                self._send(board, task)
            if worker and now - began > patience.seconds:
                raise Lost(f"the worker {worker} has not done it in time", worker)
            if not worker and now - began > patience.waiting:
                self._nobody(board, task)
            self._clock.sleep(_POLL)
        return worker or board.at(task.id)

    def _nobody(self, board: Board, task: _Task[Q, A]) -> None:
        """Raise TryAgain; what is done here now must not be done by a worker, too.

        Where one worker has said that the package does not build, and the others are busy, its word
        stands.
        """
        if task.blamed is not None:
            raise task.blamed.error
        if task.kind.here and task.id:
            board.over(task.id)
            self._deserted[task.queue] = self._clock.monotonic()
        raise TryAgain(
            f"no worker took the {task.kind.name} of {task.about}",
            resolution=f"Start one: toolsync worker --queues {task.queue}",
        )

    def _answer(self, board: Board, task: _Task[Q, A], worker: str) -> Mapping[str, object]:
        """Return an answer of the right form; one that is too long is not even read."""
        if (size := board.size_of_answer(task.id)) > task.kind.most:
            raise Lost(f"the worker {worker} answered with {size:,} bytes", worker)
        raw = self._app.backend.client.get(f"celery-task-meta-{task.id}") or b""
        try:
            meta = json.loads(raw)
            status, answer = meta["status"], meta["result"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Lost(f"the worker {worker} answered with no JSON: {error}", worker) from error
        if status != "SUCCESS" or not isinstance(answer, dict):
            raise Lost(f"the worker {worker} failed: {str(answer)[:500]}", worker)
        return answer


class _Tries:
    """How often a task was tried in vain: by workers with names, and by somebody."""

    def __init__(self, most: int, *, anybody: bool) -> None:
        """With ``anybody`` who has no name counts as any other."""
        self._most, self._anybody = most, anybody
        self._named = self._nameless = 0

    def were_all(self, error: Lost) -> bool:
        """Count a try that came to nothing, and say whether there are no more."""
        if error.worker or self._anybody:
            self._named += 1
        else:
            self._nameless += 1
        return self._named >= self._most or self._nameless >= _NAMELESS * self._most


class _Task(Generic[Q, A]):
    """A question on its way, and who is not to be asked any more."""

    def __init__(self, kind: Kind[Q, A], asked: Q, salt: str) -> None:
        self.kind, self.asked = kind, asked
        self.about, self.queue = kind.about(asked), kind.queue(asked)
        self.refused: list[str] = []
        self.blamed: Blamed | None = None
        """What one worker says of the package, and no other has said yet."""
        self.id = ""
        self.known = f"{kind.fingerprint(asked)}{salt}"


def _text(answer: Mapping[str, object], name: str) -> str:
    """Return a sentence of a worker's, of a length that people read."""
    found = answer.get(name, "")
    return found[:4000] if isinstance(found, str) else ""
