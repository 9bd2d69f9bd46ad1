"""Judge a response's status: absent, limited, forbidden, passing and all others are different.

A server that limits how often it is asked says so by 429, and many by 403: with Retry-After, with a
count of what remains, or in words alone. 403 for a file that does not exist is S3's way alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

import requests

from toolsync.http.failures import Limited, Transient
from toolsync.http.quotas import LIFTED, is_counted, is_used_up, reset, until
from toolsync.http.translation import FAILURES
from toolsync.model.errors import NotThere, Unreachable
from toolsync.system.headers import bare, host_of, plain, seconds_to_wait

_TRANSIENT = frozenset({408, 425, 500, 502, 503, 504, 509, *range(520, 528), 529, 530})
"""Passing by RFC 9110, by hosting panels (509), by Cloudflare (52x, 530) and others."""
_WORDS_LIMIT = 8192
_ABSENT = re.compile(
    rb"<Error\b.{0,2000}<Code>\s*AccessDenied\s*</Code>|<li>Code: AccessDenied</li>", re.DOTALL
)
"""As S3 says it, and as S3 says it where it serves a web site."""
_SPOKEN = re.compile(
    rb"rate[\s_-]{0,3}(?:limit|exceeded)|too many (?:requests|downloads|connections)|throttl"
    rb"|slow[\s_-]?down|(?:request|download|api|quota)s?[\s_-](?:limit|quota|exceeded)"
    rb"|(?:limit|quota)[^.<]{0,40}(?:exceeded|reached)|exceeded[^.<]{0,60}(?:limit|quota|rate)"
    rb"|abuse detection|(?:wait|retry|try again) (?:a few|in|after|later)"
    rb"|temporarily (?:block|ban)",
    re.IGNORECASE,
)


def check_status(
    response: requests.Response, url: str, wanted: Collection[int], now: datetime
) -> None:
    """Raise for a status that is not ``wanted``: what its class in `model.errors` means."""
    status = response.status_code
    if status in wanted:
        return
    said = f"{bare(url)} answered {status} {plain(response.reason or '', 80)}".rstrip()
    if status == 407:
        raise Unreachable(
            f"the proxy wants a name and a password for {bare(url)}: it answered {status}",
            resolution="Write them into the proxy's address (http_proxy, https_proxy).",
        )
    words = _words(response) if status == 403 else b""
    if status == 429 or (status == 403 and _is_limit(response, words)):
        raise _limited(response, said, url, now)
    if status in _TRANSIENT:
        raise Transient(said, seconds_to_wait(response.headers.get("Retry-After", ""), now))
    if status in (404, 410) or _ABSENT.search(words):
        raise NotThere(said, resolution="Look at the address in a browser; it may have moved.")
    if status in (401, 403):
        raise Unreachable(
            f"{said}: it may be there, but we may not have it",
            resolution="Look at the address in a browser. If it wants an account, write one into "
            "~/.netrc; if it refuses programs, set watch.user_agent.",
        )
    if status in (206, 304, 416):
        said += ", which nobody asked for"
    raise Unreachable(said, resolution="Look at the address in a browser; it may have moved.")


def _words(response: requests.Response) -> bytes:
    """Return the beginning of what the server says besides; nothing where that breaks off."""
    with suppress(*FAILURES):
        for chunk in response.iter_content(_WORDS_LIMIT):
            return bytes(chunk)
    return b""


def _is_limit(response: requests.Response, words: bytes) -> bool:
    headers = response.headers
    if "Retry-After" in headers or is_used_up(headers):
        return True
    return bool(_SPOKEN.search(words)) and not _ABSENT.search(words)


def _limited(response: requests.Response, said: str, url: str, now: datetime) -> Limited:
    """Return the error for a limit, with its end where the server tells it."""
    headers = response.headers
    seconds = seconds_to_wait(headers.get("Retry-After", ""), now)
    if seconds is None:
        seconds = reset(headers, now)
    told = until(seconds, now)
    token = f"; {LIFTED.format(host_of(url))}" if is_counted(headers) else ""
    if seconds is None and response.status_code == 403:
        seconds = math.inf  # asked again before its end, a limit is often prolonged
    return Limited(f"{said}: it limits how often it is asked{told}{token}", seconds)
