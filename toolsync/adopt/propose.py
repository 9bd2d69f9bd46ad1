"""Look at an address and propose how it can be watched: candidates, the likeliest first.

A candidate is a [watch] section of tool.toml; whoever asks tries each and takes the first that
finds releases. What tells a kind of page is said by the kind's own record (`watch.kind.Clue`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import urljoin

from toolsync.model.errors import Unreachable
from toolsync.watch.addresses import leaf
from toolsync.watch.candidates import ENDINGS, Candidate
from toolsync.watch.kind import Clue, Kind, Likely, Seen
from toolsync.watch.naming import families
from toolsync.watch.pages import Pages


def propose(
    url: str,
    pages: Pages,
    *,
    name: str,
    tell: Callable[[str], None],
    kinds: Mapping[str, Kind],
) -> Iterator[Candidate]:
    """Yield the ways to watch ``url``, the likeliest first; ``name`` is wanted where several fit.

    ``tell`` hears what is looked at. Raises what asking for the address raises.
    """
    clues = sorted((clue for kind in kinds.values() for clue in kind.clues), key=_likely)
    at = Seen(url=url, page=None, name=name, tell=tell, pages=pages)
    found = [c for clue in clues if clue.likely is Likely.ADDRESS for c in clue.give(at)]
    if found:
        yield from found
        return
    at = _listing_of(at)
    tell(f"asking for {at.url}")
    accepted = [kind.accept for kind in kinds.values() if kind.accept]
    try:
        at = replace(at, page=pages(at.url, ", ".join([f"{a};q=0.9" for a in accepted] + [_ANY])))
    except Unreachable:
        for clue in clues:
            if clue.likely is Likely.ASKED:
                yield from clue.give(at)
        raise
    for clue in clues:
        if clue.likely is not Likely.ADDRESS:
            yield from clue.give(at)


_ANY = "*/*;q=0.8"


def _likely(clue: Clue) -> Likely:
    return clue.likely


def _listing_of(at: Seen) -> Seen:
    """Return the folder that a release's file lies in; any other address stays."""
    file = leaf(at.url)
    if not ENDINGS.search(file):
        return at
    named = families([file], files=True)
    at.tell(f"{file} is one release; looking at the folder that it lies in")
    return replace(at, url=urljoin(at.url, "."), name=at.name or (named[0].name if named else ""))
