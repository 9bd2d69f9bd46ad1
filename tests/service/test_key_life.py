"""The archive's key announced, doubled, ended and extended; kills in it; and who is told when."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.servers.web import Web
from tests.service.test_archive_key import as_before_promises, promised, secrets, served, synced
from tests.support.rig import ROOT, Rig, environment
from toolsync.maintain.keylife import KeyRow, key_warnings
from toolsync.publish import index
from toolsync.report.metrics import Facts, exposition
from toolsync.system.gpg import SigningHome, inspect_keys, open_signed
from toolsync.system.lock import end_survivors
from toolsync.system.promise import NAME
from toolsync.system.run import MARK

__all__ = ["synced"]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def signers(rig: Rig) -> list[str]:
    """Return whose good signatures the index carries."""
    release, key = rig.archive / "dists/bookworm/InRelease", rig.root / "all.asc"
    home = SigningHome(rig.state / "gnupg")
    key.write_text(home.public_key(*secrets(rig)))
    found = open_signed(release, [key], rig.root / "text")
    return sorted(sign.primary for sign in found if sign.status == "good")


def in_stanza(rig: Rig) -> list[str]:
    """Return the keys in the stanza that instances are given."""
    stanza = rig.run("archive", "sources").stdout
    lines = [line[1:] for line in stanza.splitlines() if line.startswith(" ")]
    path = rig.root / "stanza.asc"
    path.write_text("\n".join("" if line == "." else line for line in lines))
    return sorted(key.fingerprint for key in inspect_keys([path]))


def days_pass(rig: Rig, days: int) -> None:
    """Let what was announced come nearer, as if so much time had passed."""
    for path in (rig.state / NAME, rig.archive / "conf" / NAME):
        data = json.loads(path.read_text())
        for key in data["keys"]:
            if key["until"]:
                end = datetime.fromisoformat(key["until"]) - timedelta(days=days)
                key["until"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
        path.write_text(json.dumps(data))


def keyrings(rig: Rig) -> list[str]:
    names = index.served(rig.archive, "bookworm")
    return sorted(name for name in names if name.startswith("toolsync-archive-keyring"))


def test_a_rotation_from_its_announcement_to_its_end(synced: Rig) -> None:
    (old,) = secrets(synced)
    rows = synced.json("key", "rotate", "--overlap", "30")
    new = rows[1]["fingerprint"]
    assert [row["state"] for row in rows] == ["ending", "signing"]
    assert sorted(secrets(synced)) == signers(synced) == in_stanza(synced) == sorted((old, new))
    assert keyrings(synced) == ["toolsync-archive-keyring_2_all.deb"]
    before = served(synced.archive)
    again = synced.run("key", "rotate", "--json")
    assert (json.loads(again.stdout), served(synced.archive)) == (rows, before)
    assert "announced already" in again.stderr
    assert synced.json("sync", "hello")[0]["status"] == "up-to-date"
    assert served(synced.archive) == before
    days_pass(synced, 31)
    assert synced.json("sync", "hello")[0]["status"] == "up-to-date"
    assert [row["state"] for row in synced.json("key", "show")] == ["ended", "signing"]
    assert signers(synced) == in_stanza(synced) == [new]
    assert keyrings(synced) == ["toolsync-archive-keyring_3_all.deb"]
    days_pass(synced, -60)  # a clock that is put back wakes no key
    synced.run("sync", "hello")
    assert signers(synced) == [new]
    synced.run("evidence", "hello", "1.0", "--output", synced.root / "out")
    (file,) = (synced.root / "out").glob("*.intoto.json")
    synced.run("evidence", "--verify", file)  # which the old key signed
    synced.run("gc", "--limit", "1")
    assert keyrings(synced) == ["toolsync-archive-keyring_3_all.deb"]


def test_a_key_that_is_lost_for_good_is_followed_by_another(synced: Rig) -> None:
    (old,) = secrets(synced)
    shutil.rmtree(synced.state / "gnupg")
    assert synced.json("key", "show", status=5)[0]["state"] == "lost"
    rows = synced.json("key", "rotate")
    assert [(row["fingerprint"] == old, row["state"]) for row in rows] == [
        (True, "ended"),
        (False, "signing"),
    ]
    assert signers(synced) == in_stanza(synced) == secrets(synced)
    assert synced.json("sync", "hello")[0]["status"] == "up-to-date"


def test_a_key_that_was_lost_before_promises_is_followed_by_another(synced: Rig) -> None:
    as_before_promises(synced)
    shutil.rmtree(synced.state / "gnupg")
    synced.run("sync", "hello", status=5)
    assert [row["state"] for row in synced.json("key", "rotate")] == ["ended", "signing"]
    assert signers(synced) == secrets(synced)


def test_nothing_that_was_never_signed_is_rotated(rig: Rig) -> None:
    assert "first toolsync sync" in rig.run("key", "rotate", status=2).stderr
    assert rig.json("key", "show") == []
    assert not (rig.state / "gnupg").exists()
    assert "or is said twice" in rig.run("key", "extend", status=2).stderr


def test_a_key_is_extended_and_instances_get_its_new_day(synced: Rig) -> None:
    before = signers(synced)
    (row,) = synced.json("key", "extend", "--days", "20")
    ends = datetime.now(UTC) + timedelta(days=20)
    assert row["ends"][:10] == f"{ends:%Y-%m-%d}"
    assert keyrings(synced) == ["toolsync-archive-keyring_2_all.deb"]
    assert signers(synced) == before
    told = {c["subject"]: c for c in synced.json("doctor")}[f"the archive's key {before[0]}"]
    assert told["fine"]
    assert "in 19 days" in told["message"]
    assert "toolsync key extend" in told["resolution"]
    synced.run("key", "extend", "--never")
    assert synced.json("key", "show")[0]["ends"] == ""
    assert keyrings(synced) == ["toolsync-archive-keyring_3_all.deb"]
    exported = synced.root / "key.asc"
    synced.run("key", "export", "--output", exported)
    assert [key.fingerprint for key in inspect_keys([exported])] == before
    assert inspect_keys([exported])[0].expires is None


def test_an_expired_key_signs_no_more_and_can_be_extended(synced: Rig) -> None:
    (name,) = secrets(synced)
    SigningHome(synced.state / "gnupg").set_end(name, "seconds=1")
    time.sleep(2)  # A fast machine asks within the second that the key still has.
    assert "expired" in synced.run("sync", "hello", status=5).stderr
    assert synced.json("key", "show", status=5)[0]["state"] == "dead"
    synced.run("key", "extend", "--days", "400")
    assert synced.json("sync", "hello")[0]["status"] == "up-to-date"
    assert secrets(synced) == [name]


KILLED = """
import os, signal, sys
left = int(sys.argv.pop(1))
def dying(event, words):
    global left
    if event in ("os.rename", "os.mkdir", "os.symlink", "os.remove", "subprocess.Popen") or (
        event == "open" and isinstance(words[2], int) and words[2] & os.O_CREAT
    ):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
