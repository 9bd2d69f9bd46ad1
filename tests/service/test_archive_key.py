"""The archive's key: lost, exchanged, another state's; kills between making and promising it."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.servers.web import Web
from tests.support import tiny
from tests.support.rig import ROOT, Rig
from tests.support.tiny_packages import Context, passed
from toolsync.journal.migrations import MIGRATIONS
from toolsync.model.errors import Busy, Held, SetupError
from toolsync.system.gpg import SigningHome
from toolsync.system.lock import archive_held, end_survivors
from toolsync.system.promise import NAME, read_promise
from toolsync.system.run import MARK


@pytest.fixture
def synced(rig: Rig, web: Web) -> Rig:
    """A set-up whose archive was made by a first sync."""
    tiny.publish(web, "1.0")
    tiny.write_tool(rig.tools, web.url + "/dl/", "1.0", "1.1")
    rig.settings = 'tools = ["hello"]\n' + rig.settings
    rig.configure(rig.settings)
    rig.run("sync", "hello")
    return rig


def served(archive: Path) -> dict[str, bytes]:
    """Return all that instances read of the archive, signatures too."""
    files = [path for path in (archive / "dists").rglob("*") if path.is_file()]
    return {str(path.relative_to(archive)): path.read_bytes() for path in files}


def secrets(rig: Rig) -> list[str]:
    return sorted(key.fingerprint for key in SigningHome(rig.state / "gnupg").secrets())


def promised(folder: Path) -> list[str]:
    promise = read_promise(folder / NAME)
    return [] if promise is None else [key.fingerprint for key in promise.keys]


def test_the_first_sync_promises_its_key_in_the_state_and_in_the_archive(synced: Rig) -> None:
    (key,) = secrets(synced)
    assert promised(synced.state) == promised(synced.archive / "conf") == [key]


WRITING = (
    ("sync",),
    ("sync", "hello"),
    ("run", "--all"),
    ("page",),
    ("archive", "sources"),
    ("gc", "--limit", "1K"),
)


@pytest.mark.parametrize("how", ["gone", "empty", "exchanged"])
def test_a_lost_key_is_never_replaced_in_silence(synced: Rig, web: Web, how: str) -> None:
    """Attack, or a mishap: gnupg/ is gone, or another's. Nothing is signed; a backup mends it."""
    before, (key,) = served(synced.archive), secrets(synced)
    home = synced.state / "gnupg"
    home.rename(synced.root / "kept")
    if how != "gone":
        home.mkdir(mode=0o700)
    if how == "exchanged":
        SigningHome(home).ensure_key("Somebody <else@localhost>")
        home = synced.state / "gnupg"
    there = secrets(synced)
    tiny.publish(web, "1.0", "1.1")
    for words in WRITING:
        done = synced.run(*words, status=None)
        if words[0] not in ("page", "gc"):  # a page without a stanza is still a page
            assert done.returncode == 5, (words, done.stdout, done.stderr)
            assert key in done.stdout + done.stderr
            assert "backup" in done.stdout + done.stderr or words[0] == "run"
        assert served(synced.archive) == before, words
        assert secrets(synced) == there, words
    shutil.rmtree(home, ignore_errors=True)
    (synced.root / "kept").rename(home)
    assert synced.json("sync", "hello")[0]["published"] == ["1.1"]
    assert secrets(synced) == [key]


def test_what_only_reads_makes_no_key(rig: Rig, web: Web) -> None:
    tiny.publish(web, "1.0")
    tiny.write_tool(rig.tools, web.url + "/dl/", "1.0")
    for words, status in ((("page",), 0), (("archive", "sources"), 4), (("status",), None)):
        rig.run(*words, status=status)
        assert not (rig.state / "gnupg").exists(), words


def second(rig: Rig, archive: Path) -> Rig:
    """Return another state that is set up for the same archive and tools."""
    other = Rig(rig.root / "other")
    other.archive = archive
    other.configure(other.settings + f'[local]\npath = "{archive}"\n')
    shutil.copytree(rig.tools / "hello", other.tools / "hello")
    return other


