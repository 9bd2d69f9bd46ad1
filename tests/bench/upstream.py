"""A vendor with very many release pages, in a process of its own: cheap, slow to answer.

``python -m tests.bench.upstream PORT-FILE [CERTIFICATE]`` serves any path until its stdin is
closed: a page of 51 KB with 200 links after 100 ms, over keep-alive connections, with an ETag that
is honored; over TLS where a certificate (with its key) is named.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path

LATENCY = 0.1
"""Seconds before each answer."""
LINKS = 200
SIZE = 51_000
"""Bytes of a page."""
ETAG = b'"5e1c-v1"'


HALF = "half/"
"""Below this folder every second file of a page is another tool's."""


def body(*, half: bool = False) -> bytes:
    """Return the page: versions 1.0.0 to 1.19.9 in a listing, filled up to its size."""
    rows = [
        f'<tr><td><a href="tool-1.{n // 10}.{n % 10}.tar.gz">tool-1.{n // 10}.{n % 10}.tar.gz</a>'
        f'</td><td align="right">2026-01-01 10:{n % 60:02}</td><td align="right">1.2M</td></tr>\n'
        for n in range(LINKS)
    ]
    if half:
        rows[::2] = [row.replace("tool-", "else-") for row in rows[::2]]
    head, foot = (
        "<html><head><title>Index</title></head><body><table>\n",
        "</table></body></html>\n",
    )
    spare = SIZE - len(head) - len(foot) - sum(map(len, rows))
    pad = spare // LINKS
    rows = [row[:-6] + "<td>" + "x" * (pad - 9) + "</td></tr>\n" for row in rows]
    return (head + "".join(rows) + foot).encode()


class _Page(asyncio.Protocol):
    def __init__(self, full: bytes, half: bytes, same: bytes) -> None:
        self._full, self._half, self._same = full, half, same
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while b"\r\n\r\n" in self._heard:
            head, _, self._heard = self._heard.partition(b"\r\n\r\n")
            page = self._half if f"/{HALF}".encode() in head else self._full
            answer = self._same if b"if-none-match: " + ETAG in head.lower() else page
            asyncio.get_running_loop().call_later(LATENCY, self._answer, answer)

    def _answer(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def _serve(port_file: Path, certificate: Path | None) -> None:
    page, half = body(), body(half=True)
    head = b"Server: bench\r\nDate: Sat, 21 Nov 2026 08:00:00 GMT\r\nETag: %b\r\n" % ETAG
    kind = b"Content-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n" % len(page)
    above = b"HTTP/1.1 200 OK\r\n" + head + kind + b"\r\n"  # both have the same size
    same = b"HTTP/1.1 304 Not Modified\r\n" + head + b"\r\n"
    loop = asyncio.get_running_loop()
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    server = await loop.create_server(
        lambda: _Page(above + page, above + half, same), "127.0.0.1", 0, backlog=512, ssl=context
    )
    port_file.write_text(str(server.sockets[0].getsockname()[1]))
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else None))
