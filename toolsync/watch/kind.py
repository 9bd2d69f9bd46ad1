"""What a kind of release page must bring: its record, and what its functions are given.

A kind is one file with one record and one line in `kinds.KINDS`. Whatever is heavy (a parser, a
reader of archives) is imported inside the function that needs it, so that a command which reads
no page never loads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from toolsync.config import keys
from toolsync.config.record import Needs, Schema, Table

if TYPE_CHECKING:
    from toolsync.config.definition import Tool
    from toolsync.http.answer import Page
    from toolsync.model.release import Release
    from toolsync.watch.candidates import Candidate
    from toolsync.watch.pages import Pages
    from toolsync.watch.together import Together

    Reader: TypeAlias = Callable[[Tool, Pages], list[Release]]
    """Returns every file or tag that matched, in any order; raises Drifted when there is none."""


class Likely(IntEnum):
    """How an address was told to be of a kind; what is told by less is tried first."""

    ADDRESS = 0
    """By the address alone, before anything is asked; nothing else is tried then."""
    STATED = 1
    """The page says what it is."""
    LISTED = 2
    """The page lists what such a page lists."""
    NAMED = 3
    """The page names another one that is."""
    GUESSED = 4
    """Addresses of that form often are."""
    ASKED = 5
    """By asking for more of the address; also where it has no page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An address that a tool is to be made for, and what was found there."""

    url: str
    page: Page | None
    """None where nothing was asked yet, or where there is no page."""
    name: str
    """The tool's name, where the operator has given one."""
    tell: Callable[[str], None]
    pages: Pages
    """Asks for more."""

    @property
    def text(self) -> str:
        """The page's text, as far as a look at its kind needs it."""
        body = self.page.body or b"" if self.page else b""
        return body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """One way in which `toolsync add` tells that an address is of a kind."""

    likely: Likely
    give: Callable[[Seen], Iterator[Candidate]]
    """Gives the ways to watch it, the likeliest first; none where it is not of the kind."""


def _nothing_wrong(_: Table) -> Iterator[str]:
    return iter(())


def _no_home() -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kind:
    """A kind of release page."""

    name: str
    """Its word in ``watch.kind``."""
    about: str
    """What such a page is, in a phrase for the docs."""
    read: Reader
    settings: Schema = field(default_factory=dict)
    """The keys of [watch] that it reads beside those which every kind has."""
    needs: Needs = ()
    lists: str = "all"
    """``latest`` where old releases leave such pages as new ones come, or only the first of several
    pages are read: then one that is gone was not withdrawn for that."""
    faults: Callable[[Table], Iterator[str]] = _nothing_wrong
    """Gives what is wrong with a [watch] section beyond missing keys, as a person reads it."""
    home: Callable[[], str] = _no_home
    """Returns the page's server where no ``url`` is given: what this machine is set up for."""
    orders: bool = False
    """Whether its ecosystem says in which order versions come, local ones and builds too."""
    states_digests: bool = True
    """Whether such pages may state a file's digest in upstream's name."""
    accept: str = ""
    """What `toolsync add` asks an address for, besides any page, to tell this kind."""
    clues: tuple[Clue, ...] = ()
    together: Together | None = None
    """How many of its pages are asked for at once, where that can be."""
    packages: tuple[str, ...] = ()
    """The Debian packages that reading such pages needs."""
    ready: Callable[[Tool], str] | None = None
    """Says in a phrase what would be asked; raises SetupError where something is missing."""


URL = {"url": keys.address("the page: an http or https address")}
PROJECT = {"project": keys.text("the project's name in the package index or registry")}
PATTERN = {"pattern": keys.text("a regular expression with a group (?P<version>…)")}
FILE_URL = {"file_url": keys.address("the archive's address, with {version} or {tag}")}
RELEASES = {"releases": keys.choice("tags or releases", ("tags", "releases"))}
"""Keys that several kinds have."""