@pytest.mark.parametrize("known", ["unknown there", "with a key and a journal of its own"])
def test_another_state_does_not_sign_this_archive(synced: Rig, web: Web, known: str) -> None:
    before, other = served(synced.archive), second(synced, synced.archive)
    if known != "unknown there":
        other.configure(other.settings)  # an archive of its own at first
        other.archive = other.state / "archive"
        other.run("sync", "hello")
        other.configure(other.settings + f'[local]\npath = "{synced.archive}"\n')
    tiny.publish(web, "1.0", "1.1")
    said = other.run("sync", "hello", status=5)
    assert str(synced.archive) in said.stderr
    assert "[local] path" in said.stderr
    assert served(synced.archive) == before
    assert synced.json("sync", "hello")[0]["published"] == ["1.1"]


def test_a_publication_that_is_refused_signs_nothing(tmp_path: Path) -> None:
    context = Context(tmp_path)
    target = context.archive()
    target.publish(passed(context.built(upstream="1.1")))
    before = served(tmp_path / "archive")
    with pytest.raises(Held):
        target.publish(passed(context.built(upstream="1.0")))
    assert served(tmp_path / "archive") == before
    shutil.rmtree(tmp_path / "gnupg")
    with pytest.raises(SetupError, match="promised"):
        context.archive().publish(passed(context.built(upstream="1.0")))
    assert served(tmp_path / "archive") == before
    assert not (tmp_path / "gnupg").exists()


def test_two_states_do_not_publish_to_one_archive_at_the_same_time(tmp_path: Path) -> None:
    context = Context(tmp_path)
    built = context.built()
    with archive_held(tmp_path / "archive"), pytest.raises(Busy, match="holds"):
        context.archive().publish(passed(built))
    context.archive().publish(passed(built))
    assert (tmp_path / "archive/conf/lock").stat().st_mode & 0o777 == 0o600


def test_a_stranger_cannot_hold_the_locks(synced: Rig) -> None:
    """The lock files are nobody else's to open, whatever the umask is."""
    for lock in (synced.state / "lock", synced.archive / "conf" / "lock"):
        assert lock.stat().st_mode & 0o077 == 0, lock


KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from tests.support.tiny_packages import Context, passed
left = int(sys.argv[3])
def dying(event, words):
    global left
    if event in ("os.rename", "os.mkdir", "os.symlink", "subprocess.Popen") or (
        event == "open" and words[2] and words[2] & os.O_CREAT
    ):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
