"""The pages and the service as two users of this machine, as their units have them; for root."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.rig import Rig, environment
from toolsync.system.door import ASKER, SOCKET
from toolsync.web.setup import OWN

SERVICE, PAGES = "nobody", "www-data"
"""Users that every Debian has, in place of ``toolsync`` and ``toolsync-web``."""


def as_user(name: str, words: Sequence[str], group: str = "") -> list[str]:
    """Return the command line that runs ``words`` as a user, with one more ``group`` of another."""
    user = pwd.getpwnam(name)
    more = f"--groups={pwd.getpwnam(group).pw_gid}" if group else "--clear-groups"
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", more, *words]


def as_pages(words: Sequence[str]) -> list[str]:
    """Return the command line that runs ``words`` with the rights of the pages."""
    return as_user(PAGES, words, SERVICE)


def parted(rig: Rig) -> None:
    """Give a set-up's state to the service, and let its group read it."""
    service = pwd.getpwnam(SERVICE)
    rig.root.chmod(0o755)
    for folder, mode in ((rig.state, 0o2755), (rig.work, 0o755)):
        folder.mkdir()
        os.chown(folder, service.pw_uid, service.pw_gid)
        folder.chmod(mode)
    own = rig.root / "web"
    own.mkdir(mode=0o700)
    os.chown(own, pwd.getpwnam(PAGES).pw_uid, -1)


@contextmanager
def door(rig: Rig) -> Iterator[Path]:
    """Start ``toolsync errand`` as the service for each connection, as systemd with Accept=yes."""
    place = rig.root / "errand.sock"
    listens = socket.socket(socket.AF_UNIX)
    listens.bind(str(place))
    place.chmod(0o600)
    os.chown(place, pwd.getpwnam(PAGES).pw_uid, -1)
    listens.listen(8)
    words, env = as_user(SERVICE, rig.argv("errand")), environment() | {ASKER: PAGES}

    def accept() -> None:
        while True:
            try:
                link, _ = listens.accept()
            except OSError:
                return
            with link:
                subprocess.run(words, stdin=link.fileno(), env=env)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield place
    finally:
        listens.shutdown(socket.SHUT_RDWR)
        listens.close()
        thread.join(60)
        place.unlink()


@contextmanager
def running(words: Sequence[str], said: str, env: Mapping[str, str]) -> Iterator[None]:
    """Let a program run for the block, from when it has said something on."""
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env={**env})
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert said in line, line + process.stderr.read()
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@contextmanager
def keeper(rig: Rig) -> Iterator[None]:
    """Let ``toolsync keep`` run as the service."""
    with running(as_user(SERVICE, rig.argv("keep")), "keeping", environment()):
        yield


@contextmanager
def pages(rig: Rig, there: Path, **more: str) -> Iterator[str]:
    """Let ``toolsync serve`` run with the rights of the pages, and give where it listens.

    ``more`` is what its environment has beside that of all.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    env = environment() | {SOCKET: str(there), OWN: str(rig.root / "web")} | more
    with running(as_pages(rig.argv("serve", "--listen", place)), place, env):
        yield place


@contextmanager
def apart(rig: Rig, **more: str) -> Iterator[str]:
    """Let all of it run, and give where the pages are, whose environment has ``more``."""
    with ExitStack() as stack:
        stack.enter_context(keeper(rig))
        yield stack.enter_context(pages(rig, stack.enter_context(door(rig)), **more))


_REACHES = """
import os, sys
for top, folders, files in os.walk(sys.argv[1]):
    for path in [os.path.join(top, name) for name in files] + [top]:
        if os.access(path, os.W_OK):
            print("writes", os.path.relpath(path, sys.argv[1]))
        if os.path.isfile(path) and os.access(path, os.R_OK):
            print("reads", os.path.relpath(path, sys.argv[1]))
"""


def reached(folder: Path) -> tuple[set[str], set[str]]:
    """Return what the pages' user can read, and what it can write, below a folder."""
    words = as_pages([sys.executable, "-c", _REACHES, str(folder)])
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found = [line.partition(" ") for line in done.stdout.splitlines()]
    reads = {path for kind, _, path in found if kind == "reads"}
    return reads, {path for kind, _, path in found if kind == "writes"}


def soon(seconds: float = 20) -> Iterator[None]:
    """Give turns until something is so, or fail."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.1)
    raise AssertionError(f"it was not so within {seconds} s")
