r"""Compile the regular expressions of configuration so that no page can make them run for ever.

Python's engine takes exponential time where a repeat stands in a repeat and both can take
the same text, as in ``(\d+)+x``. Such an expression is refused before it meets a page. What
remains costs at most a power of the subject's length, and subjects are short.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, TypeAlias

from toolsync.model.errors import SetupError

LONGEST_SUBJECT = 1024
"""Characters of a name or a line that an expression is tried on."""

_MANY = 32
"""A repeat that may go on at least so often counts as endless."""

_Chars: TypeAlias = frozenset[str]
_ALPHABET: _Chars = frozenset(map(chr, range(128))) | {"é"}


@lru_cache(maxsize=1024)
def compile_safely(expression: str, flags: int = 0, *, what: str) -> re.Pattern[str]:
    """Return ``expression`` compiled; ``what`` names it in the SetupError that refuses it."""
    try:
        compiled = re.compile(expression, flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise SetupError(
            f"{what}: {expression!r} is no regular expression: {error}",
            resolution="Mend it; Python's syntax is wanted.",
        ) from error
    if _can_explode(expression, flags):
        raise SetupError(
            f"{what}: {expression!r} repeats a repeat of the same characters, which can take "
            "exponential time on a hostile page",
            resolution=r"Repeat once, or put a separator into the repeat, as in (?:\.\d+)+.",
        )
    return compiled


def version_pattern(expression: str) -> re.Pattern[str]:
    """Return a tool's ``watch.pattern`` compiled, which must have a group ``version``."""
    compiled = compile_safely(expression, what="watch.pattern")
    if "version" not in compiled.groupindex:
        raise SetupError(
            f"watch.pattern: {expression!r} has no group (?P<version>…)",
            resolution="Put (?P<version>…) around the part that is the version.",
        )
    return compiled


def match_path(pattern: re.Pattern[str], path: str) -> re.Match[str] | None:
    """Match the whole last component of a path, or its last ones for a pattern with slashes."""
    path = path.rstrip("/")
    if len(path) > LONGEST_SUBJECT:
        return None
    if "/" not in pattern.pattern:
        return pattern.fullmatch(path.rpartition("/")[2])
    parts = path.split("/")[-16:]
    tails = ("/".join(parts[start:]) for start in range(len(parts) - 1, -1, -1))
    return next((match for tail in tails if (match := pattern.fullmatch(tail))), None)


def _can_explode(expression: str, flags: int) -> bool:
    try:
        from re import _parser  # type: ignore[attr-defined]
    except ImportError:  # an interpreter that keeps its parser elsewhere
        return False
    tree = _parser.parse(expression, flags)
    return _explodes(list(tree), bool(tree.state.flags & re.IGNORECASE))


def _explodes(nodes: list[Any], fold: bool) -> bool:
    """Say whether an endless repeat in here holds one that can take over its next turn."""
    for node in nodes:
        inner = _children(node)
        if _endless(node):
            body = list(node[1][2])
            if _ends(body, fold) & _starts(body, fold)[0]:
                return True
        if any(_explodes(child, fold) for child in inner):
            return True
    return False


def _children(node: Any) -> list[list[Any]]:
    name, args = str(node[0]), node[1]
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return [list(args[2])]
    if name == "SUBPATTERN":
        return [list(args[3])]
    if name == "BRANCH":
        return [list(branch) for branch in args[1]]
    if name in ("ASSERT", "ASSERT_NOT"):
        return [list(args[1])]
    if name == "ATOMIC_GROUP":
        return [list(args)]
    if name == "GROUPREF_EXISTS":
        return [list(part) for part in args[1:] if part]
    return []


def _endless(node: Any) -> bool:
    return str(node[0]) in ("MAX_REPEAT", "MIN_REPEAT") and node[1][1] >= _MANY


def _varies(node: Any) -> bool:
    return str(node[0]) in ("MAX_REPEAT", "MIN_REPEAT") and bool(node[1][0] < node[1][1])


def _starts(nodes: list[Any], fold: bool) -> tuple[_Chars, bool]:
    """Return the characters that a sequence can start with, and whether it can be empty."""
    chars: set[str] = set()
    for node in nodes:
        own, empty = _first(node, fold)
        chars |= own
        if not empty:
            return frozenset(chars), False
    return frozenset(chars), True


def _first(node: Any, fold: bool) -> tuple[_Chars, bool]:
    name, args = str(node[0]), node[1]
    if name == "AT" or name.startswith("ASSERT"):
        return frozenset(), True
    if name in ("GROUPREF", "GROUPREF_EXISTS"):
        return _ALPHABET, True
    children = _children(node)
    if not children:
        return _single(node, fold), False
    sets = [_starts(child, fold) for child in children]
    empty = any(e for _, e in sets) or (name.endswith("_REPEAT") and args[0] == 0)
    return frozenset().union(*(s for s, _ in sets)), empty


def _ends(nodes: list[Any], fold: bool) -> _Chars:
    """Return the characters by which a sequence can go on where it could have ended."""
    chars: set[str] = set()
    for node in reversed(nodes):
        children = _children(node)
        branches = [_starts(child, fold) for child in children]
        if _varies(node) or any(empty for _, empty in branches):
            chars = chars.union(*(starts for starts, _ in branches))
        for child in children:
            chars |= _ends(child, fold)
        if not _first(node, fold)[1]:
            break
    return frozenset(chars)


def _single(node: Any, fold: bool) -> _Chars:
    """Return what one character's node takes, asked of the engine's own compiler."""
    from re import _compiler, _parser  # type: ignore[attr-defined]

    state = _parser.State()
    state.flags = re.IGNORECASE if fold else 0
    one = _compiler.compile(_parser.SubPattern(state, [node]))
    return frozenset(char for char in _ALPHABET if one.fullmatch(char))
