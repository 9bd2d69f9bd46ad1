"""Make connections: one TLS context for all, and each known to the request's deadline.

Requests go through the library's adapter, not through its session: a session reads the body
of every redirect whole, keeps cookies, and costs twice as much for each request.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from urllib.request import getproxies

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies, get_netrc_auth, select_proxy

from toolsync.http.egress import Egress, current
from toolsync.http.translation import BUNDLES, FAILURES, through_proxy
from toolsync.model.errors import SetupError
from toolsync.system import deadline
from toolsync.system.headers import origin


class Transport:
    """Sends requests without following redirects; the response's body is still to be read.

    Proxies are taken from the environment, credentials from the address or ~/.netrc.
    """

    def __init__(self, *, timeout: float, per_host: int, hosts: int) -> None:
        """``timeout`` bounds each wait, in seconds.

        Up to ``per_host`` connections to each of the last ``hosts`` hosts are kept open.
        """
        self._timeout = timeout
        self._size: dict[str, Any] = {"pool_connections": hosts, "pool_maxsize": per_host}
        self._plain = _Adapter(**self._size)
        self._secure: _SecureAdapter | None = None
        self._lock = threading.Lock()
        self._proxies = bool(getproxies())
        self._netrc = lru_cache(maxsize=1024)(get_netrc_auth) if _has_netrc() else None

    def close(self) -> None:
        """Give the connections back."""
        self._plain.close()
        if self._secure is not None:
            self._secure.close()

    def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> requests.Response:
        """Return the response to one request.

        Raises what the library raises: RequestException, and InvalidURL for no usable address.
        """
        request = _prepared(method, url, headers, body)
        asked = request.url or url
        if self._netrc is not None and "Authorization" not in request.headers:
            request.prepare_auth(self._netrc(_host_of(asked)))
        adapter = self._secured() if asked[:6].lower() == "https:" else self._plain
        proxies = get_environ_proxies(asked, no_proxy=None) if self._proxies else {}
        proxy = select_proxy(asked, proxies) if proxies else None
        try:
            return adapter.send(request, stream=True, timeout=self._timeout, proxies=proxies)
        except FAILURES as error:
            if proxy is None:
                raise
            better = through_proxy(error, proxy, url)
            if better is error:
                raise
            raise better from error

    def token(self, url: str) -> str:
        """Return the password that ~/.netrc has for an address's host, empty if none."""
        found = self._netrc(_host_of(url)) if self._netrc is not None else None
        return str(found[1] or "") if found else ""

    def _secured(self) -> _SecureAdapter:
        """Return the adapter for https; the trusted certificates are read on first use."""
        with self._lock:
            if self._secure is None:
                self._secure = _SecureAdapter(**self._size)
            return self._secure


_PLAIN = re.compile(
    r"https?://[a-z0-9.-]*[a-z0-9](?::[1-9][0-9]{0,4})?"
    r"/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*/)*(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*)?"
)
"""Addresses of which the library's preparation changes nothing."""


