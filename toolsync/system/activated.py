"""What systemd and a service of ours tell each other: sockets, and that it is ready.

See sd_listen_fds(3) and sd_notify(3); neither needs its library.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

_FIRST, _MOST = 3, 8
"""The first descriptor that is handed over, and how many are taken."""


def given_sockets() -> list[socket.socket]:
    """Return the sockets that systemd hands over, none where it does not; they are given once."""
    number = os.environ.pop("LISTEN_FDS", "")
    if os.environ.pop("LISTEN_PID", "") != str(os.getpid()) or not number.isdecimal():
        return []
    found = [socket.socket(fileno=_FIRST + n) for n in range(min(int(number), _MOST))]
    for one in found:
        one.set_inheritable(False)
    return found


def name_of(given: socket.socket) -> str:
    """Return where a socket listens: ADDRESS:PORT, or unix:PATH."""
    at = given.getsockname()
    return f"unix:{at}" if given.family == socket.AF_UNIX else f"{at[0]}:{at[1]}"


def tell_ready() -> None:
    """Tell systemd that who waits for this service may begin (``Type=notify``); told once."""
    place = os.environ.pop("NOTIFY_SOCKET", "")
    if place.startswith(("/", "@")):
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
            link.sendto(b"READY=1", place.replace("@", "\0", 1))
