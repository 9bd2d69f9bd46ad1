"""Keep a pause between requests to one host, over all machines of a fleet together.

A bucket of tokens for each host lies in the broker, as the moment when the next token is free
(the generic cell rate algorithm, ITU-T I.371). Whoever takes one there reserves that moment, by one
script of Redis' own clock, so that two machines never take the same. A moment that is far ahead is
no reservation (the clock was set back, or somebody wrote it): it counts as now.
"""

from __future__ import annotations

from typing import Protocol

from toolsync.fleet.broker import AWAY, make_app

_SCRIPT = """
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local gap, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local free = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
if not (free < now + tonumber(ARGV[3])) then free = now end
free = math.max(free, now)
local start = math.max(now, free - (burst - 1) * gap)
redis.call('SET', KEYS[1], string.format('%.0f', free + gap), 'PX', free + gap - now + 60000)
return string.format('%.0f', start - now)
"""
_AHEAD = 600.0
"""Seconds ahead that the next token may be."""


class Runs(Protocol):
    """What is asked of Redis."""

    def eval(self, script: str, keys: int, *words: str) -> bytes: ...  # noqa: D102


class Bucket:
    """The tokens of every host."""

    def __init__(self, redis: Runs, interval: float, burst: int) -> None:
        """Give a token each ``interval`` seconds, and at most ``burst`` at once after a rest."""
        figures = (round(interval * 1000), max(1, burst), round(_AHEAD * 1000))
        self._redis, self._words = redis, tuple(map(str, figures))

    def wait(self, host: str) -> float:
        """Reserve a request to a host and return in how many seconds it may start.

        Where the broker does not answer nothing is known of others: it may start at once.
        """
        try:
            found = self._redis.eval(_SCRIPT, 1, f"toolsync:host:{host}", *self._words)
        except AWAY:
            return 0.0
        return int(found) / 1000


def bucket_of(broker: str, interval: float, burst: int) -> Bucket:
    """Return the buckets that lie in a fleet's broker."""
    return Bucket(make_app(broker, 3600).backend.client, interval, burst)
