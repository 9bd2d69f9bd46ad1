"""Request pages and files, with bounds on everything, and never the same bytes twice.

Every request has a limit on bytes and on seconds, retries with back-off what may pass,
honors Retry-After, follows few redirects and none that drops TLS, and runs few at once
against one host. An answer that cannot be used is `Unreachable`, in words that name the
address, without credentials, and what it said.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from toolsync.http.answer import (
    NotChanged,
    Page,
    Validators,
    body_of,
    conditions,
    is_not_changed,
    validators_of,
)
from toolsync.http.download import Incoming, Progress, Writable
from toolsync.http.egress import Named
from toolsync.http.hosts import Hosts
from toolsync.http.quotas import reset, until
from toolsync.http.retries import retrying
from toolsync.model.values import twin
from toolsync.system.clock import Clock, SystemClock
from toolsync.system.headers import bare, plain

if TYPE_CHECKING:
    from toolsync.http.redirects import Requester

T = TypeVar("T")


class Http:
    """A client with one connection pool and one TLS context."""

    def __init__(
        self,
        *,
        user_agent: str,
        timeout: float = 20.0,
        retries: int = 3,
        mirrors: Mapping[str, str] | None = None,
        per_host: int = 4,
        interval: float = 0.0,
        hosts: int = 64,
        clock: Clock | None = None,
        elsewhere: Callable[[str], float] | None = None,
    ) -> None:
        """``timeout`` bounds each wait for the server, ``retries`` what is tried again.

        At most ``per_host`` requests to one host run at once, and start ``interval`` seconds
        apart; connections to ``hosts`` hosts are kept open. ``elsewhere`` is asked before each
        request where other machines ask the same hosts (`hosts.Hosts`).
        """
        self._retries, self._user_agent, self._timeout = retries, user_agent, timeout
        self._clock = clock or SystemClock()
        self._shared = _Shared(
            partial(
                _requester,
                Hosts(per_host, interval, self._clock, elsewhere),
                mirrors=mirrors or {},
                clock=self._clock,
                transport={"timeout": timeout, "per_host": per_host, "hosts": hosts},
            )
        )
        self._dressed: Requester | None = None

    @property
    def _requester(self) -> Requester:
        return self._dressed or self._shared.get()

    def close(self) -> None:
        """Close the connections."""
        self._shared.close()

    def dressed(
        self,
        *,
        user_agent: str = "",
        secrets: Mapping[str, Mapping[str, str]] | None = None,
        named: Named | None = None,
    ) -> Http:
        """Return a client on the same connections, with another user agent or more headers.

        ``secrets`` maps the start of addresses to headers that are sent there and nowhere
        else, whatever a redirect says. ``named`` returns the addresses that the operator named;
        any other comes from a page and is kept away from this machine and its network. Without
        it each address that is asked for is named. What is empty stays as it is.
        """
        if not user_agent and not secrets and named is None:
            return self
        other = twin(self)
        other._user_agent = user_agent or self._user_agent
        other._dressed = self._requester.dressed(secrets or {}, named)
        return other

    def page(
        self,
        url: str,
        *,
        limit: int,
        seconds: float,
        accept: str = "*/*",
        validators: Validators | None = None,
    ) -> Page:
        """Return the response to a GET, at most ``limit`` bytes long and within ``seconds``.

        With ``validators`` the request is conditional and the body None if nothing changed.
        Raises Unreachable, or Hostile when the body passes the limit.
        """
        unless = conditions(validators)
        headers = self._headers("gzip, deflate") | {"Accept": accept} | unless
        wanted = {200, 304} if unless else {200}

        def read() -> Page:
            if _is_ftp(url):
                return self._listing(url, limit, seconds)
            self._requester.spend(url)
            with self._requester.response(url, headers, seconds, wanted) as (response, address):
                found = None if is_not_changed(response) else body_of(response, url, limit)
                return Page(
                    url=address,
                    body=found,
                    content_type=plain(response.headers.get("Content-Type", ""), 200),
                    validators=validators_of(response),
                )

        return self.retrying(read)

    def token(self, url: str) -> str:
        """Return the password that ~/.netrc has for an address's host, empty if none."""
        return self._requester.token(url)

    def query(
        self, url: str, body: bytes, *, headers: Mapping[str, str], limit: int, seconds: float
    ) -> Page:
        """Return the response to a question that is sent by POST, and changes nothing.

        It is asked as `page` asks, but no redirect is followed.
        """
        asked = partial(self.post, url, body, headers=headers, limit=limit, seconds=seconds)
        return self.retrying(asked)

    def post(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str],
        limit: int,
        seconds: float,
        method: str = "POST",
    ) -> Page:
        """Return the response to a POST, PUT or PATCH: sent once, as `send` does, and read."""
        target = self._requester.mirrored(url)
        given = self._headers("gzip, deflate") | dict(headers)
        with self._requester.send(method, target, given, body, seconds) as response:
            now = self._clock.now()
            return Page(
                url=target,
                body=body_of(response, url, limit),
                content_type=plain(response.headers.get("Content-Type", ""), 200),
                validators=Validators(),
                limited=until(reset(response.headers, now), now),
            )

    def leads_to(self, url: str, *, seconds: float) -> str:
        """Return the address that answers a GET in the end; the body is not read."""

        def ask() -> str:
            headers = self._headers("identity")
            with self._requester.response(url, headers, seconds, {200}) as (_, address):
                return address

        return self.retrying(ask)

    def download(
        self,
        url: str,
        open_sink: Callable[[bool], Writable],
        *,
        limit: int,
        seconds: float,
        have: int = 0,
        validators: Validators | None = None,
        unless: Validators | None = None,
        learned: Callable[[Validators], None] = lambda _: None,
        progress: Progress = lambda done, total: None,
    ) -> str:
        """Stream a file into a sink and return the address that sent it after redirects.

        ``have`` bytes are there already, of the file that ``validators`` describe.
        ``open_sink`` is called once the server has answered, with True if only the rest will
        follow; ``learned`` is called with the response's validators before the first byte.
        ``limit`` is in bytes. Raises Unreachable (cut short, too slow), Hostile (more than
        ``limit``), or NotChanged if the file is still as ``unless`` describes it.
        """
        incoming = Incoming(
            url=url, open_sink=open_sink, limit=limit, learned=learned, progress=progress
        )
        if _is_ftp(url):
            with self._requester.by_ftp(url, seconds) as target:
                incoming.by_ftp(target, self._timeout)
            return bare(target)
        strong = validators.strong if validators else ""
        headers, wanted = self._headers("identity"), {200}
        if have and strong:
            headers |= {"Range": f"bytes={have}-", "If-Range": strong}
            wanted |= {206, 416}
        if unchanged := conditions(unless):
            headers |= unchanged
            wanted |= {304}
        with self._requester.response(url, headers, seconds, wanted) as (response, address):
            if is_not_changed(response):
                raise NotChanged
            incoming.by_http(response, have, validators)
            return bare(address)

    def _listing(self, url: str, limit: int, seconds: float) -> Page:
        """Return a folder's listing by FTP as a page of links."""
        from toolsync.http import ftp  # heavy, and few addresses are of this kind

        with self._requester.by_ftp(url, seconds) as target:
            address, body = ftp.listing(target, limit=limit, timeout=self._timeout)
        kind = "text/html; charset=utf-8" if address.endswith("/") else "text/plain"
        return Page(url=address, body=body, content_type=kind, validators=Validators())

    def send(
        self, method: str, url: str, body: bytes, *, headers: Mapping[str, str], seconds: float
    ) -> None:
        """Send a body (POST or PUT) once; a status of 200 to 299 is a success.

        Nothing is tried again and no redirect is followed: whether the other side has acted
        already is for the caller to judge. Raises Unreachable for any other status.
        """
        given = self._headers("identity") | dict(headers)
        with self._requester.send(method, url, given, body, seconds):
            return

    def retrying(self, act: Callable[[], T]) -> T:
        """Return what ``act`` returns, tried again as `retrying` does."""
        return retrying(act, self._retries, self._clock)

    def _headers(self, encoding: str) -> dict[str, str]:
        return {"User-Agent": self._user_agent, "Accept-Encoding": encoding}


class _Shared:
    """What all clients of one gateway send by: made with the first request, closed with the last.

    Most commands ask nobody, and the HTTP library takes as long to load as they take in all.
    """

    def __init__(self, make: Callable[[], Requester]) -> None:
        self._make, self._lock = make, threading.Lock()
        self._made: Requester | None = None

    def get(self) -> Requester:
        """Return it; for any thread."""
        if self._made is not None:  # never made again, so that no lock is needed
            return self._made
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def close(self) -> None:
        """Close its connections, where there are any."""
        if self._made is not None:
            self._made.close()


def _requester(
    hosts: Hosts, *, mirrors: Mapping[str, str], clock: Clock, transport: Mapping[str, Any]
) -> Requester:
    from toolsync.http.redirects import Requester
    from toolsync.http.transport import Transport

    return Requester(Transport(**transport), hosts, mirrors=mirrors, clock=clock)


def _is_ftp(url: str) -> bool:
    return url[:4].lower() == "ftp:"
