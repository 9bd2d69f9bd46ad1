"""``toolsync run``: the heartbeat, who holds the state, and lines that a journal understands."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from tests.servers.web import Web
from tests.support.rig import Rig, environment
from tests.support.tiny import write_tool
from toolsync.journal.journal import Journal
from toolsync.system import journald
from toolsync.system.clock import SystemClock
from toolsync.system.lock import exclusive


def only(rig: Rig, web: Web, name: str = "hello") -> None:
    """Follow one tool (its page is not there), and none of those that are shipped."""
    write_tool(rig.tools, f"{web.url}/dl/", "1.0", name=name)
    shipped = sorted(path.parent.name for path in (ROOT_TOOLS).glob("*/tool.toml"))
    for other in shipped:  # the operator's wins by name: each is pointed at the same page
        write_tool(rig.tools, f"{web.url}/dl/", "1.0", name=other)


ROOT_TOOLS = Path(__file__).parents[2] / "conf" / "tools"


def test_a_run_is_a_row_and_its_exit_status_the_gravest(rig: Rig, web: Web) -> None:
    only(rig, web)
    told = rig.json("run", status=4)
    assert told["exit_status"] == 4
    assert {row["status"] for row in told["tools"]} == {"unreachable"}
    journal = Journal.open(rig.state / "journal.sqlite", SystemClock())
    run = journal.runs.last_finished()
    assert run is not None
    assert run.exit_status == 4
    assert run.started <= run.finished
    last = journal.statuses.all()["hello"]
    assert (last.status, last.current) == ("unreachable", "")


def test_what_is_not_due_is_left_alone_unless_all_are_wanted(rig: Rig, web: Web) -> None:
    only(rig, web)
    for path in (rig.file, *rig.tools.rglob("*")):  # what changed in the second of a look is due
        os.utime(path, (1_700_000_000, 1_700_000_000))
    rig.run("run", status=4)
    asked = len(web.asked)
    assert rig.json("run")["tools"] == []
    assert len(web.asked) == asked
    assert rig.json("run", "--all", status=4)["tools"]


def test_a_second_run_on_the_same_state_leaves_at_once(rig: Rig) -> None:
    with exclusive(rig.state, "sync"):
        done = rig.run("run", status=4)
    assert "toolsync sync" in done.stderr
    assert not (rig.state / "journal.sqlite").exists() or not list(
        Journal.open(rig.state / "journal.sqlite", SystemClock()).runs.last()
    )


class TestJournald:
    def test_fields_arrive_also_of_several_lines(self, tmp_path: Path) -> None:
        path = tmp_path / "socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
            server.bind(str(path))
            fields = {"tool": "awscli", "url": "", "resolution": "ask\nthem"}
            assert journald.send("awscli is held", 4, fields, path)
            entry = server.recv(65536)
        assert entry == (
            b"MESSAGE=awscli is held\nPRIORITY=4\nSYSLOG_IDENTIFIER=toolsync\n"
            b"TOOLSYNC_TOOL=awscli\nTOOLSYNC_RESOLUTION\n\x08\0\0\0\0\0\0\0ask\nthem\n"
        )

    def test_a_value_cannot_make_a_field_and_is_cut(self, tmp_path: Path) -> None:
        path = tmp_path / "socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
            server.bind(str(path))
            assert journald.send("x\nPRIORITY=0", 6, {"tool": "t" * 10**6}, path)
            entry = server.recv(10**6)
        assert entry.startswith(b"MESSAGE\n\x0c\0\0\0\0\0\0\0x\nPRIORITY=0\nPRIORITY=6\n")
        assert len(entry) < 20_000

    def test_without_a_journal_it_is_told(self, tmp_path: Path) -> None:
        assert not journald.send("x", 6, {}, tmp_path / "none")
        assert not journald.connected()

    def test_a_run_below_systemd_writes_entries(self, rig: Rig, web: Web, tmp_path: Path) -> None:
        """Without a listener the lines carry their priority; with one they would have fields."""
        only(rig, web)
        read, write = os.pipe()
        found = os.fstat(write)
        env = environment() | {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        done = subprocess.run(rig.argv("run"), stdout=subprocess.PIPE, stderr=write, env=env)
        os.close(write)
        with os.fdopen(read) as pipe:
            lines = pipe.read().splitlines()
        assert done.returncode == 4
        assert done.stdout == b""
        if journald.SOCKET.exists():
            return
        assert any(line.startswith("<4>hello is unreachable: ") for line in lines)


def test_help_says_what_it_is_for(rig: Rig) -> None:
    assert "timer or cron" in rig.run("run", "--help").stdout
