"""How connections are made: one TLS context for all, and an end to every wait.

A read timeout bounds the wait for the next byte, not for the last one: a server that sends
a byte every few seconds would hold a run for ever. A `Deadline` therefore shuts the socket
that its thread is using when the time for the whole request is over.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from types import TracebackType
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter

_using = threading.local()


class Deadline:
    """For the block, ends this thread's request after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._socket: socket.socket | None = None

    def __enter__(self) -> Deadline:
        _using.deadline = self
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        _using.deadline = None

    def watch(self, used: socket.socket | None) -> None:
        """Remember the socket that the request runs over."""
        self._socket = used
        if self.passed:
            self._end()

    def _end(self) -> None:
        self.passed = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def _watch(connection: Any) -> None:
    deadline: Deadline | None = getattr(_using, "deadline", None)
    if deadline is not None:
        deadline.watch(getattr(connection, "sock", None))


class _Watched:
    """Tells the thread's deadline which socket is about to be waited on."""

    def getresponse(self, *args: Any, **options: Any) -> Any:
        """Read the answer's head, watched."""
        _watch(self)
        return super().getresponse(*args, **options)  # type: ignore[misc]


class _Plain(_Watched, urllib3.connection.HTTPConnection):
    pass


class _Secure(_Watched, urllib3.connection.HTTPSConnection):
    pass


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


class Adapter(HTTPAdapter):
    """Connects with one shared TLS context instead of reading the CA bundle each time.

    The context trusts what the machine trusts (OpenSSL's defaults: SSL_CERT_FILE and the
    system's store), not a bundle that came with a library.
    """

    _context: ssl.SSLContext | None = None

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pool manager, with our connections and our context."""
        if Adapter._context is None:
            Adapter._context = ssl.create_default_context()
        super().init_poolmanager(*args, **options, ssl_context=Adapter._context)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Demand a valid certificate; the context knows by whom."""
        conn.cert_reqs = "CERT_REQUIRED" if url.lower().startswith("https") else "CERT_NONE"
