"""A small FTP server on the loopback for tests: files in memory, faults set at run time."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Mapping
from types import TracebackType


class Ftp:
    """The server; its context starts and stops it. ``files`` maps paths to what they hold."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.asked: list[str] = []
        """Every command, in the order of arrival."""
        self.cut: int | None = None
        """End each transfer after so many bytes, as if it were whole."""
        self.trickle = 0.0
        """Seconds before each byte of a transfer."""
        self.lines: list[str] = []
        """What LIST says of every folder, in place of its files."""
        self.missing: set[str] = set()
        """Commands that it does not know."""
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.ftp = self
        self.url = f"ftp://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Ftp:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def listing(self, folder: str, *, long: bool) -> bytes:
        """Return what LIST or NLST says of a folder."""
        prefix = folder.rstrip("/") + "/"
        below = [path.removeprefix(prefix) for path in self.files if path.startswith(prefix)]
        names = dict.fromkeys(path.partition("/")[0] for path in below)
        lines = list(self.lines)
        for name in () if lines else names:
            mode = "-rw-r--r--" if name in below else "drwxr-xr-x"
            lines.append(f"{mode}   1 ftp      ftp          4096 Jan  5  2024 {name}")
        if not long:
            lines = list(names)
        return "".join(f"{line}\r\n" for line in ["total 8", *lines][not long :]).encode()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    ftp: Ftp


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.folder, self.data = "/", socket.create_server(("127.0.0.1", 0))
        self._say("220 hello")
        while line := self.rfile.readline(4096):
            command, _, word = line.decode().strip().partition(" ")
            self.server.ftp.asked.append(f"{command} {word}".strip())
            act = getattr(self, f"_{command.lower()}", None)
            if act is None or command in self.server.ftp.missing:
                self._say("502 not known")
            else:
                act(word)

    def finish(self) -> None:
        self.data.close()
        super().finish()

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def _path(self, word: str) -> str:
        return "/" + "/".join(p for p in f"{self.folder}/{word}".split("/") if p)

    def _user(self, word: str) -> None:
        self._say("331 password, please")

    def _pass(self, word: str) -> None:
        self._say("230 come in" if self.server.ftp.files else "530 not you")

    def _type(self, word: str) -> None:
        self._say("200 so be it")

    def _cwd(self, word: str) -> None:
        path = "/" + word.strip("/")
        if not any(name.startswith(f"{path}/") for name in self.server.ftp.files):
            self._say("550 no such folder")
            return
        self.folder = path
        self._say("250 there")

    def _size(self, word: str) -> None:
        found = self.server.ftp.files.get(self._path(word))
        self._say("550 no such file" if found is None else f"213 {len(found)}")

    def _pasv(self, word: str) -> None:
        self.data.close()
        self.data = socket.create_server(("127.0.0.1", 0))
        port = self.data.getsockname()[1]
        self._say(f"227 here (127,0,0,1,{port >> 8},{port & 255})")

    def _list(self, word: str) -> None:
        self._send(self.server.ftp.listing(self.folder, long=True))

    def _nlst(self, word: str) -> None:
        self._send(self.server.ftp.listing(self.folder, long=False))

    def _retr(self, word: str) -> None:
        found = self.server.ftp.files.get(self._path(word))
        if found is None:
            self._say("550 no such file")
        else:
            self._send(found)

    def _send(self, data: bytes) -> None:
        self._say("150 it comes")
        ftp = self.server.ftp
        connection, _ = self.data.accept()
        with connection:
            data = data[: ftp.cut]
            try:
                for byte in data if ftp.trickle else ():
                    connection.sendall(bytes((byte,)))
                    time.sleep(ftp.trickle)
                connection.sendall(b"" if ftp.trickle else data)
            except OSError:
                return
        self._say("226 that was all")
