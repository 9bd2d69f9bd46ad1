"""Ask a server and follow where it sends us: few times, unread, and never out of TLS."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime

import requests

from toolsync.http.hosts import Hosts
from toolsync.http.mishaps import FAILURES, Passing, named
from toolsync.http.transport import Transport
from toolsync.model.errors import Hostile, NotThere, SetupError, Unreachable
from toolsync.system.clock import Clock
from toolsync.system.deadline import Deadline
from toolsync.system.headers import bare, followed, origin, plain, seconds_to_wait

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_HOPS = 5
_PATIENCE = 4 * 3600.0
"""Seconds to wait for a turn at a host: each request before may take its whole time."""

Left = Callable[[], float]
"""Tells the seconds that are left."""


class Asker:
    """Sends requests when their host has a turn, and gives the answer in the end."""

    def __init__(
        self, transport: Transport, hosts: Hosts, *, mirrors: Mapping[str, str], clock: Clock
    ) -> None:
        """``mirrors`` maps the start of an address to what is asked instead."""
        self._transport, self._hosts = transport, hosts
        self._mirrors, self._clock = dict(mirrors), clock
        self._secrets: Mapping[str, Mapping[str, str]] = {}

    def dressed(self, secrets: Mapping[str, Mapping[str, str]]) -> Asker:
        """Return this one, connections and all, with headers for the addresses named."""
        other = copy.copy(self)
        other._secrets = {**self._secrets, **secrets}
        return other

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()

    @contextmanager
    def answer(
        self, url: str, headers: Mapping[str, str], seconds: float, wanted: Collection[int]
    ) -> Iterator[tuple[requests.Response, str]]:
        """Give an answer with a wanted status, and the address that gave it in the end.

        All that goes wrong in the block is named.
        """
        target = self._mirrored(url)
        with ExitStack() as turn:
            turn.enter_context(self._hosts.turn(_host(target), _PATIENCE))
            with Deadline(seconds) as deadline:
                try:
                    with closing(
                        self._last(target, url, headers, lambda: deadline.left, turn)
                    ) as response:
                        _check_status(response, url, wanted, self._clock.now())
                        yield response, response.url
                except FAILURES as error:
                    better = named(error, url, seconds if deadline.passed else None)
                    if better is error:
                        raise
                    raise better from error

    @contextmanager
    def sent(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> Iterator[requests.Response]:
        """Give the answer to a request with a body: once, to that address and nowhere else."""
        with (
            self._hosts.turn(_host(url), _PATIENCE),
            Deadline(seconds) as deadline,
        ):
            try:
                worn = self._worn(url, headers)
                with closing(self._transport.ask(method, url, worn, body)) as response:
                    _check_status(response, url, range(200, 300), self._clock.now())
                    yield response
            except FAILURES as error:
                better = named(error, url, seconds if deadline.passed else None)
                if better is error:
                    raise
                raise better from error

    def _last(
        self, target: str, url: str, headers: Mapping[str, str], left: Left, turn: ExitStack
    ) -> requests.Response:
        """Return the first answer that leads nowhere else; none on the way is read."""
        secure = False
        for hop in range(_MAX_HOPS + 1):
            try:
                response = self._transport.ask("GET", target, self._worn(target, headers))
            except (requests.exceptions.InvalidURL, UnicodeError) as error:
                if hop:
                    raise _nowhere(url, target) from error
                raise
            location = response.headers.get("Location", "")
            if response.status_code not in _REDIRECTS or not location:
                return response
            response.close()
            secure = secure or origin(target)[0] == "https"
            before, target = target, followed(target, location)
            if not target:
                raise _nowhere(url, location)
            if secure and origin(target)[0] != "https":
                raise Hostile(f"{bare(url)} leads from https to plain http, which proves nothing")
            if _host(target) != _host(before):
                turn.close()
                turn.enter_context(self._hosts.turn(_host(target), left()))
        raise Unreachable(f"{bare(url)} redirects in circles (more than {_MAX_HOPS} times)")

    def _worn(self, target: str, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers for one hop; a secret is for its own address alone."""
        worn = dict(headers)
        for base, secret in self._secrets.items():
            if origin(target) == origin(base) and target.startswith(base):
                worn |= secret
        return worn

    def _mirrored(self, url: str) -> str:
        for prefix, replacement in self._mirrors.items():
            if url.startswith(prefix):
                return replacement + url[len(prefix) :]
        return url


def _nowhere(url: str, location: str) -> Unreachable:
    return Unreachable(
        f"{bare(url)} redirects to no http address: {plain(bare(location), 80)!r}",
        resolution="Look at the address in a browser; it may have moved.",
    )


def _host(url: str) -> str:
    try:
        return origin(url)[1]
    except ValueError as error:
        raise SetupError(f"{bare(url)!r} is no address: {error}") from error


def _check_status(
    response: requests.Response, url: str, wanted: Collection[int], now: datetime
) -> None:
    status = response.status_code
    if status in wanted:
        return
    said = f"{bare(url)} answered {status} {plain(response.reason or '', 80)}".rstrip()
    if status in _PASSING:
        raise Passing(said, seconds_to_wait(response.headers.get("Retry-After", ""), now))
    if status in (206, 304, 416):
        said += ", which nobody asked for"
    kind = NotThere if status in (403, 404, 410) else Unreachable
    raise kind(said, resolution="Look at the address in a browser; it may have moved.")
