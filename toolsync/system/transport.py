"""How connections are made: one TLS context for all, and each told to its deadline.

Requests go through the library's adapter, not through its session: a session reads the body
of every redirect whole, keeps strangers' cookies, and costs twice as much for each request.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote
from urllib.request import getproxies

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, get_netrc_auth

from toolsync.system import deadline


class Transport:
    """Sends requests and follows nothing; the answer's body is still to be read.

    Proxies are taken from the environment, credentials from the address or ~/.netrc.
    """

    def __init__(self, *, timeout: float, per_host: int, hosts: int) -> None:
        """``timeout`` bounds each wait, in seconds.

        Up to ``per_host`` connections to each of the last ``hosts`` hosts are kept open.
        """
        self._timeout = timeout
        self._adapter = _Adapter(pool_connections=hosts, pool_maxsize=per_host)
        self._proxies = bool(getproxies())
        self._netrc = lru_cache(maxsize=1024)(get_netrc_auth) if _has_netrc() else None

    def close(self) -> None:
        """Give the connections back."""
        self._adapter.close()

    def get(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        """Return the answer to one GET.

        Raises what the library raises: RequestException, and InvalidURL for no usable address.
        """
        request = requests.PreparedRequest()
        request.prepare(method="GET", url=url, headers=dict(headers))
        asked = request.url = _as_spelled(url, request.url or url)
        if self._netrc is not None and "Authorization" not in request.headers:
            request.prepare_auth(self._netrc(_host_of(asked)))
        return self._adapter.send(
            request,
            stream=True,
            timeout=self._timeout,
            proxies=get_environ_proxies(asked, no_proxy=None) if self._proxies else {},
        )


def _as_spelled(url: str, prepared: str) -> str:
    """Return the address with the escapes that it came with: to some servers %7E is no ``~``."""
    usable = url.isascii() and url.isprintable() and " " not in url
    return url if usable and unquote(url) == unquote(prepared) else prepared


def _has_netrc() -> bool:
    named = os.environ.get("NETRC")
    places = (named,) if named is not None else ("~/.netrc", "~/_netrc")
    return any(os.path.exists(os.path.expanduser(place)) for place in places)  # noqa: PTH110, PTH111


def _host_of(url: str) -> str:
    """Return the address without its path, so that one answer serves a whole host."""
    return "/".join(url.split("/", 3)[:3]) + "/"


class _Watched:
    """Tells the thread's deadline which socket is about to be waited on."""

    def getresponse(self, *args: Any, **options: Any) -> Any:
        """Read the answer's head, watched."""
        deadline.watch(getattr(self, "sock", None))
        return super().getresponse(*args, **options)  # type: ignore[misc]


class _Plain(_Watched, urllib3.connection.HTTPConnection):
    pass


class _Secure(_Watched, urllib3.connection.HTTPSConnection):
    def _new_conn(self) -> Any:
        connected = super()._new_conn()
        deadline.watch(connected, copy=True)  # a handshake can be dripped, too
        return connected


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


_POOLS = {"http": _PlainPool, "https": _SecurePool}


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Adapter(HTTPAdapter):
    """Connects with one shared TLS context instead of reading the CA bundle each time.

    The context trusts what the machine trusts (OpenSSL's defaults: SSL_CERT_FILE and the
    system's store), not a bundle that came with a library.
    """

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pool manager, with our connections and our context."""
        super().init_poolmanager(*args, **options, ssl_context=_context())
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Reach hosts behind a proxy with the same connections and context."""
        manager = super().proxy_manager_for(proxy, **options, ssl_context=_context())
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Demand a valid certificate; the context knows by whom."""
        conn.cert_reqs = "CERT_REQUIRED" if url.lower().startswith("https") else "CERT_NONE"
