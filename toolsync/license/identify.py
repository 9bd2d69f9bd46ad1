"""Say which license a text is: one of its templates, or several after each other, and no more.

Every word must be accounted for: by a license's template, or by a heading or a sentence that only
says which license follows. A clause beside it, a word that is another, or a title of another
license, and the text is not identified. Nothing is loosened by this: a text that is not known is
looked at by a person, and what has changed is told from the words themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from toolsync.license import titles
from toolsync.license.normalise import words_of_notices
from toolsync.license.template import ANY, Given, Sequence_, compiled, ends, first_words
from toolsync.license.wording import wording

MAX_TEXT, MAX_WORDS = 400_000, 50_000
"""Characters and words of a text that is looked at; the GPL has 35,000 and 5,600."""
LEAST = 8
"""Words of a license or of a notice."""
MOST_BESIDE = 100
"""Words beside licenses in one text."""

_WORK_WORDS = """
a all also an and are as author authors be by code contact contributor contributors copyright
copyrights credits developed developer developers disclaimer distribution docs documentation
document entire file files following full homepage in included information is it legal many
library license licenses licensing maintained maintainer maintainers module notice notices of on
organization original originally package packages page part parts program programs project
readme software source sources statement text that the this under version website whole with
work written associated january february march april may june july august september october
november december http www com org net github io gitlab html txt md
"""
_WORK = frozenset(_WORK_WORDS.split())
"""What may stand in a heading beside the work's name and its holders'; no word that restricts."""
_BESIDE = (
    "~",
    "[ the ] $ [ license ] [ # ] [ agreement | text ]",
    "license [ $ ]",
    "[ ~ ] { is | are } [ now ] [ free software ] [ also ] { licensed | released | distributed"
    " | available | provided | covered | made available | redistributable }"
    " [ for use ] { under | by | according to | as } [ [ the ] { terms | terms and conditions |"
    " conditions } of ] [ the | a | an ] [ following ] [ standard ] [ $ ] [ style ]"
    " [ license | licenses | terms ] [ see below | below | as follows | follows ]",
    "[ commonly | also | sometimes ] { known as | called } [ the ] $ [ license ]",
    "{ the following | this } license applies to [ [ all ] parts of ] ~ ["
    " originating from the http ~ [ repository ] ]",
    "this is version @ of the infozip license the definitive version of this document should be"
    " available at ftp ftp infozip org pub infozip license html indefinitely [ and a"
    " copy at http www"
    " infozip org pub infozip license html ]",
    "the [ full ] text of the [ $ ] license { follows | is below | is as follows }",
    "[ see [ also ] ] http [ www ] { opensource org | freebsd org copyright | gnu org | apache org"
    " | creativecommons org | mozilla org } [ license | licenses ] [ $ ] [ php | html | txt ]",
    "see [ the ] [ file | files ] ~ [ for [ more ] { details | information } ]",
    "this code is derived from software contributed to { berkeley by @ | ~ }",
    "{ the author | the authors } { can be contacted at | may be reached at }",
    "this software is not subject to any export provision of the united states department of"
    " commerce and may be exported to any country or planet",
    "all rights reserved",
    "copyright and permission notice",
    "[ and ] [ many ] contributors see [ the ] { authors | contributors | credits |"
    " thanks } [ file ]",
    "for more information please see http creativecommons org publicdomain zero 1 0",
    "~ { incorporates | includes | contains } @ which { bear | bears | has | have } the following"
    " { notice | notices }",
    "[ # ] @ [ c | h ] the author of this software is @",
    "portions of ~ are [ based on works by others also ] made available [ by them ]"
    " under the $ license"
    " above",
    "the openssl toolkit stays under a { dual | double } license i e both the"
    " conditions of the openssl"
    " license and the original ssleay license apply to the toolkit see below for the actual license"
    " texts [ actually both licenses are bsdstyle open source licenses in case of"
    " any license issues"
    " related to openssl please contact [ openssl org ] ]",
    "end of [ $ ] license",
    "the end",
)
"""Headings, and sentences that say which license follows."""


@dataclass(frozen=True, slots=True)
class _Step:
    """How a place is reached: from where, by which license (empty for words beside)."""

    cost: float
    start: int
    id: str


def identify(text: str, *, work: str = "") -> str:
    """Return the SPDX expression of a raw text, empty where it is not known.

    ``work`` is the project's name: its words may stand in a heading.
    """
    if len(text) > MAX_TEXT:
        return ""
    words = tuple(wording(text))
    if not LEAST <= len(words) <= MAX_WORDS:
        return ""
    names = {*words_of_notices(text), *_called(work)} - titles.NAMED
    found = {place: titles.starting(words, place) for place in range(len(words))}
    given = Given(
        words=words,
        work=frozenset(names | _WORK | {word for word in words if word.isdigit()}),
        titles={place: tuple(places) for place, places in found.items() if places},
    )
    steps = list(_way(given))
    ids = [step.id for _end, step in steps if step.id]
    beside = [(step.start, end) for end, step in steps if not step.id]
    if not ids or sum(end - start for start, end in beside) > MOST_BESIDE:
        return ""
    if not all(_is_fitting(found, start, end, ids) for start, end in beside):
        return ""
    return _together(ids)


def _called(work: str) -> Iterator[str]:
    """Yield the words by which a work is called: libjpeg9 is jpeg, libjpeg and libjpeg9."""
    for word in wording(work):
        plain = word.rstrip("0123456789")
        yield from (
            word,
            plain,
            plain.removeprefix("lib"),
            f"lib{plain}",
            f"{plain}s",
            f"lib{word}",
        )


def _way(given: Given) -> Iterator[tuple[int, _Step]]:
    """Yield the steps through a text, the last first, with as few words beside as there can be."""
    best: dict[int, _Step] = {0: _Step(0, 0, "")}
    for place in range(len(given.words)):
        if place not in best or best[place].cost > 2 * MOST_BESIDE:
            continue
        for end, extra, name in _onward(given, place):
            cost = best[place].cost + extra
            if end not in best or cost < best[end].cost:
                best[end] = _Step(cost, place, name)
    at = len(given.words)
    while at in best and at > 0:
        yield at, best[at]
        at = best[at].start


def _onward(given: Given, place: int) -> Iterator[tuple[int, float, str]]:
    """Yield where a license or words beside one end that begin at a place, and what they cost."""
    firsts = _by_first_word()
    for name, template in (*firsts.get(given.words[place], ()), *firsts.get(ANY, ())):
        for end in ends(template, given, place):
            if end - place >= LEAST:
                yield end, 0.1, name
    for template in _beside():
        for end in ends(template, given, place):
            if end > place:
                yield end, 1.0 + end - place, ""


def _is_fitting(
    found: Mapping[int, Mapping[int, frozenset[str]]], start: int, end: int, ids: list[str]
) -> bool:
    """Say whether each title between two places is one of a license that is really there."""
    for place in range(start, end):
        longest = max((stop for stop in found[place] if stop <= end), default=0)
        names = found[place].get(longest)
        if names and not any(titles.fits(names, part) for name in ids for part in name.split()):
            return False
    return True


def _together(ids: list[str]) -> str:
    """Return all licenses of a text as one expression; texts of a choice belong to the choice."""
    whole = [name for name in dict.fromkeys(ids) if " OR " in name]
    chosen = {part.removesuffix("-or-later") for name in whole for part in name.split(" OR ")}
    chosen |= {name.removesuffix("-Perl") for name in chosen}  # the text that Perl's own has
    alone = sorted(name for name in set(ids) if name not in whole and name not in chosen)
    if len(whole) + len(alone) == 1:
        return (*whole, *alone)[0]
    return " AND ".join([*(f"({name})" for name in whole), *alone])


@cache
def templates() -> Mapping[str, tuple[Sequence_, ...]]:
    """Return the templates of each SPDX id."""
    text = resources.files("toolsync.license").joinpath("templates.json").read_text("utf-8")
    table: dict[str, list[str]] = json.loads(text)
    return {name: tuple(map(compiled, lines)) for name, lines in table.items()}


@cache
def _by_first_word() -> Mapping[str, tuple[tuple[str, Sequence_], ...]]:
    found: dict[str, list[tuple[str, Sequence_]]] = {}
    for name, several in templates().items():
        for template in several:
            for word in first_words(template):
                found.setdefault(word, []).append((name, template))
    return {word: tuple(pairs) for word, pairs in found.items()}


@cache
def _beside() -> tuple[Sequence_, ...]:
    return tuple(map(compiled, _BESIDE))
