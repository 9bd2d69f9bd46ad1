"""License texts as templates, matched word by word as the SPDX matching guidelines want it.

A template is a line of words with marks: ``[ … ]`` for words that may be left out,
``{ … | … }`` for one of several wordings, ``#`` for the number of a clause, ``@`` for
whom a license names (its holder, its authors), ``~`` for the work that it speaks of and ``$``
for a license's title. Everything else must stand there as it is: no word is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from toolsync.license.notice import of_terms

NAME_WORDS = 24
"""Words that whom a license names may have, or the work."""
ANY = ""
NUMBER_WORDS = 4
"""1. (a) (ii)"""
_NUMBER = re.compile(r"\d{1,2}|[a-z]|i{1,3}|iv|vi{0,3}|ix|x{1,2}")
"""The number of a clause: a digit, a letter, or a Roman one."""
_MARKS = frozenset("[]{}|#@~$")
_IN_NAMES_WORDS = """
copyright holder holders owner owners it its their them they is the in as at on from with he she
his her or my i me a any other
"""
_IN_NAMES = frozenset(_IN_NAMES_WORDS.split())
"""Words of sentences that also stand where a license names its holder."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several wordings."""

    ways: tuple[Sequence_, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A number, a name, the work, or a title."""

    sign: str


@dataclass(frozen=True, slots=True)
class Given:
    """A text's words, and which of them may stand for the work, and where titles end."""

    words: tuple[str, ...]
    work: frozenset[str] = frozenset()
    titles: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """The places where a title that begins at a place ends."""


Sequence_ = tuple["tuple[str, ...] | Choice | Mark", ...]
"""Runs of words and what stands between them."""


def compiled(line: str) -> Sequence_:
    """Return a template; raises ValueError where its brackets do not match."""
    tokens = iter([*line.split(), "]"])
    found, end = _parsed(tokens)
    if end != "]" or next(tokens, None) is not None:
        raise ValueError(f"unmatched brackets in {line[:60]!r}")
    return found[0]


def _parsed(tokens: Iterator[str]) -> tuple[tuple[Sequence_, ...], str]:
    """Return the ways up to a closing bracket, and which one that is."""
    ways: list[list[tuple[str, ...] | Choice | Mark]] = [[]]
    run: list[str] = []
    for sign in tokens:
        if sign not in _MARKS:
            run.append(sign)
            continue
        if run:
            ways[-1].append(tuple(run))
            run = []
        if sign in "]}":
            return tuple(map(tuple, ways)), sign
        if sign == "|":
            ways.append([])
        elif sign in "[{":
            inner, end = _parsed(tokens)
            if end != {"[": "]", "{": "}"}[sign]:
                raise ValueError("unmatched brackets")
            ways[-1].append(Choice((*inner, ()) if sign == "[" else inner))
        else:
            ways[-1].append(Mark(sign))
    raise ValueError("a bracket is not closed")


def first_words(template: Sequence_) -> frozenset[str]:
    """Return the words that a text of this template may begin with; `ANY` for any."""
    return frozenset(_firsts(template))


def _firsts(template: Sequence_) -> Iterator[str]:
    for part in template:
        if isinstance(part, Mark):
            yield ANY
            if part.sign != "#":
                return
        elif isinstance(part, Choice):
            yield from chain.from_iterable(map(_firsts, part.ways))
            if all(_is_certain(way) for way in part.ways):
                return
        else:
            yield part[0]
            return


def _is_certain(template: Sequence_) -> bool:
    """Say whether no text of this template is empty."""
    return any(
        (isinstance(part, tuple) and part)
        or (isinstance(part, Mark) and part.sign != "#")
        or (isinstance(part, Choice) and all(map(_is_certain, part.ways)))
        for part in template
    )


def ends(template: Sequence_, given: Given, start: int) -> frozenset[int]:
    """Return every place where a text of this template that begins at ``start`` ends."""
    places = frozenset([start])
    for part in template:
        if isinstance(part, Choice):
            places = frozenset().union(
                *(ends(way, given, place) for way in part.ways for place in places)
            )
        elif isinstance(part, Mark):
            places = frozenset().union(*(_marked(part.sign, given, place) for place in places))
        else:
            length = len(part)
            places = frozenset(
                place + length for place in places if given.words[place : place + length] == part
            )
        if not places:
            break
    return places


def _marked(sign: str, given: Given, start: int) -> Iterable[int]:
    if sign == "#":
        return _run(given.words, start, NUMBER_WORDS, lambda word: bool(_NUMBER.fullmatch(word)), 0)
    if sign == "~":
        return _run(given.words, start, NAME_WORDS, given.work.__contains__, 1)
    if sign == "$":
        return given.titles.get(start, ())
    return _run(given.words, start, NAME_WORDS, _in_name, 1)


def _in_name(word: str) -> bool:
    """Say whether a word may be a holder's: it does not grant, forbid or restrict."""
    return word in _IN_NAMES or not of_terms(word)


def _run(
    words: Sequence[str], start: int, most: int, fits: Callable[[str], bool], least: int
) -> Iterator[int]:
    """Yield the ends of a run of words that fit, from the shortest that counts."""
    end = start
    if not least:
        yield end
    while end < min(start + most, len(words)) and fits(words[end]):
        end += 1
        yield end
