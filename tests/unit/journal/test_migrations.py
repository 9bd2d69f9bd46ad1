"""The scripts that make the tables: those that were released are never edited."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

from toolsync.journal.journal import Journal
from toolsync.journal.migrations import MIGRATIONS, statements
from toolsync.system.clock import SystemClock

RELEASED = (
    "6b3acfdc5c4a87dad627049636dffa8024a142f1a3117cfecb860f99d25a1394",
    "718d13fb895cd83aed9dbc17250b276a4a563c4a27c64887119fe9efe6d00ff4",
    "9f23b0cf40ea19007692615e0f9494c11f3899e3be1d007bd2158fbf4be24b9f",
    "14611f93a5316fc77b8a426e0dbab7f26a8bf517e19077df5190bb7603364196",
    "0d16f9749b7b66daef901f252bc4d27a9756ec0b1f4e4343535d29f075e16ea3",
    "d7d5ca1285895da50f68b274eee78c4bdada8d204cb453c619bd1580f5add8c7",
    "34fe34e71211eb8f616a08d4c599a65a747b08c62154dcd31c426e7760885601",
    "2e522de16ab693be2c87d568a8de32c5957f8e58d9cfb3962e97d913e0a4df9d",
    "7e478fba7530b94fe26aa5651dac7856010d052bbb4afde6d9c4fba9e08611ae",
)
"""SHA-256 of each script that journals out there were made by; only ever added to."""


def test_no_released_script_was_edited() -> None:
    now = [hashlib.sha256(script.encode()).hexdigest() for script in MIGRATIONS]
    assert tuple(now[: len(RELEASED)]) == RELEASED


def test_a_script_comes_apart_into_its_statements_triggers_whole() -> None:
    for script in MIGRATIONS:
        found = list(statements(script if script.endswith("\n") else script + "\n"))
        assert "".join(found).strip() == script.strip()
        assert all(map(sqlite3.complete_statement, found))
    triggers = [s for script in MIGRATIONS for s in statements(script) if "CREATE TRIGGER" in s]
    assert len(triggers) == 23


def test_the_tables_are_added_to_an_older_journal(path: Path) -> None:
    with closing(sqlite3.connect(path)) as old:
        old.executescript(MIGRATIONS[0])
        old.execute("PRAGMA user_version = 1")
    with closing(Journal.open(path, SystemClock())) as again:
        assert again.runs.begin() == 1
        assert again.publications.all() == []
