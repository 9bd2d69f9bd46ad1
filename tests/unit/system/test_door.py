"""The door: who may ask, what is no question, and an answer that does not come."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from toolsync.model.errors import SetupError, TookTooLong, Unreachable, UsageError
from toolsync.system import door


def do(question: Mapping[str, object], tell: door.Tell) -> Mapping[str, object]:
    tell("half of it")
    return {"got": question}


def asked(data: bytes) -> bytes:
    """Return what the door answers to these bytes; it raises what it raises."""
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def send() -> None:
            with contextlib.suppress(OSError):  # the answer may come before all was asked
                ours.sendall(data)
                ours.shutdown(socket.SHUT_WR)

        threading.Thread(target=send, daemon=True).start()
        door.answer(theirs, do)
        theirs.close()
        return ours.makefile("rb").read()


def test_a_question_is_answered_with_what_was_told_meanwhile() -> None:
    lines = [json.loads(line) for line in asked(b'{"act": "x"}\n').splitlines()]
    assert lines == [{"told": "half of it"}, {"done": {"got": {"act": "x"}}}]


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"nonsense\n", b"[]\n", b"[" * 30_000 + b"\n", b"\xff\n", b"x" * 70_000],
)
def test_what_is_no_question_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match="no question"):
        asked(data)


def _ask_as(uid: int, place: Path) -> None:
    """Ask as another user, in a process that is for nothing else."""
    try:
        os.setuid(uid)
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(place))
            link.sendall(b"{}\n")
            link.recv(100)
    finally:
        os._exit(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has other users")
@pytest.mark.parametrize(("uid", "let_in"), [(65534, False), (4321, True), (0, True)])
def test_only_who_may_is_answered(tmp_path: Path, uid: int, let_in: bool) -> None:
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == 0 and folder.stat().st_mode & 0o77 == 0:
            folder.chmod(0o711)
    place = tmp_path / "door"
    with socket.socket(socket.AF_UNIX) as listens:
        listens.bind(str(place))
        place.chmod(0o666)  # whatever the mode of the file says
        listens.listen(1)
        child = os.fork()
        if child == 0:
            _ask_as(uid, place)
        link, _ = listens.accept()
        with link:
            if let_in:
                door.answer(link, do, (4321,))
            else:
                with pytest.raises(UsageError, match="user 65534 may not ask"):
                    door.answer(link, do, (4321,))
        os.waitpid(child, 0)


def program(text: str) -> list[str]:
    return [sys.executable, "-c", f"import socket\nlink = socket.socket(fileno=0)\n{text}"]


def test_an_answer_that_breaks_off_or_takes_too_long_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    fine = program('link.recv(9); link.sendall(b\'{"told": "a"}\\n{"done": {"b": 1}}\\n\')')
    assert door.ask({}, fine, told.append, 30) == {"b": 1}
    assert told == ["a"]
    with pytest.raises(Unreachable, match="without a word"):
        door.ask({}, program("link.recv(9)"), told.append, 30)
    with pytest.raises(Unreachable, match="broke off"):
        door.ask({}, program("link.recv(9); link.sendall(b'[]\\n')"), told.append, 30)
    with pytest.raises(TookTooLong):
        door.ask({}, program("link.recv(9); link.recv(9)"), told.append, 0.5)
    monkeypatch.setenv(door.SOCKET, str(tmp_path / "nobody"))
    with pytest.raises(SetupError, match="nobody answers"):
        door.ask({}, fine, told.append, 30)


def test_who_reads_nothing_holds_nothing_up() -> None:
    ours, theirs = socket.socketpair()
    told = 0

    def talkative(_: Mapping[str, object], tell: door.Tell) -> Mapping[str, object]:
        nonlocal told
        while told < 2000:
            tell("x" * 1000)
            told += 1
        return {}

    with ours, theirs:
        ours.sendall(b"{}\n")
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        begun = time.monotonic()
        door.answer(theirs, talkative)
        took = time.monotonic() - begun
        theirs.close()
        lines = ours.makefile("rb").read().split(b"\n")
    assert told == 2000
    assert took < 20  # one wait of ten seconds, not one for each line
    assert all(json.loads(line) == {"told": "x" * 1000} for line in lines[:-1])


ASKS = """
import sys
from toolsync.system import door, stop
stop.listen()
door.ask({}, sys.argv[1:], print, 60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_we_started_ends_with_us(tmp_path: Path, number: signal.Signals) -> None:
    place = tmp_path / "pid"
    text = f"import os, time\nopen({str(place)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    argv = [sys.executable, "-c", ASKS, *program(text)]
    with subprocess.Popen(argv) as asking:
        while not (place.exists() and place.read_text()):
            time.sleep(0.02)
        asking.send_signal(number)
        asking.wait(5)
    end = time.monotonic() + 5
    while Path(f"/proc/{place.read_text()}").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
