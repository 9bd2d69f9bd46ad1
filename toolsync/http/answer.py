"""What a server answered: the values that the rest of toolsync sees, and how they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolsync.http.failures import broken_off, coded_as, in_other_code, too_large
from toolsync.system.headers import number, validator

if TYPE_CHECKING:
    import requests

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a server gave for conditional requests (RFC 9110, section 8.8)."""

    etag: str = ""
    last_modified: str = ""
    size: int | None = None
    """Of the whole file, in bytes, where the server said so."""

    @property
    def strong(self) -> str:
        """The validator for a byte range (RFC 9110, section 13.1.5), empty if there is none."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A response in memory; ``body`` is None when the server said "not changed"."""

    url: str
    """The address after redirects."""
    body: bytes | None
    content_type: str
    validators: Validators
    limited: str = ""
    """Until when the server counts our requests, as a phrase; of answers to a `query` alone."""


class NotChanged(Exception):
    """The server says that the file is as the validators describe it."""


def conditions(validators: Validators | None) -> dict[str, str]:
    """Return the headers that make a request conditional; none without validators."""
    if validators is None:
        return {}
    pairs = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    return {name: value for name, value in pairs.items() if value}


def is_not_changed(response: requests.Response) -> bool:
    """Say whether there is nothing to read; its connection then serves the next request."""
    same = response.status_code == 304
    # There is no body, by RFC 9112 (6.3); a connection that is not drained would be closed. Of a
    # chunked response the library would read a body all the same, and perhaps wait for ever.
    if same and not response.raw.chunked:
        response.raw.drain_conn()
    return same


def validators_of(response: requests.Response) -> Validators:
    """Return what a response gives for conditional requests."""
    return Validators(
        etag=validator(response.headers.get("ETag", "")),
        last_modified=validator(response.headers.get("Last-Modified", "")),
    )


def body_of(response: requests.Response, url: str, limit: int) -> bytes:
    """Return a response's whole body, decoded; raises Hostile where it passes the limit."""
    total = length_of(response)
    encoded = response.headers.get("Content-Encoding", "")
    if total is not None and total > limit:
        raise too_large(url, limit)
    chunks, had = [], 0
    for chunk in _chunks(response):
        chunks.append(chunk)
        had += len(chunk)
        if had > limit:
            raise too_large(url, limit)
    sent = response.raw.tell() if encoded else had  # some libraries take any end for the end
    if total is not None and sent != total:
        raise broken_off(url, sent, total)
    joined = b"".join(chunks)  # of most pages there is one, which is not copied
    if coded_as(encoded, joined):
        raise in_other_code(url, encoded)
    return joined


def _chunks(response: requests.Response) -> Iterator[bytes]:
    chunks: Iterator[bytes] = response.iter_content(_CHUNK)
    return chunks


def length_of(response: requests.Response) -> int | None:
    """Return how many bytes a response says will come, None if it does not."""
    return number(response.headers.get("Content-Length", ""))


def whole_of(response: requests.Response) -> int | None:
    """Return the size of the file of which a part was sent (RFC 9110, section 14.4)."""
    return number(response.headers.get("Content-Range", "").rpartition("/")[2])


def goes_on(response: requests.Response, offset: int, known: Validators | None) -> bool:
    """Say whether a part begins where ours ends, and is of the same file by all that is told.

    At least one validator must say so: where the server sends none, it may have heeded no
    If-Range. Its size must be told, for a part may end before the file does.
    """
    span, now = response.headers.get("Content-Range", ""), validators_of(response)
    size = whole_of(response)
    if known is None or size is None or not span.startswith(f"bytes {offset}-"):
        return False
    pairs = [(now.etag, known.etag), (now.last_modified, known.last_modified)]
    told = [ours == theirs for ours, theirs in pairs if ours and theirs]
    return bool(told) and all(told) and known.size in (None, size)