def _prepared(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> requests.PreparedRequest:
    """Return a request as the library prepares it; the usual one has nothing to be prepared."""
    request = requests.PreparedRequest()
    if body is None and _PLAIN.fullmatch(url):
        request.method, request.url = method, url
        request.headers = CaseInsensitiveDict(headers)
        request.hooks = _NO_HOOKS
    else:
        request.prepare(method=method, url=url, headers=dict(headers), data=body)
        request.url = _as_spelled(url, request.url or url)
    return request


def _as_spelled(url: str, prepared: str) -> str:
    """Return the address with its own escapes: some servers tell %7E from ``~``."""
    usable = url.isascii() and url.isprintable() and " " not in url
    return url if usable and unquote(url) == unquote(prepared) else prepared


def _has_netrc() -> bool:
    named = os.environ.get("NETRC")
    places = (named,) if named is not None else ("~/.netrc", "~/_netrc")
    return any(os.path.exists(os.path.expanduser(place)) for place in places)  # noqa: PTH110, PTH111


def _host_of(url: str) -> str:
    """Return the address without its path, so that one cached value serves a whole host."""
    return "/".join(url.split("/", 3)[:3]) + "/"


class _Watched:
    """A connection that tells the thread's deadline which socket it waits on."""

    def getresponse(self, *args: Any, **options: Any) -> Any:
        """Read the response's head under the deadline."""
        deadline.watch(getattr(self, "sock", None))
        return super().getresponse(*args, **options)  # type: ignore[misc]


class _Judged(_Watched):
    """A connection that is made, and used again, only where the thread's `Egress` permits it."""

    _dns_host: str
    host: str
    port: int
    _address = ""
    """The IP address that it is connected to."""

    def _new_conn(self) -> Any:
        """Connect to an address that was judged: the name is not asked for a second time."""
        egress, name = current(), self._dns_host
        if egress is None:
            return super()._new_conn()  # type: ignore[misc]
        addresses = _permitted(egress, self)
        for number, address in enumerate(addresses, 1):
            try:
                self._dns_host = self._address = address
                return super()._new_conn()  # type: ignore[misc]
            except urllib3.exceptions.HTTPError:
                if number == len(addresses):
                    raise
            finally:
                self._dns_host = name
        raise AssertionError("unreachable")

    def putrequest(self, *args: Any, **options: Any) -> Any:
        """Begin a request; over a connection that another definition opened, judged anew."""
        egress = current()
        if egress is not None and self._address and getattr(self, "sock", None) is not None:
            egress.check_address(self.host, self._address)
        return super().putrequest(*args, **options)  # type: ignore[misc]


def _permitted(egress: Egress, connection: Any) -> list[str]:
    """Return the addresses to connect to; a name without any is the library's own error."""
    try:
        return egress.permitted(connection.host, connection.port)
    except OSError as error:
        raise urllib3.exceptions.NewConnectionError(
            connection, f"Failed to resolve {connection.host!r}: {error}"
        ) from error


class _Plain(_Watched, urllib3.connection.HTTPConnection):
    """A connection to a proxy, which the operator named."""


class _Secure(_Watched, urllib3.connection.HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        deadline.watch(connected, copy=True)  # a handshake can stall, too
        return connected


class _JudgedPlain(_Judged, _Plain):
    pass


class _JudgedSecure(_Judged, _Secure):
    pass


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _JudgedPlain


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _JudgedSecure


class _ProxyPlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _ProxySecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


_NO_HOOKS = default_hooks()
_POOLS = {"http": _PlainPool, "https": _SecurePool}
_PROXY_POOLS = {"http": _ProxyPlainPool, "https": _ProxySecurePool}


class _Adapter(HTTPAdapter):
    """Makes connections that the deadline knows, also through a proxy."""

    _more: Mapping[str, object] = {}
    """What every pool is made with besides."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pool manager, with our connections."""
        options |= self._more
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Return the response as the library does, without cookies and encodings."""
        response = requests.Response()
        response.status_code, response.reason = resp.status, resp.reason
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw, response.request = resp, req
        response.url = req.url or ""
        return response

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the pool for a request's host; ours have their TLS context already."""
        return self._pool(request.url or "", proxies) or super().get_connection_with_tls_context(
            request, verify, proxies=proxies, cert=cert
        )

    def get_connection(self, url: Any, proxies: Any = None) -> Any:
        """Return the pool for an address's host, for libraries before 2.32."""
        return self._pool(url, proxies) or super().get_connection(url, proxies)

    def _pool(self, url: str, proxies: object) -> object:
        """Return the pool for a plain address without a proxy, else None."""
        if proxies or not _PLAIN.fullmatch(url):
            return None
        scheme, host, port = origin(url)
        return self.poolmanager.connection_from_host(host, port, scheme)

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Return the request's target: of a plain address what follows its host."""
        url = request.url or ""
        if proxies or not _PLAIN.fullmatch(url):
            return super().request_url(request, proxies)
        return url[url.index("/", 8) :]

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Return the manager for a proxy, whose connections the deadline knows too."""
        manager = super().proxy_manager_for(proxy, **{**options, **self._more})
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _PROXY_POOLS
        return manager


def _trust_bundles(context: ssl.SSLContext) -> None:
    """Trust the certificates that the environment names; raises SetupError where it names none."""
    known = ssl.get_default_verify_paths().cafile
    for name in BUNDLES:
        place = os.environ.get(name)
        if not place or place == known:
            continue
        try:
            is_folder = Path(place).is_dir()
            context.load_verify_locations(**{"capath" if is_folder else "cafile": place})
        except (OSError, ssl.SSLError) as error:
            raise SetupError(
                f"{name} names {place}, which has no certificates that can be read: {error}",
                resolution=f"Let {name} name a PEM file or a folder of them, or unset it.",
            ) from error


class _SecureAdapter(_Adapter):
    """Connects with one shared TLS context instead of reading the CA bundle each time.

    The context trusts what the machine trusts (OpenSSL's defaults: SSL_CERT_FILE and the
    system's store) and what `BUNDLES` name, not a bundle that came with a library.
    """

    def __init__(self, **size: Any) -> None:
        from importlib.metadata import version

        context = ssl.create_default_context()
        _trust_bundles(context)
        # Its version 1 names no address to OpenSSL, which then refuses to check any; there it
        # compares names and addresses itself, as soon as the context does not.
        context.check_hostname = not version("urllib3").startswith("1.")
        self._more = {"ssl_context": context}
        super().__init__(**size)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Require a valid certificate; the context holds the trusted ones."""
        conn.cert_reqs = "CERT_REQUIRED"
        # Debian's library names the system's bundle here, to be read for each connection anew.
        conn.ca_certs = conn.ca_cert_dir = None
