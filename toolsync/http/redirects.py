"""Send a request and follow its redirects: a bounded number, and never from https to http.

The bodies of redirects are not read. Secret headers go to the addresses that they are for, and
nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager

import requests

from toolsync.http.egress import Egress, Named, dropped_tls, kept_by
from toolsync.http.hosts import Hosts
from toolsync.http.quotas import Quotas
from toolsync.http.statuses import check_status
from toolsync.http.translation import FAILURES, translated
from toolsync.http.transport import Transport
from toolsync.model.errors import SetupError, Unreachable
from toolsync.model.values import twin
from toolsync.system.clock import Clock
from toolsync.system.deadline import Deadline
from toolsync.system.headers import bare, followed, origin, plain

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_HOPS = 5
_PATIENCE = 4 * 3600.0
"""Seconds to wait for a slot at a host: each request before may take its whole time."""

Left = Callable[[], float]
"""Returns the seconds that are left of the request's time."""


class Requester:
    """Sends requests within the limits of each host, and follows redirects."""

    def __init__(
        self, transport: Transport, hosts: Hosts, *, mirrors: Mapping[str, str], clock: Clock
    ) -> None:
        """``mirrors`` maps the start of an address to its replacement."""
        self._transport, self._hosts = transport, hosts
        self._mirrors, self._clock = dict(mirrors), clock
        self._quotas = Quotas(clock)
        self._secrets: Mapping[str, Mapping[str, str]] = {}
        self._egress: Egress | None = None

    def dressed(
        self, secrets: Mapping[str, Mapping[str, str]], named: Named | None = None
    ) -> Requester:
        """Return a requester on the same connections that sends more headers.

        ``secrets`` maps the start of addresses to the headers that are sent there; ``named``
        returns the addresses that are named by the operator, all others being a page's. Who says
        so first is heard: what a page proposes cannot name more.
        """
        other = twin(self)
        other._secrets = {**self._secrets, **secrets}
        if named is not None and self._egress is None:
            other._egress = self._egress_of(named)
        return other

    def _egress_of(self, named: Named) -> Egress:
        """Return the judge of where requests lead; mirrors are the operator's own, too."""
        mirrors = self._mirrors.values()

        def every() -> tuple[Iterable[str], Iterable[str]]:
            pages, others = named()
            return pages, (*others, *mirrors)

        return Egress(every)

    @contextmanager
    def _judged(self, url: str, target: str) -> Iterator[Egress]:
        """For the block, judge where a request leads; raises Hostile if ``target`` is none."""
        egress = self._egress or self._egress_of(lambda: ((url,), ()))
        with kept_by(egress):
            egress.check(target)
            yield egress

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def spend(self, url: str) -> None:
        """Count a request that can wait; raises Limited where its host has too few left."""
        self._quotas.spend(_host(self.mirrored(url)))

    def token(self, url: str) -> str:
        """Return the password that ~/.netrc has for an address's host, empty if none."""
        return self._transport.token(self.mirrored(url))

    @contextmanager
    def response(
        self, url: str, headers: Mapping[str, str], seconds: float, wanted: Collection[int]
    ) -> Iterator[tuple[requests.Response, str]]:
        """Yield the response to a GET, and the address that sent it after redirects.

        ``seconds`` bounds the whole request, ``wanted`` are the statuses that count. Raises
        Unreachable for any other status, and what `translated` makes of errors in the block.
        """
        target = self.mirrored(url)
        _host(target)
        with self._judged(url, target) as egress, ExitStack() as slot:
            slot.enter_context(self._hosts.slot(_host(target), _PATIENCE))
            with Deadline(seconds) as deadline:
                try:
                    with closing(
                        self._followed(target, url, headers, lambda: deadline.left, slot, egress)
                    ) as response:
                        # The end of a head or body that was cut looks like its own end.
                        if deadline.passed:
                            raise translated(EOFError(), url, seconds)
                        self._quotas.note(_host(response.url), response.headers)
                        check_status(response, url, wanted, self._clock.now())
                        yield response, response.url
                        if deadline.passed:
                            raise translated(EOFError(), url, seconds)
                except FAILURES as error:
                    better = translated(error, url, seconds if deadline.passed else None)
                    if better is error:
                        raise
                    raise better from error

    @contextmanager
    def by_ftp(self, url: str, seconds: float) -> Iterator[str]:
        """Yield the address to ask by FTP, under the host's limits and the deadline."""
        target = self.mirrored(url)
        _host(target)
        with (
            self._judged(url, target),
            self._hosts.slot(_host(target), _PATIENCE),
            Deadline(seconds) as deadline,
        ):
            try:
                yield target
            except FAILURES as error:
                better = translated(error, url, seconds if deadline.passed else None)
                if better is error:
                    raise
                raise better from error
            if deadline.passed:  # the end of a stream that was cut looks like its own end
                raise translated(EOFError(), url, seconds)

    @contextmanager
    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> Iterator[requests.Response]:
        """Yield the response to a request with a body: sent once, and no redirect is followed.

        Raises Unreachable for a status that is not 200 to 299.
        """
        with (
            self._hosts.slot(_host(url), _PATIENCE),
            Deadline(seconds) as deadline,
        ):
            try:
                own = self._headers_for(url, headers)
                with closing(self._transport.ask(method, url, own, body)) as response:
                    check_status(response, url, range(200, 300), self._clock.now())
                    yield response
            except FAILURES as error:
                better = translated(error, url, seconds if deadline.passed else None)
                if better is error:
                    raise
                raise better from error

    def _followed(
        self,
        target: str,
        url: str,
        headers: Mapping[str, str],
        left: Left,
        slot: ExitStack,
        egress: Egress,
    ) -> requests.Response:
        """Return the first response that is no redirect; the bodies of redirects are not read."""
        secure = False
        for hop in range(_MAX_HOPS + 1):
            try:
                response = self._transport.ask("GET", target, self._headers_for(target, headers))
            except (requests.exceptions.InvalidURL, UnicodeError) as error:
                if hop:
                    raise _bad_redirect(url, target) from error
                raise
            location = response.headers.get("Location", "")
            if response.status_code not in _REDIRECTS or not location:
                return response
            response.close()
            secure = secure or origin(target)[0] == "https"
            before, target = target, followed(target, location)
            if not target:
                raise _bad_redirect(url, location)
            if secure and origin(target)[0] != "https":
                raise dropped_tls(url, target)
            egress.check(target)
            if _host(target) != _host(before):
                slot.close()
                slot.enter_context(self._hosts.slot(_host(target), left()))
        raise Unreachable(f"{bare(url)} redirects in circles (more than {_MAX_HOPS} times)")

    def _headers_for(self, target: str, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers for one hop; a secret is sent to its own address alone."""
        own = dict(headers)
        for base, secret in self._secrets.items():
            if origin(target) == origin(base) and target.startswith(base):
                own |= secret
        return own

    def mirrored(self, url: str) -> str:
        """Return the address that is asked in place of another one, mostly itself."""
        for prefix, replacement in self._mirrors.items():
            if url.startswith(prefix):
                return replacement + url[len(prefix) :]
        return url


def _bad_redirect(url: str, location: str) -> Unreachable:
    return Unreachable(
        f"{bare(url)} redirects to no http address: {plain(bare(location), 80)!r}",
        resolution="Look at the address in a browser; it may have moved.",
    )


def _host(url: str) -> str:
    try:
        return origin(url)[1]
    except ValueError as error:
        raise SetupError(f"{bare(url)!r} is no address: {error}") from error