context, built = Context(Path(sys.argv[1])), pickle.loads(Path(sys.argv[2]).read_bytes())
sys.addaudithook(dying)
context.archive().publish(passed(built))
"""


def killed_at(point: int, root: Path, item: Path) -> int:
    """Publish in a process that is killed just before its n-th act that changes something."""
    words = [sys.executable, "-c", KILLED, str(root), str(item), str(point)]
    env = {**os.environ, MARK: str(root)}
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, env=env)
    end_survivors(root)  # as whoever takes the state's lock next does
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


@pytest.mark.slow
def test_a_kill_anywhere_while_the_archive_is_made_leaves_one_key(tmp_path: Path) -> None:
    """Between making the key and promising it, between the two places: never a second key."""
    import pickle

    context = Context(tmp_path)
    built, item = context.built(), tmp_path / "item.pickle"
    item.write_bytes(pickle.dumps(built))
    made: list[tuple[bool, ...]] = []
    for point in range(60):
        for name in ("archive", "gnupg"):
            shutil.rmtree(tmp_path / name, ignore_errors=True)
        (tmp_path / NAME).unlink(missing_ok=True)
        code = killed_at(point, tmp_path, item)
        home, places = SigningHome(tmp_path / "gnupg"), (tmp_path, tmp_path / "archive" / "conf")
        before = [key.fingerprint for key in home.secrets()]
        made.append((bool(before), *(bool(promised(place)) for place in places)))
        target = context.archive()
        target.confirm(target.publish(passed(built)))
        (key,) = (key.fingerprint for key in home.secrets())
        assert before in ([], [key]), point
        assert promised(places[0]) == promised(places[1]) == [key], point
        if code == 0 or made.count((True, True, True)) == 5:
            break
    wanted = {(False,) * 3, (True, False, False), (True, True, False), (True,) * 3}
    assert wanted <= set(made), made


def as_before_promises(rig: Rig) -> None:
    """Make the state what the version before promises and stamps wrote."""
    for path in (rig.state / NAME, rig.archive / "conf" / NAME, rig.state / "store/journal.json"):
        path.unlink()
    shutil.rmtree(rig.archive / "conf" / "journals", ignore_errors=True)
    shutil.rmtree(rig.archive / "log", ignore_errors=True)
    (rig.archive / "conf" / "lock").unlink()
    journal = rig.state / "journal.sqlite"
    if not journal.exists() or not journal.stat().st_size:
        return
    with closing(sqlite3.connect(journal)) as db, db:
        for kind, name in made_since(8, db):
            db.execute(f"DROP {kind} IF EXISTS {name}")
        db.execute("PRAGMA user_version = 8")


def made_since(version: int, db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return triggers, tables and indices, in this order, that a journal of that version lacked."""
    ask = "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type DESC"
    with closing(sqlite3.connect(":memory:")) as before:
        for script in MIGRATIONS[:version]:
            before.executescript(script)
        known = set(before.execute(ask))
    return [row for row in db.execute(ask) if row not in known]


def rows(rig: Rig) -> list[Any]:
    with closing(sqlite3.connect(rig.state / "journal.sqlite")) as db:
        return db.execute("SELECT * FROM result").fetchall()


def test_a_state_from_before_promises_promises_the_key_that_it_has(synced: Rig) -> None:
    """The upgrade: nothing is signed anew, nothing is forgotten, and from then on it is kept to."""
    as_before_promises(synced)
    before, (key,), known = served(synced.archive), secrets(synced), rows(synced)
    stanza = synced.run("archive", "sources").stdout
    assert promised(synced.state) == []  # to read promises nothing
    assert synced.json("sync", "hello")[0]["status"] == "up-to-date"
    assert promised(synced.state) == promised(synced.archive / "conf") == [key]
    assert (served(synced.archive), rows(synced)) == (before, known)
    assert synced.run("archive", "sources").stdout == stanza
    shutil.rmtree(synced.state / "gnupg")
    synced.run("sync", "hello", status=5)
    assert served(synced.archive) == before


@pytest.mark.parametrize("archive", ["kept", "lost"])
def test_a_key_that_was_lost_before_promises_is_not_replaced(synced: Rig, archive: str) -> None:
    as_before_promises(synced)
    if archive == "lost":
        shutil.rmtree(synced.archive)
    shutil.rmtree(synced.state / "gnupg")
    assert "key" in synced.run("sync", "hello", status=5).stderr
    assert not (synced.state / "gnupg").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1]", b'{"keys": [], "serial": 1, "package": 0}', b"\xff" * 99],
    ids=["empty", "an empty object", "a list", "no keys", "no text"],
)
def test_a_promise_that_cannot_be_read_is_not_nothing_promised(synced: Rig, content: bytes) -> None:
    before = served(synced.archive)
    (synced.state / NAME).write_bytes(content)
    assert "cannot be read" in synced.run("sync", "hello", status=5).stderr
    assert served(synced.archive) == before
    (synced.state / NAME).unlink()  # the archive's own is whole
    synced.run("sync", "hello")
    assert promised(synced.state) == promised(synced.archive / "conf")


def test_an_environment_changes_nothing_of_a_promise(synced: Rig) -> None:
    before = (synced.state / NAME).read_bytes()
    os.utime(synced.state / NAME)
    synced.run("sync", "hello", GNUPGHOME=str(synced.root / "nowhere"))
    assert (synced.state / NAME).read_bytes() == before
