"""The engine that runs the expressions of definitions and watch files: it can be stopped.

It is the library ``regex``. Each match has its limit of time, all matches of one look have one
together (`Effort`), and what a rule makes of a text has a limit of length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, TypeVar

from toolsync.model.errors import SetupError
from toolsync.system.effort import Effort, countdown, current

SECONDS = 0.25
"""What one match may take; an honest one takes thousandths."""
TEXT_SECONDS = 5.0
"""What all matches in a whole page's text may take."""
LOOK_SECONDS = 20.0
"""What all matches of one look may take."""
LONGEST_EXPRESSION = 10_000
MOST_MATCHES = 200_000
"""In one text."""
_ROOM = 64 * 1024
"""Characters that a rule may always make, and beyond them so many times the text's own."""
_GROWTH = 4

T = TypeVar("T")


class Engine:
    """A compiled expression that cannot run for ever."""

    def __init__(
        self, expression: str, what: str, flags: int = 0, *, told: str = "", later: bool = False
    ) -> None:
        """``told`` is what was written where ``expression`` is a translation of it.

        ``what`` names it in the SetupError that refuses it, here or, where it is to be compiled
        ``later``, at its first use.
        """
        self.expression, self._what = told or expression, what
        self._meant, self._flags = expression, flags
        if len(expression) > LONGEST_EXPRESSION:
            raise self._refusal(f"has more than {LONGEST_EXPRESSION} characters")
        if not later:
            self._compiled  # noqa: B018 (refuses what is none)

    @cached_property
    def _compiled(self) -> Any:
        import regex

        try:
            return regex.compile(self._meant, self._flags)
        except (regex.error, ValueError, OverflowError, RecursionError) as error:
            raise SetupError(
                f"{self._what}: {self.expression} is no regular expression that can be used:"
                f" {error}",
                resolution="Mend it; perlre(1) tells the syntax.",
            ) from error

    @property
    def groups(self) -> int:
        """How many capturing groups it has."""
        return int(self._compiled.groups)

    def fullmatch(self, text: str) -> Any:
        """Return the match of the whole of ``text``, or None."""
        return self._within(SECONDS, lambda limit: self._compiled.fullmatch(text, timeout=limit))

    def fullmatches(self, texts: Sequence[str]) -> list[re.Match[str] | None]:
        """Return what `fullmatch` gives for each of many texts."""

        def all_of(limit: float) -> list[re.Match[str] | None]:
            left, match = countdown(limit), self._compiled.fullmatch
            found: list[re.Match[str] | None] = []
            for text in texts:
                if not (seconds := left()):
                    raise TimeoutError
                found.append(match(text, timeout=min(SECONDS, seconds)))
            return found

        return self._within(LOOK_SECONDS, all_of)

    def search(self, text: str) -> Any:
        """Return the first match in ``text``, or None."""
        return self._within(SECONDS, lambda limit: self._compiled.search(text, timeout=limit))

    def finditer(self, text: str) -> Iterator[Any]:
        """Give each match in ``text``; they are looked for before the first is given."""

        def all_of(limit: float) -> list[Any]:
            found = self._compiled.finditer(text, timeout=limit)
            return list(islice(found, MOST_MATCHES + 1))

        matches = self._within(TEXT_SECONDS, all_of)
        if len(matches) > MOST_MATCHES:
            raise self._refusal(f"matches more than {MOST_MATCHES} times in one text")
        return iter(matches)

    def substitute(
        self, text: str, put: Callable[[Any], str], *, everywhere: bool
    ) -> tuple[str, int]:
        """Return ``text`` with what matches replaced by ``put(match)``, and how often that was.

        Raises SetupError where that becomes much longer than the text was.
        """
        room = _ROOM + _GROWTH * len(text)

        def counted(match: Any) -> str:
            nonlocal room
            made = put(match)
            room -= len(made)
            if room < 0:
                raise self._refusal(f"makes more than {_ROOM} characters of {len(text)}")
            return made

        seconds = TEXT_SECONDS if len(text) > _ROOM else SECONDS
        done = self._within(
            seconds,
            lambda limit: self._compiled.subn(
                counted, text, count=0 if everywhere else 1, timeout=limit
            ),
        )
        return str(done[0]), int(done[1])

    def _within(self, seconds: float, run: Callable[[float], T]) -> T:
        effort = current() or Effort(seconds)
        if effort.left <= 0:
            raise self._refusal(f"and those before it were stopped after {effort.seconds:g} s")
        limit = min(seconds, effort.left)
        try:
            with effort.spent():
                return run(limit)
        except (TimeoutError, MemoryError) as error:
            raise self._refusal(f"was stopped after {limit:.1f} s") from error

    def _refusal(self, why: str) -> SetupError:
        return SetupError(
            f"{self._what}: {self.expression[:500]} {why}; a pattern must not try the same"
            " characters in ever more ways",
            resolution=r"Do not repeat a repeat, as (\d+)+ does: write \d+, or [\d.]+ with dots.",
        )
