"""The one way out of a namespace without network: an HTTP proxy that leads to a few hosts.

The proxy listens on a socket in a folder; a `subreaper` in the namespace leads there what
connects to `subreaper.PORT` on its loopback. It takes GET and HEAD of plain addresses, and
CONNECT for TLS; where the environment names a proxy of this machine's own, it goes through that.
What could not be reached is remembered, so that nobody need read in a log whether a mirror was
down.
"""

from __future__ import annotations

import base64
import http.client
import os
import re
import select
import socket
import socketserver
import threading
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from io import BufferedIOBase
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from toolsync.system.subreaper import DOOR, PORT

ADDRESS = f"http://127.0.0.1:{PORT}"
"""The proxy's, inside."""
_SECONDS = 60.0
_HEAD = 64 * 1024
_CHUNK = 64 * 1024
_AT_ONCE = 16
_PORTS = (80, 443)
"""What may be asked of a host that is named without one."""
_REQUEST = re.compile(
    rb"(?:(GET|HEAD) http://([a-zA-Z0-9.-]{1,255})(?::(\d{1,5}))?(/[!-~]{0,4000})"
    rb"|(CONNECT) ([a-zA-Z0-9.-]{1,255}):(\d{1,5})) HTTP/1\.[01]\r?\n"
)
_PASSED_ON = frozenset(
    (
        *("accept", "accept-encoding", "cache-control", "if-modified-since", "if-none-match"),
        *("if-range", "range", "user-agent"),
    )
)
"""Fields of a request."""
_OWN = frozenset(
    (
        *("connection", "proxy-connection", "keep-alive", "te", "trailer", "upgrade"),
        *("transfer-encoding", "content-length", "proxy-authenticate"),
    )
)
"""Fields of an answer that are of one connection alone (RFC 9110, section 7.6.1)."""


class HostProxy:
    """Leads to ``hosts``: each a name, for the usual ports, or ``NAME:PORT``."""

    def __init__(self, hosts: Collection[str]) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self.missed: set[str] = set()
        """Hosts that may be reached and could not be."""
        self.refused: set[str] = set()
        """Hosts that were asked for and may not be reached."""
        self.free = threading.BoundedSemaphore(_AT_ONCE)

    def lets(self, host: str, port: int) -> bool:
        """Say whether a host may be reached."""
        name = host.lower()
        allowed = f"{name}:{port}" in self._hosts or (name in self._hosts and port in _PORTS)
        if not allowed:
            self.refused.add(f"{name}:{port}")
        return allowed


@contextmanager
def opened(folder: Path, hosts: Collection[str]) -> Iterator[HostProxy]:
    """Open a proxy in ``folder`` for the block."""
    proxy = HostProxy(hosts)
    inside = os.open(folder, os.O_PATH | os.O_DIRECTORY)  # a socket's name may not be long
    try:
        server = _Server(f"/proc/self/fd/{inside}/{DOOR}", _Client)
        server.proxy = proxy
        (folder / DOOR).chmod(0o600)  # for the subreaper, which is us, and no mapped user
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            server.server_close()
            (folder / DOOR).unlink(missing_ok=True)
    finally:
        os.close(inside)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    proxy: HostProxy


