"""The table of readers: one per kind of release page, and no other can be named."""

from __future__ import annotations

from collections.abc import Mapping

from toolsync.watch import bundle, git, github, html, index, s3, text
from toolsync.watch.reading import Reader

READERS: Mapping[str, Reader] = {
    "index": index.read,
    "s3": s3.read,
    "html": html.read,
    "text": text.read,
    "github": github.read,
    "git": git.read,
    "watch": bundle.read,
}
