"""Keep one program and all that it starts: measure them, end them, let nothing outlive them.

This is a program of its own and needs nothing else of toolsync, so that it starts quickly. As
the first process of a pid namespace it ends all with its own end. Elsewhere whatever loses its
parent becomes its child (PR_SET_CHILD_SUBREAPER, prctl(2)), which no process can leave: when the
program has ended, or when it is told to end (SIGTERM), it kills what is left until nothing is.

``subreaper.py [--memory BYTES] [--processes COUNT] [--proxy FOLDER] -- PROGRAM…`` ends with the
program's own status, 128 + N where signal N ended it, or one of those below. ``--proxy`` is for a
network namespace of our own: loopback is set up, and what connects to `PORT` there is led to the
socket `DOOR` in that folder (see `proxy`).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator, Sequence

TOO_MUCH_MEMORY, TOO_MANY_PROCESSES, NO_KEEPER = 122, 123, 124
"""Exit statuses: all together used more than they may, or nothing could be started."""

PORT = 3142
"""On loopback, inside."""
DOOR = "proxy"
"""A socket's name in the folder that ``--proxy`` gives."""

_PR_SET_CHILD_SUBREAPER = 36
"""prctl(2)."""
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
"""netdevice(7)."""
_TICK = 0.25
_PAGE = os.sysconf("SC_PAGE_SIZE")
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_HEARD = (signal.SIGCHLD, *_ENDING)
"""Signals that are waited for, by all threads' leave."""


def keep(argv: Sequence[str], memory: int, processes: int) -> int:
    """Run a program to its end, or to that of its limits; return the exit status."""
    # Python leaves out SIGPIPE and SIGXFSZ; the program shall not.
    plain = [signal.SIGPIPE, signal.SIGXFSZ, *_HEARD]
    child = os.posix_spawnp(argv[0], list(argv), os.environ, setsigmask=[], setsigdef=plain)
    while True:
        status = _reaped(child)
        if status is not None:
            return status
        told = signal.sigtimedwait(_HEARD, _TICK)
        if told is not None and told.si_signo in _ENDING:
            return 128 + told.si_signo
        if (memory or processes) and (over := _over(memory, processes)):
            return over


def _reaped(child: int) -> int | None:
    """Take leave of all that have ended; return the child's status once it is among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            found = code if code >= 0 else 128 - code


def _over(memory: int, processes: int) -> int:
    count = used = 0
    for _, tasks, pages in _descendants(os.getpid()):
        count, used = count + tasks, used + pages * _PAGE
    if memory and used > memory:
        return TOO_MUCH_MEMORY
    return TOO_MANY_PROCESSES if processes and count > processes else 0


def _descendants(root: int) -> Iterator[tuple[int, int, int]]:
    """Give each process below one: its id, its threads, and its pages of memory."""
    children: dict[int, list[int]] = {}
    of: dict[int, tuple[int, int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 (pathlib takes long to load)
        if not name.isdecimal():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as stat:  # noqa: PTH123 (as above)
                fields = stat.read().rpartition(b")")[2].split()
        except OSError:
            continue
        pid = int(name)
        children.setdefault(int(fields[1]), []).append(pid)  # proc(5): ppid
        of[pid] = (int(fields[17]), int(fields[21]))  # num_threads, rss
    queue = list(children.get(root, ()))
    while queue:
        pid = queue.pop()
        yield (pid, *of[pid])
        queue += children.get(pid, ())


def end_all() -> None:
    """Kill whatever is below this process, and what that starts meanwhile, until nothing is."""
    for number in (signal.SIGSTOP, signal.SIGKILL):  # what is stopped starts nothing more
        for pid, _, _ in list(_descendants(os.getpid())):
            _signal(pid, number)
    while True:
        _reaped(0)
        left = list(_descendants(os.getpid()))
        if not left:
            return
        for pid, _, _ in left:
            _signal(pid, signal.SIGKILL)
        time.sleep(0.005)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except OSError:
        return


def raise_loopback() -> None:
    """Set the loopback interface of our network namespace up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        ask = struct.pack("16sH22x", b"lo", 0)
        flags = struct.unpack_from("H", fcntl.ioctl(link, _SIOCGIFFLAGS, ask), 16)[0]
        fcntl.ioctl(link, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | _IFF_UP))


def lead(folder: str) -> None:
    """From now on lead whoever connects to `PORT` on loopback to the proxy."""
    inside = os.open(folder, os.O_PATH | os.O_DIRECTORY)  # a socket's name may not be long
    listener = socket.create_server(("127.0.0.1", PORT))

    def accept() -> None:
        while True:
            near, _ = listener.accept()
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(f"/proc/self/fd/{inside}/{DOOR}")
            except OSError:
                near.close()
                far.close()
                continue
            for pair in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RD if end is source else socket.SHUT_WR)
            except OSError:
                continue


def main(words: Sequence[str]) -> int:
    """Do what the words say; return the exit status."""
    cut = list(words).index("--")
    given = dict(zip(words[:cut:2], words[1:cut:2], strict=True))
    first = os.getpid() == 1
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    try:
        if not first and ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1):
            raise OSError("what loses its parent cannot be adopted")
        if "--proxy" in given:
            raise_loopback()
            lead(given["--proxy"])
        memory, processes = int(given.get("--memory", 0)), int(given.get("--processes", 0))
        status = keep(words[cut + 1 :], memory, processes)
    except OSError as error:
        sys.stderr.write(f"toolsync: {words[cut + 1]} could not be started: {error}\n")
        status = NO_KEEPER
    if not first:
        end_all()
    return status


if __name__ == "__main__":
    sys.stdout.flush()
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # no thread is waited for
