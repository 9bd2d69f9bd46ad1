"""Write to systemd's journal with fields, where our stderr is connected to it.

The native protocol is one datagram per entry (systemd.io/JOURNAL_NATIVE_PROTOCOL): lines of
``NAME=value``, or for a value of several lines the name, its length in 8 bytes, and the value.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

SOCKET = Path("/run/systemd/journal/socket")
INFO, NOTICE, WARNING, ERROR = 6, 5, 4, 3
"""Priorities, as syslog(3) numbers them."""
_MAX_VALUE = 16 * 1024
"""Bytes of one value: a datagram has to fit into a socket's buffer."""


def connected(stream: int = 2) -> bool:
    """Say whether a file descriptor leads to the journal (JOURNAL_STREAM, systemd.exec(5))."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(stream)
    except OSError:
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))


def send(message: str, priority: int, fields: Mapping[str, str], path: Path = SOCKET) -> bool:
    """Write one entry; say whether the journal took it. Empty fields are left out."""
    entry = {"MESSAGE": message, "PRIORITY": str(priority), "SYSLOG_IDENTIFIER": "toolsync"}
    entry |= {f"TOOLSYNC_{name.upper()}": value for name, value in fields.items() if value}
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.settimeout(5)
            out.sendto(b"".join(_field(name, value) for name, value in entry.items()), str(path))
    except OSError:
        return False
    return True


def _field(name: str, value: str) -> bytes:
    data = value.encode("utf-8", "replace")[:_MAX_VALUE]
    if b"\n" not in data:
        return name.encode() + b"=" + data + b"\n"
    return name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
