"""What years bring: old journals, kills while they are brought up, clocks, disks, sleepers."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.web import Answer, Asked, Web
from tests.support.clock import DrivenClock
from tests.support.rig import ROOT, Rig, environment
from tests.support.tiny import publish, write_tool
from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.journal.migrations import MIGRATIONS, statements
from toolsync.journal.pages import Looked
from toolsync.model.errors import SetupError
from toolsync.model.release import dump
from toolsync.pipeline.memory import fingerprint
from toolsync.pipeline.schedule import next_look
from toolsync.setup.tools import load_tool
from toolsync.system.clock import SystemClock, stamp

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
YEAR = timedelta(days=366)


def written_by(version: int, path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Write a journal as the release with that schema made it, a row in each table; return all."""
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for script in MIGRATIONS[:version]:
            old.executescript(script)
        old.execute(f"PRAGMA user_version = {version}")
        for table in tables(old):
            old.execute(*row_for(old, table))
        return {table: rows(old, table) for table in tables(old)}


def tables(db: sqlite3.Connection) -> list[str]:
    asked = "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%'"
    return [name for (name,) in db.execute(asked)]


def columns(db: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    return [(row[1], row[2]) for row in db.execute(f"PRAGMA table_info({table})")]


def row_for(db: sqlite3.Connection, table: str) -> tuple[str, list[object]]:
    """Return the statement that puts a row in, each value of its column's kind.

    A row that the database wrote itself when another table got one is left as it is.
    """
    texts = {"data": "{}", "sighting": "{}", "detail": "{}", "carries": "[]", "tool": "t"}
    texts |= {"stage": "fetch", "state": "confirmed", "scope": "", "version": "1.0"}
    found = columns(db, table)
    names = ", ".join(f'"{name}"' for name, _ in found)
    values: list[object] = [
        7 if "INT" in kind else texts.get(name, stamp(NOW)) for name, kind in found
    ]
    return f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({', '.join('?' * len(found))})", values


def rows(db: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    return list(db.execute(f"SELECT * FROM {table}"))


def works(path: Path) -> None:
    """See that a journal is of today's schema and can be read and written in all its parts."""
    journal = Journal.open(path, SystemClock())
    with closing(journal):
        journal.releases.see("new", "1.0", {})
        key = Key(tool="new", version="1.0", stage="fetch")
        journal.results.record(key, inputs="", outcome="done", started="")
        claim = {"target": "x", "source": "s", "version": "1-1", "series": "bookworm"}
        rest = {"tool": "new", "upstream": "1.0", "content": "", "revision": 1, "dsc": "d"}
        journal.uploads.claim({**claim, **rest})
        (upload,) = journal.uploads.of("new")
        journal.uploads.advance(upload, "sent", detail={"a": 1})
        assert journal.uploads.of("new")[0].detail == {"a": 1}
        journal.runs.end(journal.runs.begin(), 0)
        for ask in (
            journal.statuses.all,
            journal.pages.last_looks,
            journal.publications.all,
            journal.statuses.waiting,
        ):
            ask()
        for name in ("t", "new"):
            (
                journal.log.of(name),
                journal.results.of_release(name, "1.0"),
                journal.pages.first_seen(name),
            )


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_a_journal_of_every_schema_opens_keeps_its_rows_and_works(
    version: int, tmp_path: Path
) -> None:
    path = tmp_path / "journal.sqlite"
    before = written_by(version, path)
    assert len(before) >= 5
    Journal.open(path, SystemClock()).close()
    with closing(sqlite3.connect(path)) as db:
        for table, kept in before.items():
            now = [row[: len(kept[0])] for row in rows(db, table)]
            assert now == kept, table
    works(path)


def test_a_journal_of_a_newer_schema_is_refused_and_left_alone(rig: Rig) -> None:
    rig.state.mkdir()
    path = rig.state / "journal.sqlite"
    written_by(len(MIGRATIONS), path)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    said = rig.run("run", status=5).stderr
    assert "newer than this toolsync" in said
    assert "Install the newer toolsync again." in said
    assert path.read_bytes()[100:] == before[100:]  # its head says that it is in WAL mode now


KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from toolsync.journal.journal import Journal
from toolsync.system.clock import SystemClock
left = int(sys.argv[2])
class Dying(sqlite3.Connection):
    def execute(self, sql, *values):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(sql, *values)
connect = sqlite3.connect
sqlite3.connect = lambda *a, **k: connect(*a, factory=Dying, **k)
Journal.open(Path(sys.argv[1]), SystemClock())
"""


def test_a_kill_in_the_middle_of_a_migration_leaves_a_usable_journal(tmp_path: Path) -> None:
    """At four of its statements, the last of them just before it would have been committed."""
    count = sum(len(list(statements(script))) + 1 for script in MIGRATIONS[1:])
    opening = 5  # pragmas, the version twice, BEGIN
    for number in (opening, count // 3, count // 2, opening + count):
        path = tmp_path / f"{number}.sqlite"
        before = written_by(1, path)
        done = subprocess.run([sys.executable, "-c", KILLED, path, str(number)], env=environment())
        assert done.returncode == -signal.SIGKILL, number
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (1,)
            assert {table: rows(db, table) for table in tables(db)} == before
        works(path)


# clocks


def test_a_clock_that_ran_a_year_ahead_and_back_keeps_nothing_from_happening(
    rig: Rig, tmp_path: Path
) -> None:
    tool = load_tool(write_tool(rig.tools, "http://127.0.0.1:1/", "1.0"))
    os.utime(tool.folder, (0, 0))
    for path in tool.folder.rglob("*"):
        os.utime(path, (0, 0))
    clock = DrivenClock(NOW)
    journal = Journal.open(tmp_path / "journal.sqlite", clock)
    look = Looked(tool="hello", definition=fingerprint(dump(tool.watch)), sighting={},
                  answered=True, status="answered", named=(("1.0", ""),))  # fmt: skip
    journal.pages.remember([look])
    assert journal.redate() == ""
    clock.moment = NOW + YEAR
    journal.pages.remember([look])
    claim = {"target": "x", "source": "s", "version": "1-1", "series": "bookworm"}
    rest = {"tool": "hello", "upstream": "1.0", "content": "", "revision": 1, "dsc": "d"}
    journal.uploads.claim({**claim, **rest})
    clock.moment = NOW + timedelta(hours=1)
    journal.uploads.claim({**claim, **rest, "version": "1-2"})
    assert [u.version for u in journal.uploads.of("hello")] == ["1-1", "1-2"]
    at_once = next_look(tool, journal, clock.moment, statuses={"hello": "up-to-date"})
    assert at_once == clock.moment
    assert journal.redate() == stamp(NOW + YEAR)
    assert journal.pages.last_looks()["hello"].answered == stamp(clock.moment)
    assert {u.since for u in journal.uploads.of("hello")} == {stamp(clock.moment)}
    assert [entry.event for entry in journal.log.of("")] == ["clock"]
    assert journal.redate() == ""


def test_a_run_after_a_jump_says_so_once_and_goes_on(rig: Rig) -> None:
    write_tool(rig.tools, "http://127.0.0.1:1/", "1.0")
    rig.configure('tools = ["hello"]\n' + rig.settings)
    rig.run("run", status=4)
    with closing(sqlite3.connect(rig.state / "journal.sqlite")) as db:
        db.execute("UPDATE page SET looked = '2099-01-01T00:00:00Z'")
        db.commit()
        db.execute("UPDATE page SET answered = looked")
        db.commit()
    assert "something is dated 2099" in rig.run("run", status=4).stderr
    assert "is dated" not in rig.run("run", "--all", status=4).stderr


# disks


def in_namespace(rig: Rig, script: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script in which ``toolsync WORDS`` is ours and mounts are its own."""
    words = " ".join(f"'{word}'" for word in rig.argv())
    text = f'toolsync() {{ {words} "$@"; }}\n{script}'
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-ec", text, "sh", rig.state],
        capture_output=True, text=True, env=environment(), timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done


def test_a_state_folder_that_is_read_only_is_told(rig: Rig) -> None:
    rig.run("status")
    done = in_namespace(rig, 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; toolsync run')
    assert done.returncode == 5, done.stderr
    assert "cannot be written" in done.stderr
    assert "mounted read-only" in done.stderr
    assert "backup" not in done.stderr
    rig.run("status")


def test_a_full_disk_ends_in_4_and_the_next_run_goes_on(rig: Rig) -> None:
    write_tool(rig.tools, "http://127.0.0.1:1/", "1.0")
    rig.configure('tools = ["hello"]\n' + rig.settings)
    done = in_namespace(
        rig,
        'mkdir "$1"; mount -t tmpfs -o size=600k none "$1"; toolsync status\n'
        'head -c 9M /dev/zero >"$1/fill" || :\n'
        'for word in run sync "gc" ; do toolsync $word || echo "$word $?"; done\n'
        'rm "$1/fill"; toolsync run || echo "again $?"; toolsync log hello --json',
    )
    ended = re.findall(r"^(run|sync|again) (\d)$", done.stdout, re.MULTILINE)
    assert ended == [("run", "4"), ("sync", "4"), ("again", "4")], done.stderr
    assert "See that its disk has room" in done.stderr


# sleepers


def test_a_holder_that_was_stopped_comes_back_and_ends_as_if_nothing_had_been(
    rig: Rig, web: Web
) -> None:
    """A run meets a run, a sync and a check; it is stopped as a suspended machine stops it."""
    publish(web, "1.0")
    write_tool(rig.tools, web.url + "/dl/", "1.0", toml='[verify]\nmethod = "pins"\n')
    rig.configure('tools = ["hello"]\n' + rig.settings)
    there: list[int] = []

    def answer(asked: Asked) -> Answer:
        there.append(1)
        while len(there) == 1 and not web.closing.wait(0.01):
            pass
        return Answer('<a href="hello-1.0.tar.gz">1</a>', headers={"Content-Type": "text/html"})

    web.serve_by("/dl/", answer)
    holder = rig.start("run")
    deadline = time.monotonic() + 60
    while not there and time.monotonic() < deadline:
        time.sleep(0.01)
    holder.send_signal(signal.SIGSTOP)
    for word in ("run", "sync"):
        said = rig.run(word, status=4).stderr
        assert f"process {holder.pid} (toolsync run) holds" in said
    (row,) = rig.json("check", "hello")
    assert row["status"] == "new"
    holder.send_signal(signal.SIGCONT)
    assert holder.wait(60) == 3  # nothing is pinned: it waits for a person
    assert rig.json("run", status=3)["tools"][0]["status"] == "held"
    assert rig.leftovers() == []


# the watchdog


def test_the_rules_name_silence_and_a_run_that_did_not_happen() -> None:
    """No rule may take a page that is looked at once a week for silent."""
    rules = (ROOT / "conf" / "alerts.yml").read_text()
    parts = {part.partition("\n")[0]: part for part in rules.split("- alert: ")[1:]}
    assert "time() - toolsync_run_finished_timestamp" in parts["ToolsyncRunMissing"]
    assert "absent(" in parts["ToolsyncMetricsAbsent"]
    assert '{status="unreachable"}' in parts["ToolsyncToolUnreachable"]
    days = re.search(r"> (\d+) \* 86400", parts["ToolsyncToolSilent"])
    assert days
    assert int(days[1]) > 7


def test_a_journal_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b"no database" * 100)
    with pytest.raises(SetupError, match="cannot be opened"):
        Journal.open(tmp_path / "j", SystemClock())
