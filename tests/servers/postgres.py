"""A PostgreSQL server on a socket of its own, as an ordinary user; each journal a schema of its."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=16MB")


@dataclass(slots=True)
class Postgres:
    """A server that runs; it can be killed and started anew."""

    folder: Path
    process: subprocess.Popen[bytes]

    def url(self, schema: str = "public") -> str:
        """Return the address of a journal."""
        host = quote(str(self.folder), safe="")
        options = f"&options=-csearch_path%3D{schema}"
        return f"postgresql+psycopg://toolsync@/postgres?host={host}{options}"

    def fresh(self) -> str:
        """Return the address of an empty journal of its own."""
        schema = f"s{secrets.token_hex(6)}"
        self.run(f"CREATE SCHEMA {schema}")
        return self.url(schema)

    def kill(self) -> None:
        """Kill the server as a power cut would, but for the disk."""
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        """Start it on what it has left; its last processes may need a moment to go."""
        for _ in range(100):
            self.process = _started(self.folder)
            with suppress(AssertionError):
                _wait(self.folder, self.process)
                return
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text())

    def run(self, sql: str) -> None:
        """Run statements as the database's owner."""
        import psycopg

        with psycopg.connect(_plain(self.url()), autocommit=True) as connection:
            connection.execute(sql)


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg:", "postgresql:")


def _programs() -> Path:
    """Return the folder of the newest server's programs; Debian keeps them out of PATH."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[4])
    )
    assert found, "PostgreSQL is not installed: apt install postgresql"
    return found[-1].parent


def _as_user() -> list[str]:
    """Return what goes before a command so that an ordinary user runs it, and no longer than us."""
    also = ["--pdeathsig", "INT"]
    if os.geteuid():
        return ["setpriv", *also]
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *also]


def require_psycopg() -> None:
    """Skip the test where psycopg is not installed yet; where all must run it is missed."""
    if "CI" not in os.environ:
        pytest.importorskip("psycopg", reason="make test installs it")


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server for the block."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a socket's path has at most 107 bytes
    if not os.geteuid():
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
    data, programs = folder / "data", _programs()
    try:
        subprocess.run(
            [
                *(*_as_user(), str(programs / "initdb"), "-D", str(data), "-U", "toolsync"),
                *("-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd="/",
        )
        server = Postgres(folder, _started(folder))
        try:
            _wait(folder, server.process)
            yield server
        finally:
            server.process.send_signal(signal.SIGQUIT)
            server.process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path) -> subprocess.Popen[bytes]:
    settings = [word for setting in _FAST for word in ("-c", setting)]
    program, data = _programs() / "postgres", folder / "data"
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [*_as_user(), program, "-D", data, "-k", folder, "-h", "", *settings],
            stdout=log,
            stderr=log,
            cwd="/",
        )


def _wait(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    for _ in range(300):
        if "ready to accept connections" in (folder / "log").read_text():
            return
        assert process.poll() is None, (folder / "log").read_text()
        time.sleep(0.05)
    raise AssertionError((folder / "log").read_text())
