"""The table of readers: one per kind of release page, and no other can be named."""

from __future__ import annotations

from collections.abc import Mapping

from toolsync.watch import bundle, feed, forge, git, github, html, index, jsonpage, probe, s3, text
from toolsync.watch.pages import Reader

READERS: Mapping[str, Reader] = {
    "index": index.read,
    "s3": s3.read,
    "html": html.read,
    "text": text.read,
    "github": github.read,
    "gitlab": forge.gitlab,
    "forgejo": forge.forgejo,
    "git": git.read,
    "feed": feed.read,
    "json": jsonpage.read,
    "npm": jsonpage.npm,
    "probe": probe.read,
    "watch": bundle.read,
}
