"""Tell statements of copyright from terms: a strict grammar, and nothing outside it is dropped.

A statement is a mark, years, a holder's name and perhaps "All rights reserved". Whatever else
follows, on the same line or not, stays: people append clauses to such lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Chunk:
    """What stands between two blanks."""

    text: str
    line: int
    first: bool = False
    """Whether it is the first of its line."""

    def plus(self, text: str) -> Chunk:
        """Return it with more text at its end."""
        return replace(self, text=self.text + text)


_MARK = re.compile(
    r"copyright(?:ed)?:?|copr\.?|\(c\)|\u00a9|spdx-filecopyrighttext:|\(copyright\)", re.IGNORECASE
)
_BEFORE = "\"'`*#/;<>[]{}|!-,"
"""What may stand before a mark."""
_SYMBOLS = ("(c)", "\u00a9")
_ONE_YEAR = (
    r"(?:(?:19|20)\d\d|'?\d\d|yyyy|xxxx|20xx|20yy|years?|present|now|current|today|onwards?|date)"
)
_YEAR = re.compile(
    rf"[\[<({{]*{_ONE_YEAR}(?:[-\u2010-\u2015,+/~]+{_ONE_YEAR})*"
    r"[-\u2010-\u2015,+.:]*[\]>)}]*[,.:;]*",
    re.IGNORECASE,
)
_FULL_YEAR = re.compile(r"(?:19|20)\d\d|yyyy|year|xxxx", re.IGNORECASE)
_ABBREVIATED = re.compile(
    r"(?:inc|ltd|corp|co|llc|jr|sr|dr|prof|mr|mrs|st|s\.?a|b\.?v|e\.?v|gmbh|al|univ|dept|bros|no"
    r"|[a-z](?:\.[a-z])*)\.+[,)]*",
    re.IGNORECASE,
)
_MAX_NAME = 40
"""Words in a list of holders."""
_MAX_MARKS = 80
"""Marks and years in a row that are looked at as one statement."""

_OF_TERMS = """
permission permitted permits permit redistribution redistributions redistribute redistributed
distribute distributed distribution use used uses using user users only not no none never may
shall must should will can cannot commercial commercially noncommercial non-commercial
prohibited prohibits forbidden restricted restriction restrictions restrict without consent
consents written license licenses licensed licensing licensee licence licences internal
evaluation personal private educational academic purposes purpose except unless proprietary
confidential subject under granted grant grants hereby sell sold selling sale sublicense modify
modified modification modifications copy copied copies copying reproduce reproduced reproduction
agreement agreements terms term conditions condition provided allowed allow allows required
requires require free freely fee fees paid payment pay royalty evil hosted host reserved
warranty liability liable notice notices holder holders owner owners law laws statement patent
patents rights right interest act protection infringement status claim claims disclaimer expires
"""
"""Words that grant, forbid or restrict."""
_OF_SENTENCES = """
you your yours we our us i my it this these that those they them their if when where while which
who whose whom is are was were be been being has have had do does did any every each everyone
nobody anyone see please however but as at on in to from with than then also below above
hereinafter herein thereof source binary portions software's refer read
"""
"""Words that belong to sentences and not to names."""
_STOPS = frozenset(f"{_OF_TERMS} {_OF_SENTENCES}".split())
_NAMES = frozenset({"will", "may", "grant", "bill", "mark"})
"""Words of terms that are also given names; these are written with a capital."""
_BETWEEN_NAMES = """
of the and de del la le van von der den et al inc llc ltd co corp contributors contributor
authors author others other project team members developers dba or its affiliates subsidiaries
maintainers community foundation e.v. gmbh s.a. & individual various company associates partners
"""
_LINKS = frozenset(_BETWEEN_NAMES.split())
"""What may stand in a name in lower case where nothing but case tells where a name ends."""
_LISTS = frozenset({"authors", "contributors", "credits", "thanks", "maintainers"})
"""Files that list who holds the copyright."""
_TRIM = "\"'`*#/;:,.<>()[]{}|!-\u2018\u2019\u201c\u201d"
_TITLE_WORDS = """
the a an mit bsd isc apache mozilla gnu general public lesser library affero software amazon boost
zlib eclipse common new simplified modified revised original 2-clause 3-clause elastic
business source
"""
_TITLED = frozenset(_TITLE_WORDS.split())
"""What stands before "license" in a title that follows a holder on the same line."""
_ITEM = re.compile(r"\(?(?:\d{1,2}|[a-z])[.)]+")
"""The number of a clause."""
_STARTERS = frozenset({"the", "for", "all", "such", "neither", "in", "some", "there", "a", "an"})
"""What starts a sentence where it stands in a name in the middle of a line."""


def of_terms(word: str) -> bool:
    """Say whether a bare word in lower case belongs to terms or to sentences, and to no name."""
    return word in _STOPS and word not in _NAMES


def without_notices(chunks: Sequence[Chunk]) -> list[Chunk]:
    """Return the chunks that are no part of a statement of copyright."""
    kept: list[Chunk] = []
    at = 0
    while at < len(chunks):
        end = _notice_end(chunks, at) or _rights_line_end(chunks, at)
        if end:
            at = end
        else:
            kept.append(chunks[at])
            at += 1
    return kept


def _notice_end(chunks: Sequence[Chunk], start: int) -> int:
    """Return where a statement that starts at ``start`` ends, 0 if none does."""
    at = start
    if _bare(chunks[at]) == "portions" and at + 1 < len(chunks):
        at += 1
    if not _is_mark(chunks[at]):
        return 0
    signs = years = 0
    word = False
    while at < min(len(chunks), start + _MAX_MARKS):
        text = chunks[at].text
        if _is_mark(chunks[at]):
            signs += any(sign in text.lower() for sign in _SYMBOLS)
            word = word or text.lower().strip(_TRIM + ":").startswith(("copyright", "spdx", "copr"))
        elif _YEAR.fullmatch(text):
            years += bool(_FULL_YEAR.search(text))
        elif not (years and _bare(chunks[at]) in ("to", "and") and _year_at(chunks, at + 1)):
            break
        at += 1
    # "(c) you include a copy" is an item of a list, "copyright notice" belongs to a sentence.
    certain = years > 0 or (signs > 0 and (word or "\u00a9" in chunks[start].text))
    if not certain and not (word and chunks[start].first and chunks[start].text[:1].isupper()):
        return 0
    if at < len(chunks) and _bare(chunks[at]) == "by":
        at += 1
    end = _name_end(chunks, at, inline=not chunks[start].first)
    end = _more_lines(chunks, at, end) if chunks[start].first else end
    if end == at and not years:
        return 0
    end = _list_end(chunks, end)
    whole = end == len(chunks) or chunks[end].first or _rights_end(chunks, end) > end
    if not certain and not whole:
        return 0
    return _rights_end(chunks, end)


def _name_end(chunks: Sequence[Chunk], start: int, *, inline: bool) -> int:
    """Return where a holder's name that starts at ``start`` ends; ``start`` if there is none.

    A name at the start of a line ends with the line; one in the middle of a text ends where
    words are no longer written as names are.
    """
    at = start
    while at < len(chunks) and at - start < _MAX_NAME:
        chunk = chunks[at]
        if at > start and _ends_sentence(chunks[at - 1].text):
            break
        if at > start and not inline and chunk.first:
            break
        if _rights_end(chunks, at) > at or _stops(chunks, at):
            break
        if _is_mark(chunk) or (inline and not _like_name(chunks, at, start)):
            break
        at += 1
    if at < len(chunks) and not (at > start and chunks[at].first):
        titled = _bare(chunks[at]) in ("license", "licence")
        while at > start and _bare(chunks[at - 1]) in (_TITLED if titled else ("the", "a")):
            at -= 1
    return at


def _stops(chunks: Sequence[Chunk], at: int) -> bool:
    """Say whether a word belongs to terms or to a sentence, and so to no name."""
    bare = _bare(chunks[at])
    if bare in _NAMES:
        return not chunks[at].text.strip(_TRIM).istitle()
    if bare == "free":
        return [_bare(chunk) for chunk in chunks[at + 1 : at + 3]] != ["software", "foundation"]
    if bare == "to":  # contributors to the project, 2020 to present
        return not (_bare(chunks[at - 1]) == "contributors" or _year_at(chunks, at + 1))
    return bare in _STOPS


def _like_name(chunks: Sequence[Chunk], at: int, start: int) -> bool:
    text, bare = chunks[at].text, _bare(chunks[at])
    if _ITEM.fullmatch(text):
        return False
    if bare in _STARTERS and at > start and text[:1].isupper():
        return _bare(chunks[at - 1]) in ("of", "and", "by")
    if bare in _LINKS or "@" in text or "://" in text:
        return True
    return not text.strip(_TRIM)[:1].islower() or at == start


def _more_lines(chunks: Sequence[Chunk], start: int, end: int) -> int:
    """Return the end of a name that goes on over lines: an address, a list of holders."""
    for _ in range(4):
        if end <= start or end >= len(chunks) or not chunks[end].first:
            break
        last = chunks[end - 1].text
        if not last.endswith(",") and _bare(chunks[end - 1]) not in ("and", "&"):
            break
        further = _name_end(chunks, end, inline=False)
        if further < len(chunks) and not chunks[further].first:
            break
        end = further
    return end


def _list_end(chunks: Sequence[Chunk], at: int) -> int:
    """Return the end of "see AUTHORS for more information", which says only who else holds."""
    words = [_bare(chunk) for chunk in chunks[at : at + 8]]
    if words[:1] != ["see"]:
        return at
    used = 2 if words[1:2] == ["the"] else 1
    if not words[used:] or words[used].partition(".")[0] not in _LISTS:
        return at
    used += 1
    used += words[used : used + 1] == ["file"]
    for more in (
        ["for", "more", "information"],
        ["for", "details"],
        ["for", "the", "full", "list"],
    ):
        if words[used : used + len(more)] == more:
            used += len(more)
    return at + used


def _rights_end(chunks: Sequence[Chunk], at: int) -> int:
    words = [_bare(chunk) for chunk in chunks[at : at + 3]]
    return at + 3 if words == ["all", "rights", "reserved"] else at


def _rights_line_end(chunks: Sequence[Chunk], at: int) -> int:
    """Return the end of a line that says "All rights reserved" and no more, else 0."""
    end = _rights_end(chunks, at)
    alone = chunks[at].first and end > at and (end == len(chunks) or chunks[end].first)
    return end if alone else 0


def _ends_sentence(text: str) -> bool:
    text = text.strip("\"')>]")
    if text.endswith((";", ":")):
        return True
    return text.endswith((".", "!", "?")) and not _ABBREVIATED.fullmatch(text.lstrip("\"'(<["))


def _is_mark(chunk: Chunk) -> bool:
    return _is_marked(chunk.text)


@lru_cache(maxsize=4096)
def _is_marked(text: str) -> bool:
    # A mark is short, so that a long text is not copied in vain.
    return len(text) < 200 and bool(_MARK.fullmatch(text.lstrip(_BEFORE).rstrip(",.")))


def _year_at(chunks: Sequence[Chunk], at: int) -> bool:
    return at < len(chunks) and bool(_YEAR.fullmatch(chunks[at].text))


def _bare(chunk: Chunk) -> str:
    return chunk.text.strip(_TRIM).lower()
