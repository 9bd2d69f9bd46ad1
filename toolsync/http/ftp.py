"""Read listings and files by FTP (RFC 959), within the limits that requests by HTTP have.

It is for upstreams that have nothing else. There is no TLS, no digest and no way to tell whether
a file has changed, so what comes proves nothing of itself and begins afresh at each try. A
listing is given as the page of links that a web server would make of it.
"""

from __future__ import annotations

import ftplib
import html
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from socket import socket
from urllib.parse import quote, unquote, urlsplit

from toolsync.http.egress import current
from toolsync.http.failures import Transient, broken_off, too_large
from toolsync.model.errors import NotThere, SetupError, Unreachable
from toolsync.system import deadline
from toolsync.system.headers import bare, plain

_CHUNK = 64 * 1024
_UNIX = re.compile(
    r"[-a-z][-rwxsStTlL]{9}\S*(?:\s+\S+){3,4}\s+"
    r"(?:[^\W\d]+\.?\s+\d+\s+[\d:]+|\d{4}-\d\d-\d\d\s+[\d:]+) (?P<name>.+)"
)
_DOS = re.compile(r"[\d-]{8,10}\s+[\d:]{5}[AP]M\s+(?:<DIR>|\d+)\s+(?P<name>.+)")
Take = Callable[[bytes], object]


def listing(url: str, *, limit: int, timeout: float) -> tuple[str, bytes]:
    """Return a folder's address and its listing as HTML, or those of a file and its bytes.

    ``limit`` is in bytes, ``timeout`` bounds each wait in seconds. Raises NotThere, Unreachable,
    or Hostile for more than ``limit``.
    """
    with _connected(url, timeout) as (ftp, path):
        try:
            if path:
                ftp.cwd(path)
        except ftplib.error_perm:
            if url.endswith("/"):
                raise
            return url, b"".join(_data(ftp, f"RETR {path}", url, limit))
        try:
            long, text = True, b"".join(_data(ftp, "LIST", url, limit))
        except ftplib.error_perm:
            long, text = False, b"".join(_data(ftp, "NLST", url, limit))
    folder = url if url.endswith("/") else f"{url}/"
    return folder, _page(text.decode("utf-8", "replace"), long=long).encode()


def retrieve(url: str, begin: Callable[[int | None], Take], *, limit: int, timeout: float) -> None:
    """Give a file's bytes to what ``begin`` returns, which is told the size where it is known.

    Raises as `listing` does, and Unreachable for a file that is cut short.
    """
    with _connected(url, timeout) as (ftp, path):
        folder, _, name = path.rpartition("/")
        if folder:
            ftp.cwd(folder)
        total = _size(ftp, name)
        if total is not None and total > limit:
            raise too_large(url, limit)
        done, take = 0, None
        for chunk in _data(ftp, f"RETR {name}", url, limit):
            take = take or begin(total)
            done += len(chunk)
            take(chunk)
        if take is None:
            begin(total)
    if total is not None and done != total:
        raise broken_off(url, done, total)


@contextmanager
def _connected(url: str, timeout: float) -> Iterator[tuple[ftplib.FTP, str]]:
    """Yield a connection that is logged in, and the path of what is asked for."""
    try:
        parts = urlsplit(url)
        host, port, path = parts.hostname or "", parts.port or ftplib.FTP_PORT, unquote(parts.path)
    except ValueError as error:
        raise SetupError(f"{bare(url)} is no address: {error}") from error
    if not path.isprintable():
        raise SetupError(f"{bare(url)} is no address: its path has characters that none has")
    ftp = ftplib.FTP(timeout=timeout)  # noqa: S321 (see above: nothing is trusted for it)
    try:
        with closing(ftp):
            _connect(ftp, host, port)
            deadline.watch(ftp.sock)
            ftp.login(unquote(parts.username or ""), unquote(parts.password or ""))
            ftp.voidcmd("TYPE I")
            yield ftp, path.rstrip("/") if path != "/" else ""
    except ftplib.error_perm as error:
        kind = NotThere if str(error).startswith("55") else Unreachable
        raise kind(
            f"{bare(url)} answered {_said(error)}",
            resolution="Look at the address with an FTP client; it may have moved.",
        ) from error
    except (ftplib.Error, EOFError, UnicodeError) as error:
        raise Transient(f"{bare(url)} could not be read by FTP: {_said(error)}") from error


def _connect(ftp: ftplib.FTP, host: str, port: int) -> None:
    """Connect to one of the addresses that a page may lead to; raises the last one's OSError."""
    egress = current()
    addresses = egress.permitted(host, port) if egress else [host]
    for number, address in enumerate(addresses, 1):
        try:
            ftp.connect(address, port)
        except OSError:
            if number == len(addresses):
                raise
        else:
            return


def _data(ftp: ftplib.FTP, command: str, url: str, limit: int) -> Iterator[bytes]:
    """Yield what a command sends over its own connection."""
    done = 0
    data: socket
    data, _ = ftp.ntransfercmd(command)
    with data:
        deadline.watch(data)
        while chunk := data.recv(_CHUNK):
            done += len(chunk)
            if done > limit:
                raise too_large(url, limit)
            yield chunk
    deadline.watch(ftp.sock)
    ftp.voidresp()


def _size(ftp: ftplib.FTP, name: str) -> int | None:
    try:
        return ftp.size(name)
    except (ftplib.error_perm, ValueError):
        return None  # the command is younger than many servers (RFC 3659)


def _page(text: str, *, long: bool) -> str:
    """Return a listing as a page of links; folders of a ``long`` one end with a slash."""
    links = []
    for line in text.splitlines():
        found = (_UNIX.fullmatch(line) or _DOS.fullmatch(line)) if long else None
        name = found["name"] if found else line.rpartition(" ")[2] if long else line
        name = name.partition(" -> ")[0].strip()
        if name in ("", ".", "..") or (not found and line.startswith("total ")):
            continue
        is_folder = found and (line.startswith("d") or "<DIR>" in line)
        links.append(f"{quote(name, safe='+~')}{'/' if is_folder else ''}")
    rows = "".join(f'<a href="{link}">{html.escape(unquote(link))}</a>\n' for link in links)
    return f"<html><body>\n{rows}</body></html>\n"


def _said(error: Exception) -> str:
    return plain(" ".join(str(error).split()), 200) or type(error).__name__
