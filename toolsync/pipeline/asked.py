"""Ask once more for a file that was accepted, or for a list of digests, whether it is what it was.

The request is conditional where the server's validators vouch for the bytes that were read. Else,
or where they or the size are other ones, the bytes are read again and digested. A server that
refuses or does not answer proves nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from toolsync.config.settings import Limits
from toolsync.http.answer import NotChanged, Validators
from toolsync.http.client import Http
from toolsync.journal.origins import Origin
from toolsync.model.errors import ToolsyncError
from toolsync.model.release import Release
from toolsync.system.clock import stamp

_LIST_BYTES = 4 * 1024 * 1024
_SMALL = 1024 * 1024
"""Bytes of a file that is read again whenever nothing vouches for it; a larger one daily."""
_DAY = timedelta(days=1)
_SETTLED = timedelta(seconds=60)
"""How old a date must be when a file is read, to vouch for what was read (RFC 9110, 8.8.2.2)."""


class _Same(Exception):
    """The answer's head says that the file is as it was: its body is not wanted."""


@dataclass(slots=True)
class _Sink:
    """Digests what is written to it, and keeps its beginning."""

    hasher: hashlib._Hash
    size: int = 0
    head: bytes = b""

    def open(self, _resumed: bool) -> _Sink:
        return self

    def write(self, data: bytes, /) -> int:
        self.hasher.update(data)
        self.size += len(data)
        if len(self.head) < _LIST_BYTES:
            self.head += data
        return len(data)


def ask(
    http: Http, known: Origin, limits: Limits, now: datetime, *, whole: bool
) -> tuple[Origin, bytes]:
    """Return what the server says now, and the beginning of its bytes where they are other ones.

    With ``whole`` no validator counts: the bytes are read.
    """
    asked = replace(known, asked=stamp(now))
    vouched = not whole and _vouch(known)
    quick = vouched or (not whole and _was_read_lately(known, now))
    sink, seen = _Sink(hashlib.sha256()), Validators()

    def learned(answer: Validators) -> None:
        nonlocal seen
        seen = answer
        if quick and _are_alike(known, answer):
            raise _Same

    try:
        http.download(
            known.url,
            sink.open,
            limit=limits.file_bytes,
            seconds=limits.page_seconds,
            unless=_conditions(known) if vouched else None,
            learned=learned,
        )
    except (NotChanged, _Same, ToolsyncError):
        return asked, b""
    digest = sink.hasher.hexdigest()
    if digest != known.sha256 and sink.head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return asked, b""  # markup, which many servers send for what they do not have
    read = replace(
        asked,
        sha256=digest,
        size=sink.size,
        etag=seen.etag,
        last_modified=seen.last_modified,
        read=stamp(now),
    )
    return read, sink.head if digest != known.sha256 else b""


def speaks_otherwise(before: Release, now: Release) -> bool:
    """Say whether a page says of a version something that it did not say when it was taken."""
    if now.sha256 and before.sha256:
        return False  # these are compared themselves
    pairs = (
        (before.size, now.size),
        (before.etag, now.etag),
        (before.published, now.published),
    )
    return before.url == now.url and any(was and is_now and was != is_now for was, is_now in pairs)


def _conditions(known: Origin) -> Validators:
    """Return what vouches for the very bytes; a weak ETag would go before the date."""
    etag = "" if known.etag.startswith("W/") else known.etag
    return Validators(etag=etag, last_modified=known.last_modified)


def _vouch(known: Origin) -> bool:
    """Say whether a file's validators are of no other bytes than were read."""
    if known.etag and not known.etag.startswith("W/"):
        return True
    try:
        dated = parsedate_to_datetime(known.last_modified)
        aware = dated if dated.tzinfo else dated.replace(tzinfo=UTC)
        return datetime.fromisoformat(known.read) - aware >= _SETTLED
    except (ValueError, TypeError):
        return False


def _was_read_lately(known: Origin, now: datetime) -> bool:
    if known.size <= _SMALL or not known.read:
        return False
    return now - datetime.fromisoformat(known.read) < _DAY


def _are_alike(known: Origin, answer: Validators) -> bool:
    mine = (known.etag, known.last_modified, known.size)
    return mine == (answer.etag, answer.last_modified, answer.size)


def of_fetched(known: Origin, fetched: Mapping[str, object], read: str) -> Origin:
    """Return what is known of an address by the download that was accepted, its part as JSON."""
    archive = fetched.get("archive")
    if not isinstance(archive, Mapping):
        return known
    return replace(
        known,
        sha256=str(archive["sha256"]),
        size=int(archive["size"]),
        etag=str(fetched.get("etag", "")),
        last_modified=str(fetched.get("last_modified", "")),
        read=read,
    )
