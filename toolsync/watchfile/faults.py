"""Say what is wrong with a watch file in one message: in which line, and what would be right."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from toolsync.model.errors import SetupError

_FILE = "debian/watch"


def fault(found: str, right: str, line: int = 0) -> SetupError:
    """Return the error for what was ``found`` (a predicate) and what would be ``right``.

    Scripts are given the message alone, so that says all; ``line`` counts from 1, 0 is none.
    """
    place = f"{_FILE} line {line}" if line else _FILE
    return SetupError(f"{place} {found}" + (f". {right.rstrip('.')}" if right else ""))


@contextmanager
def placed(line: int) -> Iterator[None]:
    """Give the faults that the block raises their line, and put what to do into the message."""
    try:
        yield
    except SetupError as error:
        said = str(error)
        if not line or said.startswith(f"{_FILE} line "):
            raise
        said = said.removeprefix(_FILE).lstrip(": ")
        right = f". {error.resolution.rstrip('.')}" if error.resolution else ""
        raise SetupError(f"{_FILE} line {line}: {said}{right}") from error


def meant(word: str, known: Collection[str]) -> str:
    """Return which of the ``known`` words was probably meant, as the end of a sentence."""
    close = get_close_matches(word, known, n=1, cutoff=0.7)
    return f"; {close[0]} may be meant" if close else ""
