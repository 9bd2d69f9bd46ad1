"""Request pages and files, with bounds on everything, and never the same bytes twice.

Every request has a limit on bytes and on seconds, retries with back-off what may pass,
honors Retry-After, follows few redirects and none that drops TLS, and runs few at once
against one host. An answer that cannot be used is `Unreachable`, in words that name the
address, without credentials, and what it said.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from toolsync.http.egress import Named
from toolsync.http.failures import (
    Limited,
    Transient,
    broken_off,
    coded_as,
    in_other_code,
    too_large,
)
from toolsync.http.hosts import Hosts
from toolsync.http.quotas import reset, until
from toolsync.model.errors import Unreachable
from toolsync.model.values import twin
from toolsync.system import stop
from toolsync.system.clock import Clock, SystemClock
from toolsync.system.headers import bare, number, plain, validator

if TYPE_CHECKING:
    import requests

    from toolsync.http.redirects import Requester

T = TypeVar("T")

_CHUNK = 64 * 1024
_MAX_WAIT = 120.0

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there so far and the whole size, None if it is not known."""


class Writable(Protocol):
    """What a download is written to."""

    def write(self, data: bytes, /) -> int:
        """Take all of ``data``."""
        ...


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
    ) -> None:
        """``timeout`` bounds each wait for the server, ``retries`` what is tried again.

        At most ``per_host`` requests to one host run at once, and start ``interval`` seconds
        apart; connections to ``hosts`` hosts are kept open.
        """
        self._retries, self._user_agent, self._timeout = retries, user_agent, timeout
        self._clock = clock or SystemClock()
        self._shared = _Shared(
            partial(
                _requester,
                Hosts(per_host, interval, self._clock),
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
        conditions = _conditions(validators)
        headers = self._headers("gzip, deflate") | {"Accept": accept} | conditions
        wanted = {200, 304} if conditions else {200}

        def read() -> Page:
            if _is_ftp(url):
                return self._listing(url, limit, seconds)
            self._requester.spend(url)
            with self._requester.response(url, headers, seconds, wanted) as (response, address):
                body = None if _is_not_changed(response) else _body(response, url, limit)
                return Page(
                    url=address,
                    body=body,
                    content_type=plain(response.headers.get("Content-Type", ""), 200),
                    validators=_validators(response),
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
        target = self._requester.mirrored(url)
        given = self._headers("gzip, deflate") | dict(headers)

        def ask() -> Page:
            with self._requester.send("POST", target, given, body, seconds) as response:
                now = self._clock.now()
                return Page(
                    url=target,
                    body=_body(response, url, limit),
                    content_type=plain(response.headers.get("Content-Type", ""), 200),
                    validators=Validators(),
                    limited=until(reset(response.headers, now), now),
                )

        return self.retrying(ask)

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
        if _is_ftp(url):
            return self._retrieve(url, open_sink, limit, seconds, learned, progress)
        strong = validators.strong if validators else ""
        headers, wanted = self._headers("identity"), {200}
        if have and strong:
            headers |= {"Range": f"bytes={have}-", "If-Range": strong}
            wanted |= {206, 416}
        if conditions := _conditions(unless):
            headers |= conditions
            wanted |= {304}
        with self._requester.response(url, headers, seconds, wanted) as (response, address):
            if _is_not_changed(response):
                raise NotChanged
            resumed = response.status_code == 206 and _goes_on(response, have, validators)
            if response.status_code == 416 or (response.status_code == 206 and not resumed):
                open_sink(False)  # what we have is no part of what is there now: start afresh
                raise Transient(f"{bare(url)} has no such part as was asked for")
            done = have if resumed else 0
            total = _whole(response) if resumed else _length(response)
            learned(replace(_validators(response), size=total))
            if total is not None and total > limit:
                raise too_large(url, limit)
            sink = open_sink(resumed)
            # As they were sent: some servers call a .tar.gz an encoding of a .tar.
            for chunk in response.raw.stream(_CHUNK, decode_content=False):
                done += len(chunk)
                if done > limit:
                    raise too_large(url, limit)
                sink.write(chunk)
                progress(done, total)
            if total is not None and done != total:
                raise broken_off(url, done, total)
            return bare(address)

    def _listing(self, url: str, limit: int, seconds: float) -> Page:
        """Return a folder's listing by FTP as a page of links."""
        from toolsync.http import ftp  # heavy, and few addresses are of this kind

        with self._requester.by_ftp(url, seconds) as target:
            address, body = ftp.listing(target, limit=limit, timeout=self._timeout)
        kind = "text/html; charset=utf-8" if address.endswith("/") else "text/plain"
        return Page(url=address, body=body, content_type=kind, validators=Validators())

    def _retrieve(
        self,
        url: str,
        open_sink: Callable[[bool], Writable],
        limit: int,
        seconds: float,
        learned: Callable[[Validators], None],
        progress: Progress,
    ) -> str:
        """Stream a file by FTP into a sink; it always begins afresh, for nothing vouches for it."""
        done = 0

        def begin(total: int | None) -> Callable[[bytes], None]:
            learned(Validators(size=total))
            sink = open_sink(False)

            def take(chunk: bytes) -> None:
                nonlocal done
                done += len(chunk)
                sink.write(chunk)
                progress(done, total)

            return take

        from toolsync.http import ftp  # heavy, and few addresses are of this kind

        with self._requester.by_ftp(url, seconds) as target:
            ftp.retrieve(target, begin, limit=limit, timeout=self._timeout)
        return bare(target)

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
        """Return what ``act`` returns, and retry it: with back-off, jitter and Retry-After.

        Only `Transient` errors are retried; after the last try Unreachable is raised.
        """
        for attempt in range(self._retries + 1):
            try:
                return act()
            except Transient as error:
                if stop.begun():
                    raise KeyboardInterrupt from error
                wait = error.retry_after
                if wait is None:
                    wait = min(30.0, 2.0**attempt * 0.5) * random.uniform(0.5, 1.0)
                if isinstance(error, Limited) and (attempt == self._retries or wait > _MAX_WAIT):
                    raise  # it tells when the limit ends
                if attempt == self._retries or wait > _MAX_WAIT:
                    asked = f" and asks to wait {wait:.0f} s" if wait > _MAX_WAIT else ""
                    raise Unreachable(f"{error}{asked}", resolution=error.resolution) from error
                self._clock.sleep(wait)
        raise AssertionError("unreachable")

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


def _conditions(validators: Validators | None) -> dict[str, str]:
    if validators is None:
        return {}
    pairs = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    return {name: value for name, value in pairs.items() if value}


def _is_not_changed(response: requests.Response) -> bool:
    """Say whether there is nothing to read; its connection then serves the next request."""
    same = response.status_code == 304
    # There is no body, by RFC 9112 (6.3); a connection that is not drained would be closed. Of a
    # chunked response the library would read a body all the same, and perhaps wait for ever.
    if same and not response.raw.chunked:
        response.raw.drain_conn()
    return same


def _validators(response: requests.Response) -> Validators:
    return Validators(
        etag=validator(response.headers.get("ETag", "")),
        last_modified=validator(response.headers.get("Last-Modified", "")),
    )


def _body(response: requests.Response, url: str, limit: int) -> bytes:
    total = _length(response)
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
    body = b"".join(chunks)  # of most pages there is one, which is not copied
    if coded_as(encoded, body):
        raise in_other_code(url, encoded)
    return body


def _chunks(response: requests.Response) -> Iterator[bytes]:
    chunks: Iterator[bytes] = response.iter_content(_CHUNK)
    return chunks


def _length(response: requests.Response) -> int | None:
    return number(response.headers.get("Content-Length", ""))


def _whole(response: requests.Response) -> int | None:
    """Return the size of the file of which a part was sent (RFC 9110, section 14.4)."""
    return number(response.headers.get("Content-Range", "").rpartition("/")[2])


def _goes_on(response: requests.Response, offset: int, known: Validators | None) -> bool:
    """Say whether a part begins where ours ends, and is of the same file by all that is told.

    At least one validator must say so: where the server sends none, it may have heeded no
    If-Range. Its size must be told, for a part may end before the file does.
    """
    span, now = response.headers.get("Content-Range", ""), _validators(response)
    whole = _whole(response)
    if known is None or whole is None or not span.startswith(f"bytes {offset}-"):
        return False
    pairs = [(now.etag, known.etag), (now.last_modified, known.last_modified)]
    told = [ours == theirs for ours, theirs in pairs if ours and theirs]
    return bool(told) and all(told) and known.size in (None, whole)


def _is_ftp(url: str) -> bool:
    return url[:4].lower() == "ftp:"
