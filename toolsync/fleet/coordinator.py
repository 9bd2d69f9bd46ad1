"""Have packages built by workers: ask, wait, judge, and ask elsewhere where that came to nothing.

Delivery is at least once, acceptance exactly once: a question has the same id whoever asks it, its
answer is judged here, and what was accepted is remembered by the stage's fingerprint like any
other result. A coordinator that was killed finds its questions again by their ids.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from toolsync.build.stage import Product
from toolsync.fleet.asked import BuildAsked
from toolsync.fleet.broker import AWAY, BUILD, SILENCE, Board, away, board_of, make_app
from toolsync.fleet.judge import ANSWER, failure_log, judged
from toolsync.model.errors import Hostile, PackageFailed, TryAgain
from toolsync.model.values import dump
from toolsync.system.clock import Clock, stamp
from toolsync.system.store import Store
from toolsync.system.underway import step

_POLL = 0.2
_FIRST, _LONGEST = 1.0, 120.0
"""Seconds before it is asked again, doubled each time."""


class Lost(Exception):
    """A question came to nothing, and is asked again; its text says why, ``worker`` of whom."""

    def __init__(self, message: str, worker: str = "") -> None:
        super().__init__(message)
        self.worker = worker


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
    ) -> None:
        self._app = make_app(broker, patience.seconds + 600)
        self._store, self._clock, self._patience, self._tell = store, clock, patience, tell

    def build(self, asked: BuildAsked, *, again: bool = False) -> Product:
        """Return what a worker made, judged and in the store.

        With ``again`` an answer of before is not enough. Raises PackageFailed where the package is
        at fault, TryAgain where no worker gave a usable answer.
        """
        board = board_of(self._app)
        salt = str(self._clock.now().timestamp()) if again else ""
        refused: list[str] = []
        why = ""
        with step(f"build on a worker ({asked.queue})"):
            for number in range(self._patience.tries):
                task = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{asked.fingerprint}{salt}/{number}"))
                try:
                    return self._tried(board, task, asked, refused)
                except Lost as error:
                    why = str(error)
                    refused += [error.worker] if error.worker else []
                    self._tell(f"{asked.name} {asked.version} {asked.series}: {why}")
                    board.over(task)
                except AWAY as error:
                    raise away(error) from error
                if number + 1 < self._patience.tries:
                    longest = min(_FIRST * 2**number, _LONGEST)
                    self._clock.sleep(longest * random.uniform(0.75, 1.25))
        note = {"what": f"{asked.name} {asked.version}", "series": asked.series, "why": why}
        board.give_up({**note, "queue": asked.queue, "at": stamp(self._clock.now())})
        raise TryAgain(
            f"{self._patience.tries} workers could not build {asked.name} {asked.version} for"
            f" {asked.series}; the last: {why}",
            resolution="See toolsync fleet; it is tried again by the next run.",
        )

    def _tried(self, board: Board, task: str, asked: BuildAsked, refused: list[str]) -> Product:
        """Ask once, if it was not asked already, and return what the answer is worth."""
        answered = board.size_of_answer(task) and not board.is_over(task)
        if not answered and not board.is_sent(task):
            self._send(board, task, asked, refused)
        worker = self._wait(board, task, asked, refused)
        answer = self._answer(board, task, worker)
        if "made" in answer:
            try:
                product = judged(asked, answer["made"], self._store)
            except Hostile as error:
                raise Lost(f"the worker {worker} lied: {error}", worker) from error
            return product
        said, resolution = _text(answer, "message"), _text(answer, "resolution")
        if answer.get("kind") == "PackageFailed":
            board.over(task)
            log = failure_log(answer.get("log"))
            if log is not None and not self._store.has(log):
                log = None
            raise PackageFailed(said or "the build failed", resolution=resolution, log=log)
        raise Lost(f"the worker {worker} could not: {said}", worker)

    def _send(self, board: Board, task: str, asked: BuildAsked, refused: list[str]) -> None:
        board.anew(task)
        self._app.send_task(
            BUILD, args=[dump(asked), refused], task_id=task, queue=asked.queue, retry=False
        )
        board.sent(task)

    def _wait(self, board: Board, task: str, asked: BuildAsked, refused: list[str]) -> str:
        """Wait for an answer and return who was at work; one who falls silent is left."""
        began = heard = self._clock.monotonic()
        worker = ""
        while not board.size_of_answer(task):
            now = self._clock.monotonic()
            if found := board.at(task):
                began = now if not worker else began
                worker, heard = found, now
            elif worker and now - heard > SILENCE:
                raise Lost(f"the worker {worker} is not heard of any more", worker)
            elif not worker and not board.is_sent(task):  # the broker has lost its memory
                self._send(board, task, asked, refused)
            if worker and now - began > self._patience.seconds:
                raise Lost(f"the worker {worker} has not done it in time", worker)
            if not worker and now - began > self._patience.waiting:
                raise TryAgain(
                    f"no worker took the build of {asked.name} {asked.version} for {asked.series}",
                    resolution=f"Start one: toolsync worker --queues {asked.queue}",
                )
            self._clock.sleep(_POLL)
        return worker or board.at(task)  # it may have been done before we looked again

    def _answer(self, board: Board, task: str, worker: str) -> Mapping[str, object]:
        """Return an answer of the right form; one that is too long is not even read."""
        if (size := board.size_of_answer(task)) > ANSWER:
            raise Lost(f"the worker {worker} answered with {size:,} bytes", worker)
        raw = self._app.backend.client.get(f"celery-task-meta-{task}") or b""
        try:
            meta = json.loads(raw)
            status, answer = meta["status"], meta["result"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Lost(f"the worker {worker} answered with no JSON: {error}", worker) from error
        if status != "SUCCESS" or not isinstance(answer, dict):
            raise Lost(f"the worker {worker} failed: {str(answer)[:500]}", worker)
        return answer


def _text(answer: Mapping[str, object], name: str) -> str:
    """Return a sentence of a worker's, of a length that people read."""
    found = answer.get(name, "")
    return found[:4000] if isinstance(found, str) else ""
