"""Where very many tools stand: what is kept says what is worked out, whatever has changed since."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.clock import DrivenClock
from tests.support.recorded import TOOLS, Record
from tests.support.rig import Rig
from toolsync.config.definition import Tool
from toolsync.journal.pages import Looked
from toolsync.maintain.listed import Standings
from toolsync.maintain.standingsfile import Listed
from toolsync.model.errors import SetupError, ToolsyncError
from toolsync.model.release import dump
from toolsync.pipeline.context import Context, opened
from toolsync.pipeline.memory import fingerprint
from toolsync.pipeline.outcome import last_standing
from toolsync.setup.settings import load_config
from toolsync.setup.tools import load_tools, overlay_of, read_tool, tools_named

TRIGGERS = "SELECT name FROM sqlite_schema WHERE type='trigger'"


@dataclass
class Setup:
    """A set-up whose tools stand in many ways, as it was recorded."""

    rig: Rig
    clock: DrivenClock = field(
        # Later, so that its files have rested.
        default_factory=lambda: DrivenClock(datetime.now(UTC) + timedelta(hours=1))
    )

    @contextmanager
    def context(self) -> Iterator[Context]:
        with opened(
            load_config(self.rig.file, self.rig.state),
            tell=lambda _: None,
            progress=lambda _: lambda *_: None,
            clock=self.clock,
        ) as context:
            yield context

    def listed(self) -> tuple[list[Listed], int]:
        """Return where all tools stand, and how many of them were worked out anew."""
        with self.context() as context:
            return listed(context, kept=True)

    def define(self, word: str, by: str) -> None:
        """Change all definitions, and let their pages be as if they had been looked at since."""
        for name in TOOLS:
            file = self.rig.tools / name / "tool.toml"
            file.write_text(file.read_text().replace(word, by))
        with self.context() as context:
            tools, _ = load_tools(context.config)
        with closing(sqlite3.connect(self.rig.state / "journal.sqlite")) as db, db:
            for tool in tools:
                row = (fingerprint(dump(tool.watch)), tool.name)
                db.execute("UPDATE page SET definition=? WHERE tool=?", row)

    def agrees(self) -> bool:
        """Say whether what is kept tells what is worked out."""
        try:
            with self.context() as context:
                return told(context, kept=True) == told(context, kept=False)
        except SetupError as error:
            return "is older than" in str(error)  # a journal like this is not opened at all


def listed(context: Context, *, kept: bool) -> tuple[list[Listed], int]:
    """Return where all tools stand, and how many of them were worked out anew."""
    places = tools_named(context.config)
    standings = Standings(context, kept=kept)

    def read(name: str) -> Tool | SetupError:
        return read_tool(places[name] / name, overlay=overlay_of(context.config, name))

    found = [one for _, one in standings.each(places, read)]
    standings.keep()
    return found, standings.anew


def told(context: Context, *, kept: bool) -> object:
    """Return where all tools stand, or the error that is raised."""
    try:
        return listed(context, kept=kept)[0]
    except ToolsyncError as error:
        return str(error)


@pytest.fixture
def setup(tmp_path: Path, web: Web) -> Setup:
    """The state of November 2026; nobody is asked anything."""
    record = Record("state-2026-11", Rig(tmp_path), web, "smtp://127.0.0.1:1")
    return Setup(record.rig)


def test_what_is_kept_is_what_the_long_way_gives(setup: Setup) -> None:
    first, all_anew = setup.listed()
    again, anew = setup.listed()
    with setup.context() as context:
        tools, _ = load_tools(context.config)
        slow = [last_standing(context, tool, warn=False) for tool in tools]
    assert first == again
    assert [one.outcome for one in again] == slow
    assert {one.outcome.status for one in again if one.outcome} > {"up-to-date", "held", "new"}
    assert all_anew == len(TOOLS)
    waiting = sum(one.outcome is None or one.outcome.exit_status != 0 for one in again)
    # What waits for a person, or was decided by one, is worked out each time.
    assert waiting <= anew < len(TOOLS)


def test_a_look_that_gives_the_same_changes_nothing(setup: Setup) -> None:
    setup.listed()
    _, before = setup.listed()
    setup.clock.moment += timedelta(hours=1)
    with setup.context() as context:
        for name in TOOLS:
            row = context.journal.pages.of(name)
            assert row is not None
            if row.status == "answered":
                same = Looked(
                    tool=name,
                    definition=row.definition,
                    sighting=None,
                    answered=True,
                    status="answered",
                )
                context.journal.pages.remember([same])
    _, anew = setup.listed()
    assert anew == before


WITHIN = ("page", "release", "part", "upload", "result", "decision", "judgment")
"""Tables of which each column is changed alone."""


def columns(journal: Path) -> list[tuple[str, list[str]]]:
    """Return what is changed at once: a table and columns, of all tables that tell of tools."""
    with closing(sqlite3.connect(journal)) as db:
        names = db.execute(
            "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c"
            " WHERE t.type='table' AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) o"
            " WHERE o.name='tool') AND c.name NOT IN ('id', 'tool') ORDER BY 1, 2"
        ).fetchall()
    found: dict[str, list[str]] = {}
    for table, column in names:
        found.setdefault(table, []).append(column)
    alone = [(table, [column]) for table in WITHIN for column in found[table]]
    return alone + [(table, some) for table, some in found.items() if table not in WITHIN]


def test_whatever_is_written_in_the_journal_counts(setup: Setup) -> None:
    setup.listed()
    file, saved = setup.rig.state / "journal.sqlite", setup.rig.root / "saved.sqlite"
    kept, known = setup.rig.state / "standings", (setup.rig.state / "standings").read_bytes()
    shutil.copy(file, saved)
    for table, names in columns(file):
        with closing(sqlite3.connect(file, isolation_level=None)) as db:
            for (name,) in db.execute(TRIGGERS).fetchall():
                db.execute(f"DROP TRIGGER {name}")
            for column in (f'"{name}"' for name in names):
                now = (
                    f"CASE typeof({column}) WHEN 'text' THEN {column} || '1' ELSE {column} + 1 END"
                )
                db.execute(f"UPDATE OR IGNORE {table} SET {column} = {now}")
        assert setup.agrees(), f"{table}: {names}"
        shutil.copy(saved, file)
        kept.write_bytes(known)


@pytest.mark.parametrize("table", ["page", "release", "upload", "result", "decision", "origin"])
def test_whatever_is_gone_from_the_journal_counts(setup: Setup, table: str) -> None:
    setup.listed()
    with closing(sqlite3.connect(setup.rig.state / "journal.sqlite", isolation_level=None)) as db:
        for (name,) in db.execute(TRIGGERS).fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute(f"DELETE FROM {table}")
    assert setup.agrees()


@pytest.mark.parametrize(
    ("word", "by"),
    [
        ("[watch]\n", '[watch]\nignore = { "1.0" = "why not", "1.1" = "why not" }\n'),
        ("[watch]\n", "[watch]\nmin_age = 300\n"),
        ("[watch]\n", '[watch]\nbranch = "7"\n'),
        ("summary", "nonsense"),
    ],
)
def test_whatever_is_written_in_a_definition_counts(setup: Setup, word: str, by: str) -> None:
    before, _ = setup.listed()
    setup.define(word, by)
    assert setup.agrees()
    setup.clock.moment += timedelta(days=1)
    assert setup.agrees()
    assert setup.listed()[0] != before


def test_an_overlay_counts(setup: Setup) -> None:
    before, _ = setup.listed()
    for name in TOOLS:
        overlay = setup.rig.file.parent / "tools" / f"{name}.toml"
        overlay.write_text('[watch]\nignore = { "1.0" = "why not", "1.1" = "why not" }\n')
    assert setup.agrees()
    assert setup.listed()[0] != before


def test_the_settings_count(setup: Setup) -> None:
    before, _ = setup.listed()
    text = setup.rig.file.read_text()
    setup.rig.file.write_text(text.replace('"bookworm", "trixie"', '"bookworm", "sid"'))
    assert setup.agrees()
    assert setup.listed()[0] != before


def test_what_depends_on_the_time_is_worked_out_each_time(setup: Setup) -> None:
    setup.define("[watch]\n", "[watch]\nmin_age = 300\n")
    young, _ = setup.listed()
    kept = len(TOOLS) - setup.listed()[1]
    setup.clock.moment += timedelta(days=9999)
    grown, _ = setup.listed()
    assert grown != young
    assert kept == 0
    assert setup.agrees()


def test_what_the_archive_no_longer_serves_is_seen(setup: Setup) -> None:
    setup.listed()
    before, _ = setup.listed()
    for index in (setup.rig.archive / "dists").glob("*/*/source/Sources.gz"):
        index.unlink()
    after, _ = setup.listed()
    assert after != before
    assert setup.agrees()


@pytest.mark.parametrize("how", ["garbage", "half", "folder", "gone"])
def test_a_damaged_file_is_as_good_as_none(setup: Setup, how: str) -> None:
    before, _ = setup.listed()
    file = setup.rig.state / "standings"
    if how == "garbage":
        file.write_bytes(b"\xff" * 100)
    elif how == "half":
        file.write_bytes(file.read_bytes()[:-100])
    else:
        file.unlink()
    if how == "folder":
        file.mkdir()
    assert setup.listed()[0] == before


def test_a_file_that_is_written_right_now_is_not_kept(setup: Setup) -> None:
    now = replace(setup, clock=DrivenClock(datetime.now(UTC)))
    for name in TOOLS:
        (setup.rig.tools / name / "tool.toml").touch()
    now.listed()
    assert now.listed()[1] == len(TOOLS)
