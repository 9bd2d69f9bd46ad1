r"""Tell the expressions that Python's own engine matches in linear time, whatever the text.

A backtracking engine takes more than linear time only where one text can be taken in ever
more ways: two endless repeats share it, or a repeat's turns have no certain ends. Most patterns,
such as ``tool-(?P<version>\d+(?:\.\d+)*)\.zip``, are plainly not of that kind. Here is said
yes only where that is proved; what is not understood here gets no.

The proof: alternatives and optional parts are written out (`_paths`, few of them). In a repeat of
several parts the first begins each turn and occurs in no other, and what repeats within ends
where the next part begins (`_loop`). Of two repeats on one path, no text may keep the first
going, lead to the second and keep that going (`_apart`). So an expression without infinite
ambiguity is left, for which a text's beginning can be read in a fixed number of ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

_MOST_PATHS = 64
_MOST_PARTS = 400
_ALL = (1 << 132) - 1
"""Sets of characters are bits: one for each of ASCII, four for all others by their class."""
_DIGIT, _LETTER, _BLANK = 1 << 128, 1 << 129, 1 << 130
_OTHER = 15 << 128
_BOUND = 64
"""A repeat of exactly so many turns, or fewer, is written out."""


@dataclass(frozen=True, slots=True)
class _Loop:
    """A repeat without end: the sets of its turn's parts, some of which repeat themselves."""

    parts: tuple[_Part, ...]

    @property
    def chars(self) -> int:
        """All that may occur in it."""
        return _union(self.parts)


_Part = int | _Loop
_Path = tuple[_Part, ...]


class _Unknown(Exception):
    """Something that is not looked into here."""


def is_linear(expression: str) -> bool:
    """Say whether matching the whole of any text certainly takes linear time."""
    if len(expression) > _MOST_PARTS:
        return False
    try:
        paths, end = _alternatives(expression, 0)
    except (_Unknown, IndexError):
        return False
    return end == len(expression) and all(map(_bounded, paths))


def _union(parts: _Path) -> int:
    whole = 0
    for part in parts:
        whole |= part.chars if isinstance(part, _Loop) else part
    return whole


