"""Journal, store and archive that do not belong together: refused, and nothing is removed."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.service.test_archive_key import as_before_promises, synced
from tests.support import tiny
from tests.support.rig import Rig

__all__ = ["synced"]


def everything(rig: Rig) -> dict[str, bytes]:
    """Return the files that a clean-up could remove."""
    places = (rig.state / "store" / "sha256", rig.archive / "pool", rig.archive / "dists")
    return {str(p): p.read_bytes() for place in places for p in place.rglob("*") if p.is_file()}


def missing(rig: Rig, _web: Web) -> None:
    for path in rig.state.glob("journal.sqlite*"):
        path.unlink()


def empty(rig: Rig, _web: Web) -> None:
    (rig.state / "journal.sqlite").write_bytes(b"")


def without_rows(rig: Rig, _web: Web) -> None:
    fresh = Rig(rig.root / "fresh")
    fresh.run("status")
    shutil.copy(fresh.state / "journal.sqlite", rig.state)


def of_another_machine(rig: Rig, web: Web) -> None:
    other = Rig(rig.root / "elsewhere")
    shutil.copytree(rig.tools / "hello", other.tools / "hello")
    other.run("sync", "hello")
    shutil.copy(other.state / "journal.sqlite", rig.state)


def older(rig: Rig, web: Web) -> None:
    kept = rig.root / "journal.then"
    shutil.copy(rig.state / "journal.sqlite", kept)
    tiny.publish(web, "1.0", "1.1")
    rig.run("sync", "hello")
    shutil.copy(kept, rig.state / "journal.sqlite")


LOST: dict[str, Callable[[Rig, Web], None]] = {
    "missing": missing,
    "empty": empty,
    "without rows": without_rows,
    "of another machine": of_another_machine,
    "older": older,
}

COMMANDS = (
    ("gc",),
    ("gc", "--limit", "1K"),
    ("gc", "--dry-run"),
    ("run", "--all"),
    ("sync",),
    ("page",),
    ("status",),
    ("archive", "sources"),
)


@pytest.mark.parametrize("how", LOST)
def test_a_journal_that_does_not_belong_here_is_refused(synced: Rig, web: Web, how: str) -> None:
    backup = synced.root / "backup.tar"
    synced.run("backup", backup)
    LOST[how](synced, web)
    before = everything(synced)
    for words in COMMANDS:
        done = synced.run(*words, status=5)
        assert "journal" in done.stderr, words
        assert "toolsync restore" in done.stderr, words
        assert everything(synced) == before, words
    shutil.rmtree(synced.state)
    synced.run("restore", backup)  # the remedy works
    assert synced.json("gc")["dropped"] == []
    assert synced.run("sync", "hello", status=None).returncode == 0


@pytest.mark.parametrize("how", ["missing", "empty", "without rows", "older"])
def test_so_it_is_for_a_state_that_was_never_stamped(synced: Rig, web: Web, how: str) -> None:
    """The first command after the upgrade: there is nothing to compare with but what is there."""
    LOST[how](synced, web)
    as_before_promises(synced)
    before = everything(synced)
    assert "journal" in synced.run("gc", status=5).stderr
    assert everything(synced) == before


@pytest.mark.parametrize("what", ["nothing", "a folder", "a link to nothing", "a pipe"])
def test_doctor_tells_of_a_journal_that_is_not_there(synced: Rig, web: Web, what: str) -> None:
    missing(synced, web)
    path = synced.state / "journal.sqlite"
    if what == "a folder":
        path.mkdir()
    elif what == "a link to nothing":
        path.symlink_to("/nonexistent/journal")
    elif what == "a pipe":
        os.mkfifo(path)
    assert "journal" in synced.run("doctor", status=5).stdout


def test_doctor_of_a_state_that_is_new_is_fine(rig: Rig) -> None:
    rig.run("doctor", status=0)
    assert not (rig.state / "journal.sqlite").exists()


def test_a_missing_journal_beside_a_store_alone_is_refused(synced: Rig, web: Web) -> None:
    shutil.rmtree(synced.archive)
    missing(synced, web)
    before = everything(synced)
    synced.run("gc", status=5)
    assert before
    assert everything(synced) == before


def test_a_missing_journal_beside_an_archive_elsewhere_is_refused(rig: Rig, web: Web) -> None:
    tiny.publish(web, "1.0")
    tiny.write_tool(rig.tools, web.url + "/dl/", "1.0")
    rig.archive = rig.root / "srv"
    rig.configure(rig.settings + f'[local]\npath = "{rig.archive}"\n')
    rig.run("sync", "hello")
    shutil.rmtree(rig.state)
    assert str(rig.archive) in rig.run("sync", "hello", status=5).stderr


def test_a_first_fetch_and_a_key_that_the_operator_brings_are_no_obstacle(
    rig: Rig, web: Web
) -> None:
    from toolsync.system.gpg import SigningHome

    tiny.publish(web, "1.0")
    tiny.write_tool(rig.tools, web.url + "/dl/", "1.0")
    key = SigningHome(rig.state / "gnupg").ensure_key("The Operator <op@localhost>")
    rig.run("fetch", "hello", "--output", rig.root / "out")
    rig.run("sync", "hello")
    assert key in (rig.archive / "conf" / "distributions").read_text()
    assert rig.json("gc")["dropped"] == []


def forget(rig: Rig, *tables: str) -> None:
    """Let the journal say nothing of these."""
    with closing(sqlite3.connect(rig.state / "journal.sqlite")) as db, db:
        db.execute("DROP TRIGGER log_is_kept")
        for table in tables:
            db.execute(f"DELETE FROM {table}")


def test_what_archive_and_evidence_name_stays_whatever_the_journal_says(synced: Rig) -> None:
    """Attack: a journal with the right id that has forgotten everything."""
    before = everything(synced)
    forget(synced, "result", "upload", "evidence", "release", "judgment", "log", "decision")
    dropped = synced.json("gc", "--limit", "1")["dropped"]
    after = everything(synced)
    sworn = {Path(name).name for name, data in before.items() if b"in-toto+json" in data[:99]}
    assert sworn
    assert sworn <= {Path(name).name for name in after}
    archive = str(synced.archive)
    assert {k: v for k, v in after.items() if k.startswith(archive)} == {
        k: v for k, v in before.items() if k.startswith(archive)
    }
    assert in_use(synced) <= {Path(name).name for name in after}
    assert not {item["what"] for item in dropped} & in_use(synced)


def in_use(rig: Rig) -> set[str]:
    """Return the digests of what is served, and of the release that it was made from."""
    return {*rig.pool().values(), hashlib.sha256(tiny.archive("1.0")).hexdigest()}


def test_what_is_served_is_in_use_though_the_journal_tells_of_a_newer_one(synced: Rig) -> None:
    """Attack: an upload that never was makes all that is served look superseded."""
    before = everything(synced)
    with closing(sqlite3.connect(synced.state / "journal.sqlite")) as db, db:
        names = [row[1] for row in db.execute("PRAGMA table_info(upload)")]
        (row,) = db.execute("SELECT * FROM upload")
        forged = dict(zip(names, row, strict=True)) | {"version": "9.0-1", "upstream": "9.0"}
        marks = ", ".join("?" * len(names))
        db.execute(f"INSERT INTO upload VALUES ({marks})", list(forged.values()))
    synced.run("gc", "--limit", "1")
    stored = {path.name for path in (synced.state / "store" / "sha256").glob("??/*")}
    assert in_use(synced) <= stored
    assert {k: v for k, v in before.items() if "/pool/" in k} == {
        k: v for k, v in everything(synced).items() if "/pool/" in k
    }


@pytest.mark.parametrize("how", ["cut", "gone"])
def test_indices_that_cannot_be_read_keep_everything(synced: Rig, how: str) -> None:
    for path in (synced.archive / "dists").rglob("*.gz"):
        path.write_bytes(path.read_bytes()[:-9]) if how == "cut" else path.unlink()
    before = everything(synced)
    assert "cannot be read" in synced.run("gc", "--limit", "1", status=5).stderr
    assert everything(synced) == before
