"""A network of its own for a piece of a test: addresses on ``lo``, and a name server to ask.

In a network namespace the loopback interface can have any address, a public one among them, and in
a mount namespace /etc/resolv.conf names a server of ours. So a page is really outside, a name
really changes its address, and nothing leaves the machine.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PUBLIC, ELSEWHERE, OFFICE, METADATA = "203.0.113.5", "198.51.100.7", "10.9.9.9", "169.254.169.254"

_SET_UP = f"""
ip link set lo up
for address in {PUBLIC} {ELSEWHERE} {OFFICE} {METADATA} 100.64.0.9; do
    ip addr add $address/32 dev lo
done
mount -t tmpfs none /mnt
echo nameserver 127.0.0.1 > /mnt/resolv.conf
mount --bind /mnt/resolv.conf /etc/resolv.conf
exec "$@"
"""


def on_island(program: str) -> str:
    """Run a program of Python there and return what it printed; it must end with status 0."""
    words = ["unshare", "--map-root-user", "--net", "--mount", "sh", "-ec", _SET_UP, "sh"]
    done = subprocess.run(
        [*words, sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


class Names:
    """A name server on the island; each question for a name takes the next of its addresses."""

    def __init__(self, **addresses: Sequence[str]) -> None:
        self.asked: list[str] = []
        """The names whose address was asked for (A)."""
        self._left: Mapping[str, list[str]] = {
            f"{name.replace('_', '.')}": list(given) for name, given in addresses.items()
        }
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            question, whom = self._socket.recvfrom(4096)
            self._socket.sendto(self._answer(question), whom)

    def _answer(self, question: bytes) -> bytes:
        end = question.index(b"\0", 12) + 5
        labels, place = [], 12
        while size := question[place]:
            labels.append(question[place + 1 : place + 1 + size].decode())
            place += 1 + size
        name, is_a = ".".join(labels), question[end - 4 : end - 2] == b"\0\1"
        given = self._left.get(name, [])
        records = b""
        if is_a and given:
            self.asked.append(name)
            address = given.pop(0) if len(given) > 1 else given[0]
            records = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(address)
        count = b"\0\1" if records else b"\0\0"
        status = b"\x81\x80" if given else b"\x81\x83"
        return question[:2] + status + b"\0\1" + count + b"\0\0\0\0" + question[12:end] + records