def _bounded(path: _Path) -> bool:
    """Say whether of no two repeats on a path one can take what the other does."""
    loops = [at for at, part in enumerate(path) if isinstance(part, _Loop)]
    return all(
        _apart(one, other, _fixed(path[first + 1 : second]))
        for first, second in combinations(loops, 2)
        for one in _spots(path[first])
        for other in _spots(path[second])
    )


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place where a path can go round: what occurs there, what must, what comes around it."""

    chars: int
    needed: tuple[int, ...]
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()


def _spots(loop: _Part) -> Iterator[_Spot]:
    assert isinstance(loop, _Loop)
    yield _Spot(loop.chars, _fixed(loop.parts))
    for at, part in enumerate(loop.parts):
        if isinstance(part, _Loop):
            before, after = _fixed(loop.parts[:at]), _fixed(loop.parts[at + 1 :])
            yield _Spot(part.chars, _fixed(part.parts), before, after)


def _fixed(parts: _Path) -> tuple[int, ...]:
    return tuple(part for part in parts if not isinstance(part, _Loop))


def _apart(one: _Spot, other: _Spot, between: tuple[int, ...]) -> bool:
    """Say whether no text keeps one going, leads to the other, and keeps that going."""
    if any(not need & other.chars for need in one.needed):
        return True
    if any(not need & one.chars for need in other.needed):
        return True
    both = one.chars & other.chars
    return any(not part & both for part in (*one.after, *between, *other.before))


def _loop(paths: list[_Path]) -> _Loop:
    """Return the repeat of a part whose turns have certain ends."""
    if len(paths) != 1 or not paths[0]:
        raise _Unknown
    parts = paths[0]
    first = parts[0]
    if isinstance(first, _Loop):
        raise _Unknown
    if len(parts) > 1 and first & _union(parts[1:]):
        raise _Unknown
    for at, part in enumerate(parts):
        if isinstance(part, _Loop) and (
            len(part.parts) > 1 or part.chars & _union(parts[at + 1 :])
        ):
            raise _Unknown
    return _Loop(parts)


def _alternatives(text: str, at: int) -> tuple[list[_Path], int]:
    """Return the paths of what stands at ``at``, and where that ends: a ``)``, or the end."""
    found: list[_Path] = []
    while True:
        paths, at = _sequence(text, at)
        found += paths
        _check(found)
        if text[at : at + 1] != "|":
            return found, at
        at += 1


def _check(paths: list[_Path]) -> None:
    if len(paths) > _MOST_PATHS or sum(map(len, paths)) > _MOST_PARTS * 4:
        raise _Unknown


def _sequence(text: str, at: int) -> tuple[list[_Path], int]:
    paths: list[_Path] = [()]
    while at < len(text) and text[at] not in "|)":
        own, at = _atom(text, at)
        least, most, at = _times(text, at)
        added = _repeated(own, least, most)
        if len(paths) * len(added) > _MOST_PATHS:
            raise _Unknown
        paths = [(*head, *tail) for head in paths for tail in added]
        _check(paths)
    return paths, at


def _repeated(own: list[_Path], least: int, most: int | None) -> list[_Path]:
    if (least, most) == (1, 1):
        return own
    if (least, most) == (0, 1):
        return [*own, ()]
    if least > _BOUND or len(own) != 1:
        raise _Unknown
    written = own[0] * least
    return [written if most == least else (*written, _loop(own))]


def _times(text: str, at: int) -> tuple[int, int | None, int]:
    """Return how often what stands before ``at`` may occur, and where the quantifier ends."""
    char = text[at : at + 1]
    least, most, end = 1, 1, at
    known: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
    if char in known:
        least, most_or_none = known[char]
        end = at + 1
    elif char == "{":
        end = text.index("}", at) + 1 if "}" in text[at:] else at
        low, comma, high = text[at + 1 : end - 1].partition(",")
        if not low.isdecimal() or (high and not high.isdecimal()) or not low.isascii():
            raise _Unknown
        least = int(low)
        most_or_none = (int(high) if high else None) if comma else least
    else:
        return least, most, end
    if text[end : end + 1] == "?":
        end += 1
    if text[end : end + 1] in ("+", "*", "?", "{"):
        raise _Unknown
    return least, most_or_none, end


def _atom(text: str, at: int) -> tuple[list[_Path], int]:
    char = text[at]
    if char == "(":
        return _group(text, at)
    if char == "[":
        chars, end = _set(text, at)
        return [(chars,)], end
    if char == "\\":
        if text[at + 1] in "AZbB":
            return [()], at + 2
        chars, end = _escaped(text, at)
        return [(chars,)], end
    if char in "^$":
        return [()], at + 1
    if char in "*+?{":
        raise _Unknown
    return [(_ALL if char == "." else _bit(char),)], at + 1


def _group(text: str, at: int) -> tuple[list[_Path], int]:
    start = at + 1
    if text.startswith("(?P<", at):
        start = text.index(">", at) + 1 if ">" in text[at:] else len(text)
    elif text.startswith("(?:", at):
        start = at + 3
    elif text.startswith("(?", at):
        raise _Unknown
    paths, end = _alternatives(text, start)
    if text[end : end + 1] != ")":
        raise _Unknown
    return paths, end + 1


def _bit(char: str) -> int:
    return 1 << ord(char) if ord(char) < 128 else _OTHER


def _of(chars: str) -> int:
    whole = 0
    for char in chars:
        whole |= _bit(char)
    return whole


_DIGITS = _of("0123456789") | _DIGIT
_WORD = _of("".join(c for c in map(chr, range(128)) if c.isalnum() or c == "_")) | _DIGIT | _LETTER
_SPACE = _of("".join(c for c in map(chr, range(128)) if c.isspace())) | _BLANK
_CLASSES = {
    "d": _DIGITS, "w": _WORD, "s": _SPACE,
    "D": ~_DIGITS & _ALL, "W": ~_WORD & _ALL, "S": ~_SPACE & _ALL,
    "n": _of("\n"), "t": _of("\t"), "r": _of("\r"),
}  # fmt: skip


def _escaped(text: str, at: int) -> tuple[int, int]:
    char = text[at + 1]
    if char in _CLASSES:
        return _CLASSES[char], at + 2
    if char.isalnum() or not char.isascii():
        raise _Unknown  # a reference, a number, or nothing that Python knows
    return _bit(char), at + 2


def _set(text: str, at: int) -> tuple[int, int]:
    """Return what ``[...]`` takes; whoever is not plain there is not looked into."""
    at += 1
    inverted = text[at] == "^"
    at += inverted
    chars, begins = 0, at
    members: list[tuple[str, int]] = []
    while text[at] != "]" or at == begins:
        if text[at] == "\\":
            found, end = _escaped(text, at)
        else:
            found, end = _bit(text[at]), at + 1
        members.append((text[at:end], found))
        at = end
    words = [word for word, _ in members]
    if "[" in words or any(one == other and one in "-&~|" for one, other in pairwise(words)):
        raise _Unknown  # a set within a set, some day
    while members:
        word, found = members.pop(0)
        if len(members) > 1 and members[0][0] == "-":
            last = members[1][0].removeprefix("\\")
            first = word.removeprefix("\\")
            if not (first.isascii() and last.isascii() and len(first) == len(last) == 1):
                raise _Unknown
            found = _of("".join(map(chr, range(ord(first), ord(last) + 1))))
            del members[:2]
        chars |= found
    return (_negated(chars) if inverted else chars), at + 1


def _negated(chars: int) -> int:
    """Return the others; of those beyond ASCII a set may name single ones only."""
    return ~chars & _ALL | (_OTHER if chars & _OTHER else 0)
