"""The log of publications: a leaf for each evidence that is kept, which nothing takes back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from toolsync.attest.logged import entry_of
from toolsync.journal.journal import Journal
from toolsync.journal.leaves import Leaves
from toolsync.journal.migrations import MIGRATIONS
from toolsync.journal.sqlite import SqliteDatabase
from toolsync.model.errors import ToolsyncError
from toolsync.model.values import Blob

ADDED = next(n for n, script in enumerate(MIGRATIONS) if "CREATE TABLE leaf" in script)


def blob(name: str) -> Blob:
    return Blob(name=f"t_{name}.intoto.json", sha256=name * 64, size=7)


def test_evidence_is_a_leaf_once_and_for_ever(journal: Journal) -> None:
    for name in "ab":
        journal.evidence.keep("t", "1.0", blob(name), "p")
    found = [entry_of(entry, n) for n, entry in enumerate(journal.leaves.all())]
    assert [(one.tool, one.version, one.name, one.size) for one in found] == [
        ("t", "1.0", "t_a.intoto.json", 7),
        ("t", "1.0", "t_b.intoto.json", 7),
    ]
    before = journal.leaves.all()
    journal.followed.rename("t", "renamed")  # a leaf says what it said
    for statement in ("DELETE FROM leaf", "UPDATE leaf SET entry='x'"):
        with pytest.raises(ToolsyncError, match="append-only"):
            journal.database.write(statement)
    assert journal.leaves.all() == before


def test_evidence_from_before_the_log_gets_its_leaves_in_order(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(path)) as old:
        for script in MIGRATIONS[:ADDED]:
            old.executescript(script)
        old.execute(f"PRAGMA user_version = {ADDED}")
        for name in "cab":
            old.execute(
                "INSERT INTO evidence (tool, version, payload, name, sha256, size, at)"
                " VALUES ('t', '1', 'p', ?, ?, 1, 'then')",
                (name, name * 64),
            )
        old.commit()
    for _ in range(2):
        with closing(SqliteDatabase(path)) as database:
            entries = Leaves(database).all()
        assert [entry_of(entry, 0).name for entry in entries] == ["c", "a", "b"]
