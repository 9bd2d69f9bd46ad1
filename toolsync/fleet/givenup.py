"""The tasks that were given up: put a new question for them, or forget them."""

from __future__ import annotations

from collections.abc import Iterable

from celery import Celery

from toolsync.fleet.broker import AWAY, Board, Note, away, board_of, make_app, send
from toolsync.fleet.kind import AnyKind
from toolsync.fleet.kinds import KINDS
from toolsync.model.errors import Hostile, UsageError

ALL = "all"


def retry(broker: str, which: str, kinds: Iterable[AnyKind] = KINDS) -> list[Note]:
    """Ask once more for what was given up, and return that; the next run finds the answers.

    ``which`` is a note's id or ``all``. Raises UsageError where there is none of that id.
    """
    app = make_app(broker, 3600)
    try:
        chosen = _chosen(board_of(app), which)
        known = {kind.name: kind for kind in kinds}
        return [note for note in chosen if _sent(app, note, known.get(note["kind"]))]
    except AWAY as error:
        raise away(error) from error


def forget(broker: str, which: str) -> list[Note]:
    """Take notes from the list, and return them; raises as `retry` does."""
    board = board_of(make_app(broker, 3600))
    try:
        chosen = _chosen(board, which)
        for note in chosen:
            board.drop(note)
    except AWAY as error:
        raise away(error) from error
    return chosen


def _sent(app: Celery, note: Note, kind: AnyKind | None) -> bool:
    """Send what a note asks for as a first try; say whether that can be.

    The note goes last: a broker that is away meanwhile leaves it for another time.
    """
    board = board_of(app)
    try:
        first = kind.first(note["question"]) if kind is not None else None
    except Hostile:
        first = None  # of another version: the next run asks anew
    if kind is not None and first is not None:
        task, queue = first
        board.anew(task)
        send(app, kind.name, task, queue, [note["question"], []], urgent=True)
        board.sent(task)
    board.drop(note)
    return first is not None


def _chosen(board: Board, which: str) -> list[Note]:
    notes = board.given_up()
    chosen = [note for note in notes if which in (ALL, note["id"])]
    if not chosen and which != ALL:
        raise UsageError(
            f"no task that was given up has the id {which!r}; there are {len(notes)}",
            resolution="toolsync fleet lists them with their ids.",
        )
    return chosen
