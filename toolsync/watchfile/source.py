"""What a debian/watch says, as values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from toolsync.watchfile.rules import Rule

_SOURCEFORGE = re.compile(
    r"https?://(?:(?:www\.)?sf\.net|qa\.debian\.org/watch/sf\.php)/(?P<name>[\w.-]+)/"
)
"""The redirector that uscan(1) has for SourceForge, which is asked for the same as a feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One tarball (or signature) that is watched, and how."""

    url: str
    """Up to the last slash, perhaps with patterns in its folders; a repository's for git."""
    pattern: str
    schema: str
    """``debian``, ``same``, ``ignore``, ``previous``, ``group``, ``checksum``, or a version."""
    words: Mapping[str, str]
    """The options with a word, each with its default."""
    flags: frozenset[str]
    mangles: Mapping[str, tuple[Rule, ...]]
    line: int = 0
    """Where it stands in the file, from 1."""

    @property
    def page(self) -> str:
        """The address that is asked first: without a pattern in its folders."""
        if project := _SOURCEFORGE.match(self.url):
            return f"https://sourceforge.net/projects/{project['name']}/rss?path=/"
        if self.is_git:
            return self.url
        head, pattern, _ = self.url.partition("(")
        return head.rpartition("/")[0] + "/" if pattern else head

    @property
    def is_sourceforge(self) -> bool:
        """Whether it is the redirector for SourceForge."""
        return _SOURCEFORGE.match(self.url) is not None

    @property
    def component(self) -> str:
        """The component's name, empty for the main tarball."""
        return self.words["component"]

    @property
    def pgpmode(self) -> str:
        """How the origin is proved."""
        return self.words["pgpmode"]

    @property
    def is_git(self) -> bool:
        """Whether this is a git repository."""
        return self.words["mode"] == "git"

    @property
    def follows_branch(self) -> bool:
        """Whether this is a git repository of which a branch is followed, and no tags."""
        return self.is_git and (self.pattern == "HEAD" or self.pattern.startswith("heads/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchFile:
    """All that a debian/watch says."""

    version: int
    sources: tuple[Source, ...]
    warnings: tuple[str, ...] = ()
    """What its maintainer should mend, though it can be read."""
