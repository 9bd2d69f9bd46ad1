"""``toolsync keep`` tells systemd when the pages may begin: the state can be read, or cannot."""

from __future__ import annotations

import signal
import socket
import subprocess

from tests.support.rig import Rig, environment
from toolsync.journal.journal import Journal
from toolsync.system.clock import SystemClock


def test_the_pages_may_begin_when_the_journal_is_open(rig: Rig) -> None:
    rig.run("status")
    rig.state.chmod(0o2755)
    place = rig.root / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(place))
        told.settimeout(30)
        env = environment() | {"NOTIFY_SOCKET": str(place)}
        process = subprocess.Popen(rig.argv("keep"), env=env, stderr=subprocess.DEVNULL)
        assert told.recv(100) == b"READY=1"
        Journal.open(rig.state / "journal.sqlite", SystemClock(), reading=True).close()
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def test_pages_that_can_read_nothing_are_let_begin_to_say_so(rig: Rig) -> None:
    (rig.state / "journal.sqlite").mkdir(parents=True)
    place = rig.root / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(place))
        told.settimeout(30)
        done = rig.run("keep", status=5, NOTIFY_SOCKET=str(place))
        assert told.recv(100) == b"READY=1"
    assert "the journal cannot be written" in done.stderr
