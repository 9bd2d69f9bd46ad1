"""Keep within what a server says that it allows: it counts requests, and tells how many are left.

Who asks until he is refused has met the limit, and whoever else asks from here is refused with him.
So a tenth is left over, and what it was not enough for is asked by a later run.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from toolsync.http.failures import Limited
from toolsync.system.clock import Clock
from toolsync.system.headers import number, seconds_to_wait

LIFTED = "a token lifts the limit (a line for {} in ~/.netrc)"
_REMAINING = ("X-RateLimit-Remaining", "RateLimit-Remaining", "X-Rate-Limit-Remaining")
_RESET = ("X-RateLimit-Reset", "RateLimit-Reset", "X-Rate-Limit-Reset")
_LIMIT = ("X-RateLimit-Limit", "RateLimit-Limit", "X-Rate-Limit-Limit")
_COUNTS = frozenset(map(str.lower, _REMAINING))
_FIELD = "RateLimit"
"""The IETF's one header: ``"default";r=0;t=60``, or ``limit=10, remaining=0, reset=60`` before."""
_PART = re.compile(r"(?:^|[;,])\s*(r|t|remaining|reset|limit)\s*=\s*(\d{1,18})(?![\w.])")
_EPOCH, _IN_MILLISECONDS = 1_000_000_000, 100_000_000_000
"""A reset of more is a moment in seconds since 1970, of less a number of seconds to wait."""
_FAR = timedelta(days=30)
_SPARED = 10
"""One request of so many is left over."""


@dataclass
class _Quota:
    left: int
    spared: int
    ends: float
    """When the count begins anew, in seconds since 1970."""


class Quotas:
    """What each host has said; for many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._hosts: dict[str, _Quota] = {}

    def spend(self, host: str) -> None:
        """Count a request that is about to be sent; raises Limited where none should be."""
        if not self._hosts:
            return
        with self._lock:
            quota = self._hosts.get(host)
            seconds = quota.ends - self._clock.now().timestamp() if quota else 0.0
            if quota is None or seconds <= 0:
                self._hosts.pop(host, None)
                return
            if quota.left > quota.spared:
                quota.left -= 1
                return
        raise Limited(
            f"{host} limits how often it is asked: {quota.left} requests are left"
            f"{until(seconds, self._clock.now())}, and are spared; {LIFTED.format(host)}",
            seconds,
        )

    def note(self, host: str, headers: Mapping[str, str]) -> None:
        """Remember what an answer says of the count, if it does."""
        if _COUNTS.isdisjoint(map(str.lower, headers)):
            return  # most servers, and each look-up of a missing header raises within the library
        left, now = _first(headers, _REMAINING), self._clock.now()
        seconds = reset(headers, now) if left is not None else None
        if left is None or not seconds:
            return
        with self._lock:
            spared = (_first(headers, _LIMIT) or 0) // _SPARED
            self._hosts[host] = _Quota(left, spared, now.timestamp() + seconds)


def is_counted(headers: Mapping[str, str]) -> bool:
    """Say whether a server tells of a count."""
    return any(name in headers for name in (*_REMAINING, *_RESET, _FIELD))


def is_used_up(headers: Mapping[str, str]) -> bool:
    """Say whether a server says that nothing is left."""
    return _first(headers, _REMAINING) == 0 or _parts(headers).get("remaining") == 0


def reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return in how many seconds the count begins anew, None where that is not told.

    Servers tell it as a number of seconds, or as a moment: in seconds or milliseconds since
    1970, by ISO 8601, or as HTTP writes dates.
    """
    told = next((value for name in _RESET if (value := headers.get(name, "").strip())), "")
    seconds = _seconds(told[:80], now)
    if seconds is None:
        seconds = _parts(headers).get("reset")
    # What is past tells nothing of the limit that was just met: one clock of the two is wrong.
    return seconds if seconds and seconds > 0 else None


def _seconds(told: str, now: datetime) -> float | None:
    """Return how long a moment, or a number of seconds, is away."""
    whole = number(told.partition(".")[0])
    if whole is None:
        with suppress(ValueError, TypeError, OverflowError):
            moment = datetime.fromisoformat(told)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return (moment - now).total_seconds()
        return seconds_to_wait(told, now)
    if whole > _IN_MILLISECONDS:
        whole //= 1000
    return float(whole) if whole < _EPOCH else whole - now.timestamp()


def _parts(headers: Mapping[str, str]) -> dict[str, int]:
    """Return what the IETF's header says, by the words of its older form."""
    names = {"r": "remaining", "t": "reset"}
    found = _PART.findall(headers.get(_FIELD, "")[:1024])
    return {names.get(name, name): int(value) for name, value in found}


def until(seconds: float | None, now: datetime) -> str:
    """Return a limit's end as a phrase, empty where it is not known or too far to be meant."""
    if seconds is None or seconds > _FAR.total_seconds():
        return ""
    ends = (now + timedelta(seconds=max(seconds, 0))).astimezone(UTC)
    return f", until {ends:%Y-%m-%d %H:%M:%S} UTC"


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> int | None:
    found = (number(headers.get(name, "")) for name in names)
    return next((value for value in found if value is not None), None)
