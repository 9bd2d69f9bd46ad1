"""Ask for an errand over a socket, and answer whoever may ask.

The pages themselves hold no key and take no lock. What a reviewer asks for is done by a process of
its own, ``toolsync errand``: one that the pages start, or, where TOOLSYNC_DOOR names a socket, one
that systemd starts for each connection, with the rights that the pages lack.

A question is one line of JSON, and so is each thing that is told of it: ``{"told": TEXT}`` any
number of times, then ``{"done": …}``. Who answers holds the question for hostile.
"""

from __future__ import annotations

import json
import os
import pwd
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from toolsync.model.errors import SetupError, TookTooLong, Unreachable, UsageError
from toolsync.system import stop
from toolsync.system.isolation import dying_with_us

SOCKET = "TOOLSYNC_DOOR"
"""Environment variable that names the socket; without it we start the process ourselves."""
LARGEST = 64 * 1024
"""Bytes of a question."""
WEB_USER = "toolsync-web"
"""Who may ask beside ourselves and root, where this machine has such a user."""
ASKER = "TOOLSYNC_DOOR_USER"
"""Environment variable that names another user in its place; whoever starts us sets it."""
_ANSWER = 4 * 1024 * 1024
_PATIENCE = 10.0
"""Seconds in which a question must have come."""
Tell = Callable[[str], None]
Object = Mapping[str, object]


def ask(question: Object, words: Sequence[str], tell: Tell, seconds: float) -> Object:
    """Return what came of an errand; ``tell`` is given what is told meanwhile.

    ``words`` start the process that does it where no socket is named. Raises SetupError where
    nobody answers, Unreachable where the answer breaks off, TookTooLong after ``seconds``.
    """
    end = time.monotonic() + seconds
    with _opened(words) as link:
        try:
            link.sendall(json.dumps(question).encode() + b"\n")
            for line in _lines(link, _ANSWER, end):
                found = _object(line)
                if isinstance(done := found.get("done"), dict):
                    return done
                tell(str(found.get("told", ""))[:1000])
        except TimeoutError as error:
            raise TookTooLong(
                f"it was not done within {seconds:.0f} seconds, and was given up",
                resolution="See what toolsync does: toolsync log. Then ask again.",
            ) from error
        except (OSError, ValueError) as error:
            raise Unreachable(
                f"what was asked for broke off: {error}", resolution="See the log, and ask again."
            ) from error
    raise Unreachable(
        "what was asked for ended without a word of what came of it",
        resolution="See the journal of toolsync-errand, and ask again.",
    )


def answer(
    link: socket.socket, do: Callable[[Object, Tell], Object], may: Collection[int] = ()
) -> None:
    """Do the one errand that ``link`` asks for and answer with what ``do`` returns.

    Only our own user, root, ``may`` and the user of the pages may ask, whatever the mode of the
    socket's file. Raises UsageError for anybody else, and for what is no question.
    """
    uid = peer_of(link)
    if uid not in {os.geteuid(), 0, *may, *_web_user()}:
        raise UsageError(f"user {uid} may not ask", resolution=f"Ask as the user {WEB_USER}.")
    try:
        question = _object(next(_lines(link, LARGEST, time.monotonic() + _PATIENCE), b""))
    except (OSError, ValueError) as error:
        raise UsageError(f"this is no question: {error}") from error

    link.settimeout(_PATIENCE)
    say = _said_to(link)
    done = do(question, lambda text: say({"told": text[:1000]}))
    say({"done": done})


def _said_to(link: socket.socket) -> Callable[[Object], None]:
    """Return what tells whoever asked; one that reads nothing holds us up once, and no more.

    What is begun is ended all the same. After a line that was sent by half nothing follows.
    """
    listens = True

    def say(line: Object) -> None:
        nonlocal listens
        if not listens:
            return
        try:
            link.sendall(json.dumps(line).encode() + b"\n")
        except OSError:
            listens = False

    return say


def given() -> socket.socket:
    """Return the connection that is our standard input; raise UsageError where that is none."""
    try:
        link = socket.socket(fileno=os.dup(0))
        if link.family == socket.AF_UNIX:
            return link
        link.close()
    except OSError:
        pass
    raise UsageError(
        "the standard input is no socket that somebody asks through",
        resolution="toolsync serve and toolsync-errand.socket start this; see docs/howto/web.md.",
    )


def peer_of(link: socket.socket) -> int:
    """Return the user at the other end (SO_PEERCRED, unix(7))."""
    found = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", found)[1])


def pages_user() -> str:
    """Return the name of the pages' user, whether this machine has it or not."""
    return os.environ.get(ASKER) or WEB_USER


def _web_user() -> Iterator[int]:
    with suppress(KeyError):
        yield pwd.getpwnam(pages_user()).pw_uid


@contextmanager
def _opened(words: Sequence[str]) -> Iterator[socket.socket]:
    """Give a connection to a process that does an errand."""
    if place := os.environ.get(SOCKET, ""):
        with socket.socket(socket.AF_UNIX) as link:
            try:
                link.connect(place)
            except OSError as error:
                raise SetupError(
                    f"nobody answers at {place}: {error.strerror}",
                    resolution="Start it anew: systemctl restart toolsync-errand.socket",
                ) from error
            yield link
        return
    ours, theirs = socket.socketpair()
    with ours, theirs:
        tied = (*dying_with_us("TERM"), *words)
        process = subprocess.Popen(tied, stdin=theirs.fileno(), stdout=subprocess.DEVNULL)
        theirs.close()
        try:
            with stop.ended_by(process.terminate):
                yield ours
        finally:
            ours.close()
            _ended(process)


def _ended(process: subprocess.Popen[bytes]) -> None:
    """See that a process of ours ends; it has its time, since it may be publishing."""
    for act in (process.poll, process.terminate, process.kill):
        act()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
            return


def _lines(link: socket.socket, most: int, end: float) -> Iterator[bytes]:
    """Yield the lines that come until ``end``; raise ValueError for one longer than ``most``."""
    data = b""
    while True:
        link.settimeout(max(0.01, end - time.monotonic()))
        chunk = link.recv(65536)
        if not chunk:
            return
        data += chunk
        *lines, data = data.split(b"\n")
        yield from lines
        if len(data) > most:
            raise ValueError(f"a line of more than {most} bytes")


def _object(line: bytes) -> dict[str, object]:
    try:
        found = json.loads(line)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("it is no object")  # noqa: TRY004 (of what somebody sent)
    return found
