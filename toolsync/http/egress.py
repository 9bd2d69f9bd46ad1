"""Keep what a page names away from this machine and its network.

A page's links and redirects are a stranger's words. They lead to loopback, link-local and private
addresses only where the operator named a host of the same kind; to a cloud's metadata never, unless
the operator named that very address. What counts is the address that a socket is connected to: a
name may have another one at every question (DNS rebinding). Through a proxy the proxy resolves
names, so that only addresses in figures are judged here.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path

from toolsync.http.addresses import LINK_LOCAL, LOOPBACK, PRIVATE, kind_of, literal
from toolsync.model.errors import Hostile
from toolsync.system.headers import bare, host_of, origin

Named = Callable[[], tuple[Iterable[str], Iterable[str]]]
"""Returns the addresses that the operator named: pages, and others. Asked only where it matters."""

_SHARED = frozenset((LOOPBACK, LINK_LOCAL, PRIVATE))
"""Kinds of which one named host allows others."""
_HOSTS = Path("/etc/hosts")
_HOSTS_LIMIT = 1024 * 1024
_once_public: set[str] = set()
"""Names that had a public address in this process: an internal one later is a rebinding."""


class Egress:
    """Where the requests that follow from some named addresses may lead."""

    def __init__(self, named: Named) -> None:
        self._named = named

    @cached_property
    def _addresses(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        pages, others = self._named()
        return tuple(filter(host_of, pages)), tuple(filter(host_of, others))

    @cached_property
    def _hosts(self) -> frozenset[str]:
        pages, others = self._addresses
        return frozenset(map(host_of, (*pages, *others)))

    @property
    def _page(self) -> str:
        return next(iter(self._addresses[0]), "a page")

    @cached_property
    def _kinds(self) -> frozenset[str]:
        return frozenset(kind for host in self._hosts for kind in _own_kinds(host))

    def check(self, url: str) -> None:
        """Raise Hostile for an address that leads inside by its figures, or from https to http."""
        scheme, host, _ = origin(url)
        address = "127.0.0.1" if _is_localhost(host) else literal(host)
        if address:
            self.check_address(host, address)
        if scheme == "http" and self._drops_tls(url):
            raise dropped_tls(self._page, url)

    def check_address(self, host: str, address: str) -> None:
        """Raise Hostile unless a request to ``host`` may go to the IP address."""
        kind = kind_of(address)
        if not kind:
            return
        by_figures = literal(host) == address
        if by_figures and host in self._hosts:
            return
        if kind in _SHARED and kind in self._kinds:
            return
        at = host if by_figures else f"{host}, which is {address} here"
        raise Hostile(
            f"{bare(self._page)} leads to {at}: a {kind} address, and nothing in the definition is",
            resolution="A page from outside must not reach this machine or its network. If the "
            "host is rightly there, name it in the definition (watch.url, watch.file_url).",
        )

    def permitted(self, host: str, port: int) -> list[str]:
        """Return those addresses of a host that may be connected to.

        Raises Hostile where it has others alone, and what getaddrinfo raises.
        """
        found = dict.fromkeys(
            _text(entry) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        public = [address for address in found if not kind_of(address)]
        if public and not literal(host):
            _once_public.add(host)
        refused: Hostile | None = None
        good = []
        for address in found:
            try:
                self.check_address(host, address)
                good.append(address)
            except Hostile as error:
                refused = error
        if refused is not None and not good:
            raise refused
        return good

    @cached_property
    def _is_secure(self) -> bool:
        """Whether all pages are https."""
        pages, _ = self._addresses
        return bool(pages) and all(origin(page)[0] == "https" for page in pages)

    def _drops_tls(self, url: str) -> bool:
        """Say whether the pages are all https, and this address is none of the named places."""
        return self._is_secure and origin(url) not in map(origin, self._addresses[1])


def dropped_tls(page: str, url: str) -> Hostile:
    """Return the error for a way from an https page to a plain http address."""
    return Hostile(
        f"{bare(page)} leads from https to plain http, which proves nothing: {bare(url)}",
        resolution="Ask upstream for an https address, or name the http one in the definition "
        "(watch.file_url).",
    )


_current: ContextVar[Egress | None] = ContextVar("egress", default=None)


@contextmanager
def kept_by(egress: Egress) -> Iterator[None]:
    """For the block, judge this thread's connections by ``egress``."""
    token = _current.set(egress)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Egress | None:
    """Return what judges this thread's connections."""
    return _current.get()


def _text(entry: tuple[object, ...]) -> str:
    """Return the IP address of one of getaddrinfo's entries, with its zone where it has one."""
    place = entry[4]
    assert isinstance(place, tuple)
    zone = f"%{place[3]}" if len(place) == 4 and place[3] and "%" not in str(place[0]) else ""
    return f"{place[0]}{zone}"


def _is_localhost(host: str) -> bool:
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")


def _own_kinds(host: str) -> frozenset[str]:
    """Return the kinds of a named host's addresses; of what DNS says, ``private`` alone counts.

    Whoever owns a name could make it lead to our loopback: that a host is on this machine is told
    by figures, ``localhost`` or /etc/hosts.
    """
    if _is_localhost(host):
        return frozenset((LOOPBACK,))
    if (address := literal(host)) or (address := _in_hosts(host)):
        return frozenset((kind_of(address),))
    if host in _once_public:
        return frozenset()
    try:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return frozenset()
    kinds = {kind_of(_text(entry)) for entry in entries}
    return frozenset(kinds) if kinds == {PRIVATE} else frozenset()


def _in_hosts(host: str) -> str:
    """Return the address of a name in /etc/hosts, empty where it is not there."""
    try:
        with _HOSTS.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_HOSTS_LIMIT)
    except OSError:
        return ""
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if host.lower() in map(str.lower, names):
            try:
                return str(ipaddress.ip_address(address))
            except ValueError:
                continue
    return ""
