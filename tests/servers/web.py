"""A small web server on the loopback for tests: real sockets, answers set at run time.

::

    with Web() as web:
        web.serve("/list", "<a href='a-1.0.tar.gz'>", etag='"1"')
        web.serve("/file", b"data", cut=2)                    # broken off after 2 bytes
        web.serve_each("/", Answer(status=503), Answer("up"))  # the last one stays
        web.serve_by("/any", lambda asked: Answer(asked.path))
        …
        assert web.asked[-1].headers["accept"] == "*/*"

It speaks HTTP/1.1 with keep-alive, answers conditional requests (If-None-Match,
If-Modified-Since) and byte ranges (Range, If-Range) as RFC 9110 wants them, and keeps what
it was sent by PUT and POST.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    """With its query, as on the wire."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = b""
    port: int = 0
    """The client's: the same for requests over one connection."""


@dataclass(frozen=True)
class Answer:
    """One answer; text is sent as UTF-8."""

    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    """Content-Type, ETag, Last-Modified, Location, … as given; Content-Length is made."""
    delay: float = 0.0
    """Seconds before the head is sent."""
    cut: int | None = None
    """Drop the connection after so many bytes of the body."""
    trickle: float = 0.0
    """Seconds before every byte of the body."""
    ranges: bool = True
    """Whether byte ranges are honored."""
    conditional: bool = True
    """Whether "not modified" may be said."""
    chunked: bool = False
    """Send chunked, so without a Content-Length."""

    @property
    def data(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else self.body


Answering = Callable[[Asked], Answer]


class Web:
    """The server; its context starts and stops it. Paths with a query go before those without."""

    def __init__(self, host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        """Every request, in the order of arrival."""
        self.closing = threading.Event()
        self._routes: dict[str, Answering] = {}
        self._rest: Answering | None = None
        self._lock = threading.Lock()
        self._server = _Server((host, 0), _Handler)
        self._server.web = self
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://{host}:{self._server.server_port}"
        """Without a slash at its end."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Web:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.drop_connections()
        self._server.server_close()
        self._thread.join()

    def serve(
        self,
        path: str,
        body: bytes | str = b"",
        *,
        status: int = 200,
        type: str = "text/html; charset=utf-8",  # noqa: A002
        etag: str = "",
        last_modified: str = "",
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
        cut: int | None = None,
        trickle: float = 0.0,
        ranges: bool = True,
        conditional: bool = True,
        chunked: bool = False,
    ) -> str:
        """Answer ``path`` like this from now on and return its full address."""
        named = {"Content-Type": type, "ETag": etag, "Last-Modified": last_modified}
        every = {name: value for name, value in named.items() if value} | dict(headers or {})
        answer = Answer(body, status, every, delay, cut, trickle, ranges, conditional, chunked)
        return self.serve_by(path, lambda asked: answer)

    def serve_each(self, path: str, *answers: Answer) -> str:
        """Give these answers one after the other; the last one stays."""
        left = list(answers)

        def take(asked: Asked) -> Answer:
            with self._lock:
                return left.pop(0) if len(left) > 1 else left[0]

        return self.serve_by(path, take)

    def serve_by(self, path: str, answering: Answering) -> str:
        """Let a function answer; it runs in the server's thread of that connection."""
        self._routes[path] = answering
        return self.url + path

    def serve_rest(self, answering: Answering) -> None:
        """Let a function answer every path that has no route of its own."""
        self._rest = answering

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        """Send whoever asks for ``path`` to the address ``to``."""
        return self.serve_by(path, lambda asked: Answer(status=status, headers={"Location": to}))

    def remove(self, path: str) -> None:
        """Answer 404 for ``path`` again."""
        self._routes.pop(path, None)

    def requests(self, path: str) -> list[Asked]:
        """Return the requests for ``path``, with or without a query."""
        return [a for a in self.asked if a.path == path or urlsplit(a.path).path == path]

    def answer(self, asked: Asked) -> Answer:
        """Note a request and return what its route says, made conditional and partial."""
        with self._lock:
            self.asked.append(asked)
        route = self._routes.get(asked.path) or self._routes.get(urlsplit(asked.path).path)
        route = route or self._rest
        if route is None:
            return Answer("not here", 404, {"Content-Type": "text/plain"})
        return _partial(asked, _conditional(asked, route(asked)))


def _conditional(asked: Asked, answer: Answer) -> Answer:
    etag, since = _validators(answer)
    wanted = asked.headers.get("if-none-match")
    if wanted is not None:
        same = bool(etag) and etag.removeprefix("W/") in [
            tag.strip().removeprefix("W/") for tag in wanted.split(",")
        ]
    else:
        same = bool(since) and asked.headers.get("if-modified-since") == since
    if same and answer.conditional and answer.status == 200:
        return replace(answer, body=b"", status=304)
    return answer


def _partial(asked: Asked, answer: Answer) -> Answer:
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("range", ""))
    if match is None or not answer.ranges or answer.status != 200:
        return answer
    condition, (etag, since) = asked.headers.get("if-range"), _validators(answer)
    strong = "" if etag.startswith("W/") else etag
    if condition is not None and condition not in {v for v in (strong, since) if v}:
        return answer
    data, first = answer.data, int(match[1])
    if first >= len(data):
        span = {"Content-Range": f"bytes */{len(data)}"}
        return replace(answer, body=b"", status=416, headers={**answer.headers, **span})
    last = min(int(match[2] or len(data)), len(data) - 1)
    span = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
    body = data[first : last + 1]
    return replace(answer, body=body, status=206, headers={**answer.headers, **span})


def _validators(answer: Answer) -> tuple[str, str]:
    lower = {name.lower(): value for name, value in answer.headers.items()}
    return lower.get("etag", ""), lower.get("last-modified", "")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    web: Web

    def __init__(self, *args: object) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(*args)  # type: ignore[arg-type]

    def process_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        self._connections.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        for connection in tuple(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is nothing to print about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together
    disable_nagle_algorithm = True
    server: _Server

    def _respond(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(
            method=self.command,
            path=self.path,
            headers=headers,
            body=self.rfile.read(length),
            port=self.client_address[1],
        )
        answer = self.server.web.answer(asked)
        self.server.web.closing.wait(answer.delay)
        self._head(answer)
        if self.command != "HEAD" and answer.status not in (204, 304):
            self._body(answer)
        self.wfile.flush()
        if answer.cut is not None:
            self.close_connection = True

    # The names that the standard library looks methods up by.
    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _respond  # noqa: N815

    def _head(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif "content-length" not in {name.lower() for name in answer.headers}:
            self.send_header("Content-Length", str(len(answer.data)))
        self.end_headers()

    def _body(self, answer: Answer) -> None:
        for piece in _pieces(answer):
            if answer.trickle:
                self.wfile.flush()
                self.server.web.closing.wait(answer.trickle)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if answer.chunked else piece)
        if answer.chunked and answer.cut is None:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Requests are kept, not printed."""


def _pieces(answer: Answer) -> Iterator[bytes]:
    data = answer.data if answer.cut is None else answer.data[: answer.cut]
    step = 1 if answer.trickle else 64 * 1024
    for start in range(0, len(data), step):
        yield data[start : start + step]
