"""Read what a stranger's server says in an answer's head, so that nothing in it can hurt.

A header is of any length and holds any character, numbers and dates that no machine can hold
among them. What cannot be meant is taken as not said.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import urljoin, urlsplit

from toolsync.model.text import escaped

_USERINFO = re.compile(r"(?<=//)[^/\s?#]*@")
_MAX_DIGITS = 18
_MAX_VALIDATOR = 1024
_MAX_LOCATION = 8192


def number(value: str) -> int | None:
    """Return a header's number; None unless it is 1 to 18 ASCII digits."""
    value = value.strip()
    usable = value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS
    return int(value) if usable else None


def seconds_to_wait(value: str, now: datetime) -> float | None:
    """Return the seconds that Retry-After asks for: a number or a date (RFC 9110, 10.2.3)."""
    seconds = number(value)
    if seconds is not None:
        return float(seconds)
    try:
        return max(0.0, (parsedate_to_datetime(value[:80]) - now).total_seconds())
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def plain(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of ``text``, none of which a terminal obeys."""
    return escaped(" ".join(text[: 4 * limit].split()))[:limit]


def validator(value: str) -> str:
    """Return an ETag or a date that may be sent back, or nothing if it is none."""
    return value if value.isprintable() and len(value) <= _MAX_VALIDATOR else ""


def bare(text: str) -> str:
    """Return a text without the credentials of the addresses in it."""
    return _USERINFO.sub("", text)


_split = lru_cache(maxsize=512)(urlsplit)
"""One address is looked at several times in a request."""


@lru_cache(maxsize=512)
def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address that can be asked."""
    parts = _split(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


@lru_cache(maxsize=512)
def host_of(url: str) -> str:
    """Return an address's host, empty where it has none."""
    try:
        return _split(url).hostname or ""
    except ValueError:
        return ""


def followed(url: str, location: str) -> str:
    """Return where a redirect from ``url`` leads, or nothing if that is no usable address.

    Credentials of ``url`` go along to its own scheme, host and port only (RFC 9110, 15.4).
    """
    try:
        # Browsers read the bytes as UTF-8; the library gives them as Latin-1.
        location = location.encode("latin-1").decode("utf-8", "replace")
        if not location.strip() or len(location) > _MAX_LOCATION:
            return ""
        target = urljoin(url, location.strip())
        scheme, host, _ = origin(target)
        if scheme not in ("http", "https") or not host:
            return ""
        parts, before = urlsplit(target), urlsplit(url)
        userinfo = before.netloc.rpartition("@")[0]
        if userinfo and "@" not in parts.netloc and origin(target) == origin(url):
            parts = parts._replace(netloc=f"{userinfo}@{parts.netloc}")
    except (ValueError, UnicodeError):
        return ""
    return parts._replace(fragment="").geturl()
