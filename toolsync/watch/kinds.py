"""The table of kinds of release pages; no other can be named."""

from __future__ import annotations

from collections.abc import Mapping

from toolsync.config.definition import Watch
from toolsync.watch.feed import FEED
from toolsync.watch.forge import FORGEJO, GITLAB
from toolsync.watch.git import GIT
from toolsync.watch.github import GITHUB
from toolsync.watch.html import HTML
from toolsync.watch.index import INDEX
from toolsync.watch.jsonpage import JSON
from toolsync.watch.kind import Kind
from toolsync.watch.npm import NPM
from toolsync.watch.probe import PROBE
from toolsync.watch.s3 import S3
from toolsync.watch.text import TEXT
from toolsync.watchfile.kind import WATCH

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        *(INDEX, S3, HTML, TEXT, GITHUB, GITLAB, FORGEJO, GIT, FEED, JSON, NPM, PROBE),
        WATCH,
    )
}


def kind_of(watch: Watch) -> Kind:
    """Return the record that a definition was read with, else the one in `KINDS`."""
    return watch.record if isinstance(watch.record, Kind) else KINDS[watch.kind]