class _Client(socketserver.StreamRequestHandler):
    """One request, and no more of the same connection."""

    timeout = _SECONDS

    def handle(self) -> None:
        """Answer, or hang up."""
        server = self.server
        assert isinstance(server, _Server)
        with server.proxy.free:
            try:
                self._serve(server.proxy)
            except (OSError, http.client.HTTPException, ValueError):
                return

    def _serve(self, proxy: HostProxy) -> None:
        asked = _REQUEST.fullmatch(self.rfile.readline(_HEAD))
        fields = _fields(self.rfile)
        if asked is None:
            return self._say(405, "only GET, HEAD and CONNECT are taken here")
        method, host, port, path, connect, far, far_port = (
            (part or b"").decode("ascii") for part in asked.groups()
        )
        name, number = (far, int(far_port)) if connect else (host, int(port or 80))
        if not proxy.lets(name, number):
            return self._say(403, f"{name}:{number} may not be reached from here")
        try:
            far_link = _connected(name, number) if connect else _linked(name, number)
        except (OSError, http.client.HTTPException):
            proxy.missed.add(name)
            return self._say(502, f"{name}:{number} could not be reached")
        # From here on a failure may be the guest's own making, and is not remembered.
        with closing(far_link) as link:
            if isinstance(link, socket.socket):
                return self._tunnel(link)
            return self._pass_on(_asked(link, method, name, number, path, fields))

    def _pass_on(self, answer: http.client.HTTPResponse) -> None:
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
        lines += [f"{k}: {v}" for k, v in answer.getheaders() if k.lower() not in _OWN]
        if answer.length is not None:
            lines.append(f"Content-Length: {answer.length}")
        head = "\r\n".join([*lines, "Connection: close", "", ""])
        self.wfile.write(head.encode("latin-1"))
        while data := answer.read(_CHUNK):
            self.wfile.write(data)

    def _tunnel(self, far: socket.socket) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        far.settimeout(None)
        ends = {far: self.connection, self.connection: far}
        while ready := select.select(list(ends), [], [], 10 * _SECONDS)[0]:
            for end in ready:
                data = end.recv(_CHUNK)
                if not data:
                    return
                ends[end].sendall(data)

    def _say(self, status: int, text: str) -> None:
        body = f"{text}\n".encode()
        self.wfile.write(
            b"HTTP/1.1 %d Refused\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
            b"Connection: close\r\n\r\n%s" % (status, len(body), body)
        )


def _fields(source: BufferedIOBase) -> dict[str, str]:
    """Return the header fields that are passed on."""
    found: dict[str, str] = {}
    left = _HEAD
    while (line := source.readline(left)) not in (b"\r\n", b"\n", b""):
        left -= len(line)
        if left <= 0:
            raise ValueError("a head without an end")
        name, _, value = line.decode("latin-1").partition(":")
        if name.lower() in _PASSED_ON and len(value) < 1000:
            found[name] = value.strip()
    return found


def _linked(host: str, port: int) -> http.client.HTTPConnection:
    proxy = _proxy("http", host)
    place = proxy[0] if proxy else (host, port)
    link = http.client.HTTPConnection(*place, timeout=_SECONDS)
    link.connect()
    return link


def _asked(
    link: http.client.HTTPConnection,
    method: str,
    host: str,
    port: int,
    path: str,
    fields: dict[str, str],
) -> http.client.HTTPResponse:
    proxy = _proxy("http", host)
    target = f"http://{host}:{port}{path}" if proxy else path
    more = {"Host": host if port == 80 else f"{host}:{port}", **(proxy[1] if proxy else {})}
    link.request(method, target, headers={**fields, **more})
    return link.getresponse()


def _connected(host: str, port: int) -> socket.socket:
    proxy = _proxy("https", host)
    if not proxy:
        return socket.create_connection((host, port), timeout=_SECONDS)
    link = http.client.HTTPConnection(*proxy[0], timeout=_SECONDS)
    link.set_tunnel(host, port, headers=proxy[1])
    link.connect()
    taken = link.sock
    link.sock = None
    assert isinstance(taken, socket.socket)
    return taken


def _proxy(scheme: str, host: str) -> tuple[tuple[str, int], dict[str, str]] | None:
    """Return this machine's own proxy for a host, and how we are let in there."""
    named = getproxies().get(scheme, "")
    if not named or proxy_bypass(host):
        return None
    parts = urlsplit(named if "://" in named else f"http://{named}")
    secret = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    basic = "Basic " + base64.b64encode(secret.encode()).decode()
    return (
        (parts.hostname or "", parts.port or 80),
        {"Proxy-Authorization": basic} if parts.username else {},
    )
