r"""Compile the regular expressions of definitions so that no page can make them run for ever.

They are written in Python's syntax, which Python's own compiler checks. What is proved to take
linear time (`linear`) is run by Python's own engine, the quicker one; all else by the
one that is stopped (`engine`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from toolsync.model.engine import LONGEST_EXPRESSION, Engine
from toolsync.model.errors import SetupError
from toolsync.model.linear import is_linear

LONGEST_SUBJECT = 1024
"""Characters of a name or a line that an expression is tried on."""

_BRACE = re.compile(r"(\\.)|\{(?!\d+(?:,\d*)?\}|,\d*\})", re.DOTALL)
"""A brace that Python takes for itself, and the other engine for a word of its own."""


class Expression:
    """A compiled expression: what Python's own has, as far as it is used here."""

    def __init__(self, compiled: re.Pattern[str], what: str) -> None:
        """``what`` names it in the SetupError that ends a match that takes too long."""
        self._compiled, self._what = compiled, what
        self.pattern, self.groups = compiled.pattern, compiled.groups
        self.groupindex = compiled.groupindex
        if not compiled.flags & ~re.UNICODE and is_linear(compiled.pattern):
            self.fullmatch: Callable[[str], Any] = compiled.fullmatch
            self._engine: Engine | None = None
        else:
            self.fullmatch = self._stoppable.fullmatch

    @property
    def _stoppable(self) -> Engine:
        made: Engine | None = getattr(self, "_engine", None)
        if made is None:
            flags = self._compiled.flags & (re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE)
            meant = _BRACE.sub(lambda found: found[1] or "\\{", self.pattern)
            made = self._engine = Engine(meant, self._what, int(flags), told=self.pattern)
        return made

    def search(self, text: str) -> Any:
        """Return the first match in ``text``, or None."""
        return self._stoppable.search(text)

    def finditer(self, text: str) -> Iterator[Any]:
        """Give each match in ``text``."""
        return self._stoppable.finditer(text)

    def substitute(
        self, text: str, put: Callable[[Any], str], *, everywhere: bool
    ) -> tuple[str, int]:
        """Return ``text`` with what matches replaced by ``put(match)``, and how often that was."""
        return self._stoppable.substitute(text, put, everywhere=everywhere)


@lru_cache(maxsize=1024)
def compile_safely(expression: str, flags: int = 0, *, what: str) -> Expression:
    """Return ``expression`` compiled; ``what`` names it in the SetupError that refuses it."""
    try:
        if len(expression) > LONGEST_EXPRESSION:
            raise ValueError(f"it has more than {LONGEST_EXPRESSION} characters")
        return Expression(re.compile(expression, flags), what)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        raise SetupError(
            f"{what}: {expression[:500]} is no regular expression: {error}",
            resolution="Mend it; Python's syntax is wanted.",
        ) from error


def version_pattern(expression: str) -> Expression:
    """Return a tool's ``watch.pattern`` compiled, which must have a group ``version``."""
    compiled = compile_safely(expression, what="watch.pattern")
    if "version" not in compiled.groupindex:
        raise SetupError(
            f"watch.pattern: {expression} has no group (?P<version>…)",
            resolution="Put (?P<version>…) around the part that is the version.",
        )
    return compiled


def match_path(pattern: Expression, path: str) -> Any:
    """Match the whole last component of a path, or its last ones for a pattern with slashes."""
    path = path.rstrip("/")
    if "/" not in pattern.pattern:
        name = path.rpartition("/")[2]
        return pattern.fullmatch(name) if len(name) <= LONGEST_SUBJECT else None
    parts = path.split("/")[-16:]
    tails = ("/".join(parts[start:]) for start in range(len(parts) - 1, -1, -1))
    short = (tail for tail in tails if len(tail) <= LONGEST_SUBJECT)
    return next((match for tail in short if (match := pattern.fullmatch(tail))), None)