from toolsync.cli.main import main
import toolsync.maintain.keylife, toolsync.publish.local, toolsync.system.gpg
sys.addaudithook(dying)
main()
"""


@pytest.mark.slow
def test_a_kill_anywhere_in_a_rotation_and_again_comes_to_the_same_end(synced: Rig) -> None:
    (old,) = secrets(synced)
    kept = synced.root / "kept"
    shutil.copytree(synced.state, kept, symlinks=True)
    seen: set[int] = set()
    for point in range(0, 400, 9):
        shutil.rmtree(synced.state)
        shutil.copytree(kept, synced.state, symlinks=True)
        argv = [sys.executable, "-c", KILLED, str(point), *synced.argv("key", "rotate")[3:]]
        env = environment() | {MARK: str(synced.state)}
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, env=env)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        end_survivors(synced.state)
        seen.add(len(promised(synced.state)) + len(promised(synced.archive / "conf")))
        rows = synced.json("key", "rotate")
        assert [row["state"] for row in rows] == ["ending", "signing"], point
        both = sorted(row["fingerprint"] for row in rows)
        assert old in both
        assert secrets(synced) == signers(synced) == both, point
        assert keyrings(synced) == ["toolsync-archive-keyring_2_all.deb"], point
        assert not list(synced.state.glob("gnupg.next")), point
        assert not list(synced.state.glob(".toolsync-key-*")), point
        assert not list(synced.state.glob(".gnupg*")), point
        if done.returncode == 0:
            break
    else:
        pytest.fail("the rotation never came to its end")
    assert seen >= {2, 4}


def test_a_kill_between_the_two_promises_is_made_good_by_the_next_sync(synced: Rig) -> None:
    kept = synced.root / "kept"
    shutil.copytree(synced.archive, kept, symlinks=True)
    rows = synced.json("key", "rotate")
    shutil.rmtree(synced.archive)
    kept.rename(synced.archive)  # as it was when the state had promised
    assert synced.json("sync", "hello")[0]["status"] == "up-to-date"
    assert synced.json("key", "show") == rows
    assert promised(synced.archive / "conf") == promised(synced.state)
    assert signers(synced) == in_stanza(synced) == secrets(synced)
    assert keyrings(synced) == ["toolsync-archive-keyring_2_all.deb"]


def row(ends: timedelta | None, state: str = "signing") -> KeyRow:
    end = f"{NOW + ends:%Y-%m-%dT%H:%M:%SZ}" if ends is not None else ""
    return KeyRow(fingerprint="A" * 40, state=state, since="2025-01-01T00:00:00Z", ends=end)


@pytest.mark.parametrize(
    ("left", "step"),
    [(91, ""), (90, "90"), (31, "90"), (30, "30"), (8, "30"), (7, "7"), (1, "7"), (-1, "ended")],
)
def test_a_key_is_told_of_90_30_and_7_days_before_it_ends(left: int, step: str) -> None:
    found = key_warnings((row(timedelta(days=left)), row(None)), NOW)
    assert [warning.step.split(" ")[0] for warning in found] == ([step] if step else [])
    assert key_warnings((row(timedelta(days=left), "ended"),), NOW) == ()


def test_mail_tells_of_each_step_once(synced: Rig) -> None:
    """As the unattended run tells: a message at each step, none in between."""
    synced.configure(synced.settings + "[report.webhook]\nurl = 'http://127.0.0.1:9/'\n")

    def messages() -> list[str]:
        return [
            item["text"]
            for message in waiting(synced)
            for item in message["items"]
            if item["kind"] == "key"
        ]

    synced.run("run", status=None)
    assert messages() == []
    synced.run("key", "extend", "--days", "80")
    for _ in range(2):
        synced.run("run", status=None)
        assert len(messages()) == 1
    assert "in 79 days" in messages()[0]
    synced.run("key", "extend", "--days", "20")
    synced.run("run", status=None)
    assert len(messages()) == 2
    synced.run("key", "extend", "--days", "300")
    synced.run("run", status=None)
    synced.run("key", "extend", "--days", "5")
    synced.run("run", status=None)
    assert len(messages()) == 3
    assert "in 4 days" in messages()[2]


def waiting(rig: Rig) -> list[Any]:
    """Return the messages that wait to be sent."""
    from contextlib import closing

    from toolsync.journal.journal import Journal
    from toolsync.system.clock import SystemClock

    with closing(Journal.open(rig.state / "journal.sqlite", SystemClock())) as journal:
        return [message.data for message in journal.messages.unsent("webhook")]


def test_metrics_say_when_the_key_ends(synced: Rig) -> None:
    path = synced.root / "toolsync.prom"
    synced.configure(synced.settings + f"[report.metrics]\npath = '{path}'\n")
    synced.run("run")
    assert "toolsync_archive_key_end_timestamp_seconds{" not in path.read_text()
    (found,) = synced.json("key", "extend", "--until", "2099-05-01")
    synced.run("run")
    moment = datetime.fromisoformat(found["ends"]).timestamp()
    (line,) = [
        line for line in path.read_text().splitlines() if line.startswith("toolsync_archive_key")
    ]
    assert f'fingerprint="{found["fingerprint"]}"' in line
    assert float(line.rpartition(" ")[2]) == moment


def test_a_package_of_the_keyring_is_the_same_for_the_same_promise(
    synced: Rig, web: Web, tmp_path: Path
) -> None:
    from toolsync.publish import keyring
    from toolsync.system.promise import read_promise

    synced.run("key", "export", "--package")
    promise = read_promise(synced.state / NAME)
    assert promise is not None
    assert promise.package == 2
    made = []
    for name in ("a", "b"):
        os.umask(0o077 if name == "a" else 0o022)
        (tmp_path / name).mkdir()
        home = SigningHome(synced.state / "gnupg")
        made.append(keyring.build(home, promise, "X <x@x.example>", tmp_path / name).read_bytes())
    assert made[0] == made[1]
    before = served(synced.archive)
    synced.run("key", "export", "--package")
    assert served(synced.archive) == before


def test_exposition_without_an_archive_has_no_key() -> None:
    facts = Facts(now=NOW, statuses={}, pages={}, waiting={}, run=None, stages=(), unsent={})
    assert b"toolsync_archive_key_end_timestamp_seconds{" not in exposition(facts)
