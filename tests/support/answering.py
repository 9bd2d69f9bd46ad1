"""A door behind which a test answers, for pages that may only read."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from toolsync.system import door

Answer = Callable[[Mapping[str, object]], Mapping[str, object]]


@contextmanager
def answering(place: Path, answer: Answer) -> Iterator[list[Mapping[str, object]]]:
    """Give the questions that come, for the block, to a door which the environment names."""
    asked: list[Mapping[str, object]] = []
    listens = socket.socket(socket.AF_UNIX)
    listens.bind(str(place))
    listens.listen(8)

    def do(question: Mapping[str, object], _: door.Tell) -> Mapping[str, object]:
        asked.append(question)
        return answer(question)

    def accept() -> None:
        while True:
            try:
                link, _ = listens.accept()
            except OSError:
                return
            with link:
                door.answer(link, do)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    before = os.environ.get(door.SOCKET)
    os.environ[door.SOCKET] = str(place)
    try:
        yield asked
    finally:
        if before is None:
            del os.environ[door.SOCKET]
        else:
            os.environ[door.SOCKET] = before
        listens.shutdown(socket.SHUT_RDWR)
        listens.close()
        thread.join(20)
        place.unlink()
