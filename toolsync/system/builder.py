"""Let another service run the programs that map users, where our own service may not.

toolsync.service is closed so far that nothing in it can make a user namespace. What needs one
runs in toolsync-builder@.service: systemd starts an instance of it for each connection to the
socket that TOOLSYNC_BUILDER names. The asking side hands over its own stdout and stderr with
the command line, waits for the exit status, and ends with the same; when it is killed, the
connection ends, and with it the program's isolation. docs/adr/ tells why.

As a program, ``ask SOCKET ROOM PROGRAM…`` is the asking side, no arguments the service's.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if not __package__:  # as a program of its own, which Python's -I keeps from finding the rest
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

if TYPE_CHECKING:
    from toolsync.system.isolation import Isolation, Way

SOCKET = "TOOLSYNC_BUILDER"
"""Environment variable that names the builder's socket; without it all programs run here."""

PROGRAMS = frozenset({"arch-test", "autopkgtest", "bwrap", "mmdebstrap", "sbuild", "unshare"})
"""What needs user namespaces, or system calls of 32 bits, and all that a builder runs."""

_REQUEST_LIMIT = 1024 * 1024
_NO_ANSWER = 125
"""Exit status for a builder that did not answer, as env(1) and others have it."""


def way(program: str, environment: Mapping[str, str], isolation: Isolation) -> Way:
    """Return how a program is started in its isolation: here, or by the builder."""
    from toolsync.system import isolation as isolations

    place = environment.get(SOCKET)
    if not place or program.rpartition("/")[2] not in PROGRAMS:
        return isolations.way(program, isolation)
    wanted = json.dumps(asdict(isolation), default=str)
    words = (sys.executable, "-I", __file__, "ask", place, wanted)
    return isolations.Way((*isolations.dying_with_us("KILL"), *words), nested=False)


def ask(place: str, isolation: str, argv: Sequence[str]) -> int:
    """Have the builder run a program with our stdout, stderr, folder and environment.

    When we are told to end (SIGTERM) we wait until it has ended the program there.
    """
    environment = {key: value for key, value in os.environ.items() if key != SOCKET}
    given = {"argv": list(argv), "cwd": str(Path.cwd()), "env": environment}
    request = json.dumps({**given, "isolation": json.loads(isolation)}).encode()
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(place)

            def end(*_: object) -> None:
                with suppress(OSError):
                    link.shutdown(socket.SHUT_WR)

            signal.signal(signal.SIGTERM, end)
            socket.send_fds(link, [struct.pack("!I", len(request))], [1, 2])
            link.sendall(request)
            answer = link.makefile("rb").readline(1024)
    except OSError as error:
        return _complain(f"the builder at {place} does not answer: {error.strerror}")
    if not answer:
        return _complain(f"the builder at {place} ended before {argv[0]} did; see its journal")
    status = int(json.loads(answer)["status"])
    return status if status >= 0 else 128 - status


def serve(link: socket.socket) -> None:
    """Run the one program that ``link`` asks for, and answer with its exit status.

    Only our own user may ask, whatever the mode of the socket's file.
    """
    credentials = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    if uid != os.geteuid():
        raise PermissionError(f"user {uid} asked, wanted user {os.geteuid()}")
    request, handles = _received(link)
    argv = [str(word) for word in request["argv"]]
    if argv[0].rpartition("/")[2] not in PROGRAMS:
        raise PermissionError(f"{argv[0]} is not run here; these are: {sorted(PROGRAMS)}")
    from toolsync.system import isolation as isolations
    from toolsync.system import private

    wanted = dict(request["isolation"])
    proxy = wanted.pop("proxy")
    isolation = isolations.Isolation(**wanted, proxy=Path(proxy) if proxy else None)
    way = isolations.way(argv[0], isolation)
    process = subprocess.Popen(
        [*way.words, *argv],
        cwd=request["cwd"],
        env=request["env"],
        stdin=subprocess.DEVNULL,
        stdout=handles[0],
        stderr=handles[1],
        start_new_session=True,
        umask=private.UMASK,
    )
    for handle in handles:
        os.close(handle)
    _wait(process, link)
    isolations.end(process, nested=way.nested)
    with suppress(OSError):  # whoever asked is gone
        link.sendall(json.dumps({"status": process.returncode}).encode() + b"\n")


def _received(link: socket.socket) -> tuple[dict[str, Any], list[int]]:
    head, handles, _, _ = socket.recv_fds(link, 4, 2)
    size = struct.unpack("!I", head)[0] if len(head) == 4 else 0
    if not 0 < size <= _REQUEST_LIMIT or len(handles) != 2:
        raise ValueError(f"a request of {size} bytes with {len(handles)} files")
    data = bytearray()
    while len(data) < size:
        chunk = link.recv(size - len(data))
        if not chunk:
            raise ValueError("a request that ends too early")
        data += chunk
    return json.loads(data), handles


def _wait(process: subprocess.Popen[bytes], link: socket.socket) -> None:
    """Return when the program has ended, or when whoever asked is gone or wants no more."""
    ended = os.pidfd_open(process.pid)
    try:
        select.select([ended, link.fileno()], [], [])
    finally:
        os.close(ended)


def _complain(text: str) -> int:
    sys.stderr.write(f"toolsync: {text}\n")
    return _NO_ANSWER


def main(words: Sequence[str]) -> int:
    """Ask or serve, as the words say; return the exit status."""
    from toolsync.model.errors import ToolsyncError

    if words[:1] == ["ask"]:
        return ask(words[1], words[2], words[3:])
    try:
        with socket.socket(fileno=os.dup(0)) as link:
            serve(link)
    except (OSError, ValueError, KeyError, TypeError, ToolsyncError) as error:
        return _complain(f"refused: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
