"""The log of publications: what an auditor sees with a public key, and attacks on it."""

from __future__ import annotations

import base64
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.service.test_damage import flip
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from toolsync.attest.logaudit import audit_log
from toolsync.attest.logged import entry_of
from toolsync.attest.logserved import check_served
from toolsync.attest.merkle import is_consistent, leaf_hash, root_of
from toolsync.attest.note import read_note, sealed
from toolsync.attest.tiles import read_entries, tiles
from toolsync.journal.migrations import MIGRATIONS, statements
from toolsync.model.errors import Unverified
from toolsync.publish.keyring import NAME
from toolsync.report.message import as_text
from toolsync.system.gpg import SigningHome
from toolsync.system.signing import Signer


@dataclass(frozen=True)
class Archive:
    """A copy of a set-up that published hello 1.0, then 1.1, and what an auditor kept of it."""

    rig: Rig
    old: Path
    """The log's head after the first publication."""
    key: Path

    @property
    def log(self) -> Path:
        return self.rig.archive / "log"

    def audit(self, old: Path | None = None) -> dict[str, str]:
        """Return what an auditor who has the key alone finds not good: a sentence by its place."""

        def get(name: str, limit: int) -> bytes:
            try:
                return (self.rig.archive / name).read_bytes()[:limit]
            except OSError as error:
                raise Unverified(f"{name}: {error.strerror}") from error

        folder = self.rig.root / "auditor"
        folder.mkdir(exist_ok=True)
        found = audit_log(
            lambda name, limit: get(f"log/{name}", limit),
            keys=[self.key],
            folder=folder,
            old=("old", old.read_bytes()) if old else None,
            deep=True,
        )
        served = check_served(
            get, found.series, subjects=found.subjects, own=NAME, keys=[self.key], folder=folder
        )
        checks = (*found.checks, *served)
        return {c.place: c.sentence for c in checks if c.verdict != "good"}

    def entries(self) -> list[bytes]:
        size = read_note((self.log / "checkpoint").read_bytes(), "").checkpoint.size
        return read_entries(lambda name, _: (self.log / name).read_bytes(), size)

    def forge(self, entries: list[bytes]) -> None:
        """Serve a log of these entries, signed by the archive's own key."""
        head = read_note((self.log / "checkpoint").read_bytes(), "").checkpoint
        root = root_of([leaf_hash(entry) for entry in entries])
        head = replace(head, size=len(entries), root=root)
        for name, data in tiles(entries):
            (self.log / name).parent.mkdir(parents=True, exist_ok=True)
            (self.log / name).write_bytes(data)
        home = SigningHome(self.rig.state / "gnupg")
        text = self.rig.root / "text"
        text.write_bytes(head.text)
        signer = Signer(home, key=home.usable_key())
        with signer.opened() as env:
            signature = signer.detach_sign(text, env)
        (self.log / "checkpoint").write_bytes(sealed(head, {home.usable_key(): signature}))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("published")
    with Web() as web:
        rig = Rig(root)
        rig.configure('tools = ["hello"]\n' + rig.settings)
        publish(web, "1.0")
        write_tool(rig.tools, web.url + "/dl/", "1.0", "1.1")
        rig.run("sync", "hello")
        shutil.copy(rig.archive / "log" / "checkpoint", root / "old")
        publish(web, "1.0", "1.1")
        rig.run("sync", "hello")
        home = SigningHome(rig.state / "gnupg")
        (root / "key.asc").write_text(home.public_key(home.usable_key()))
        yield root


@pytest.fixture
def archive(published: Path, tmp_path: Path) -> Archive:
    root = tmp_path / "set-up"
    ignored = shutil.ignore_patterns("S.*")
    shutil.copytree(published, root, symlinks=True, ignore=ignored)
    rig = Rig.__new__(Rig)
    rig.root, rig.settings = root, ""
    rig.tools, rig.state = root / "conf" / "tools", root / "state"
    rig.archive, rig.work = rig.state / "archive", root / "work"
    rig.file = root / "conf" / "toolsync.toml"
    rig.file.write_text(rig.file.read_text().replace(str(published), str(root)))
    return Archive(rig=rig, old=root / "old", key=root / "key.asc")


def test_an_auditor_needs_the_address_and_the_key(archive: Archive, web: Web) -> None:
    for path in (p for p in archive.rig.archive.rglob("*") if p.is_file()):
        web.serve(f"/{path.relative_to(archive.rig.archive)}", path.read_bytes())
    for series in (archive.rig.archive / "dists").iterdir():  # a link leads there
        for path in (p for p in series.rglob("*") if p.is_file()):
            web.serve(f"/dists/{series.name}/{path.relative_to(series)}", path.read_bytes())
    auditor = Rig(archive.rig.root / "auditor")
    found = auditor.json("audit", archive.old, "--url", web.url, "--key", archive.key)
    assert found["passes"]
    assert [c["place"] for c in found["checks"]] == [
        *("checkpoint", "tree", "entries", "evidence", "consistency", "dists/bookworm")
    ]
    assert [(one["tool"], one["version"]) for one in found["added"]] == [("hello", "1.1")]
    # The proof convinces whoever knows the two heads and nothing else.
    proof = [base64.b64decode(item) for item in found["consistency"]]
    old, new = found["old"], found["head"]
    was, now = (base64.b64decode(head["root"]) for head in (old, new))
    assert (old["size"], new["size"]) == (1, 2)
    assert is_consistent(1, 2, was, now, proof)
    _cut(archive)
    done = archive.rig.run("audit", archive.old, status=3)  # the operator's own
    assert "It does not stand: 1 of 6 checks, at dists/bookworm first." in done.stdout


def _change_entry(archive: Archive) -> None:
    path = archive.log / "tile/entries/000.p/2"
    path.write_bytes(path.read_bytes().replace(b'"1.1"', b'"1.7"'))


def _change_evidence(archive: Archive) -> None:
    evidence = sorted((archive.log / "evidence").iterdir())
    evidence[0].write_bytes(evidence[1].read_bytes())


def _rewrite(archive: Archive) -> None:
    entries = archive.entries()
    archive.forge([entries[1], entries[0]])


def _cut(archive: Archive) -> None:
    archive.forge(archive.entries()[:1])


def _sign_by_a_stranger(archive: Archive) -> None:
    home = SigningHome(archive.rig.root / "stranger")
    key = home.ensure_key("Stranger <stranger@localhost>")
    note, text = read_note((archive.log / "checkpoint").read_bytes(), ""), archive.rig.root / "text"
    text.write_bytes(note.checkpoint.text)
    signer = Signer(home, key=key)
    with signer.opened() as env:
        made = sealed(note.checkpoint, {key: signer.detach_sign(text, env)})
    (archive.log / "checkpoint").write_bytes(made)


def _change_head(archive: Archive) -> None:
    path = archive.log / "checkpoint"
    path.write_text(path.read_text().replace("\n2\n", "\n1\n"))


ATTACKS: dict[str, tuple[Callable[[Archive], object], str, str]] = {
    "an entry is changed": (_change_entry, "entries", "entry 1 is not what leaf 1 hashes"),
    "evidence is exchanged": (_change_evidence, "hello 1.", "its evidence has sha256"),
    "evidence is gone": (
        lambda archive: shutil.rmtree(archive.log / "evidence"),
        "hello 1.",
        "No such file",
    ),
    "a tile is changed": (
        lambda archive: flip(archive.log / "tile/0/000.p/2"),
        "tree",
        "come to the root",
    ),
    "the log is written anew, with the key": (_rewrite, "consistency", "the log was rewritten"),
    "the log is cut, with the key": (_cut, "consistency", "has 2 leaves, and 1 are served"),
    "a stranger signs": (_sign_by_a_stranger, "checkpoint", "signed by none of"),
    "the head is changed": (_change_head, "checkpoint", "no good signature"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_auditor_is_told_what_was_done_to_a_log(archive: Archive, attack: str) -> None:
    act, place, sentence = ATTACKS[attack]
    kept = archive.rig.root / "kept"
    shutil.copy(archive.log / "checkpoint", kept)
    act(archive)
    wrong = archive.audit(kept)
    told = next((text for at, text in wrong.items() if at.startswith(place)), "")
    assert sentence in told, wrong


def test_what_is_served_beside_the_log_is_told(archive: Archive) -> None:
    """Attack: with the key, a package is published and its evidence is kept out of the log."""
    _cut(archive)
    wrong = archive.audit(archive.old)
    assert list(wrong) == ["dists/bookworm"]
    assert "serves what no evidence in the log is about: hello_1.1-" in wrong["dists/bookworm"]


def tampered(archive: Archive, *statements: str) -> None:
    with closing(sqlite3.connect(archive.rig.state / "journal.sqlite")) as journal:
        for statement in statements:
            journal.execute(statement)
        journal.commit()


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["DROP TRIGGER leaf_is_kept", "DELETE FROM leaf WHERE number=1"], "has 1 publications"),
        (
            ["DROP TRIGGER leaf_is_true", "UPDATE leaf SET entry=replace(entry, '1.0', '0.9')"],
            "has other publications than those",
        ),
        (["UPDATE identity SET id='" + "0" * 32 + "'"], "is not the one"),
    ],
)
def test_a_journal_that_the_head_does_not_go_on_from_is_refused(
    archive: Archive, statements: list[str], said: str
) -> None:
    tampered(archive, *statements)
    before = {p: p.read_bytes() for p in archive.log.rglob("*") if p.is_file()}
    done = archive.rig.run("sync", "hello", status=5)
    assert said in done.stderr
    assert "toolsync restore FILE" in done.stderr
    assert {p: p.read_bytes() for p in archive.log.rglob("*") if p.is_file()} == before


def test_a_publication_before_the_log_gets_its_leaf_once(archive: Archive) -> None:
    """A state from before there was a log: the next sync makes all of it, in its order."""
    wanted = archive.entries()
    script = next(one for one in MIGRATIONS if "CREATE TABLE leaf" in one)
    drop = ("DROP TRIGGER evidence_is_a_leaf", "DROP TABLE leaf")
    tampered(archive, *drop, *statements(script + "\n"))
    shutil.rmtree(archive.log)
    for _ in range(2):
        archive.rig.run("sync", "hello", status=None)  # its vendor is gone, and that is said
        assert archive.entries() == wanted
    assert [entry_of(entry, 0).version for entry in wanted] == ["1.0", "1.1"]
    assert archive.audit(archive.old) == {}


def test_a_run_that_was_killed_before_the_head_is_gone_on_with(archive: Archive) -> None:
    wanted = {p: p.read_bytes() for p in archive.log.rglob("*") if p.is_file()}
    shutil.copy(archive.old, archive.log / "checkpoint")
    for name in ("tile/0/000.p/2", "tile/entries/000.p/2"):
        (archive.log / name).unlink()
    archive.rig.run("sync", "hello", status=None)
    now = {p: p.read_bytes() for p in archive.log.rglob("*") if p.is_file()}
    assert now.keys() == wanted.keys()
    head = archive.log / "checkpoint"
    assert {p for p in now if now[p] != wanted[p]} <= {head}
    notes = [read_note(data[head], "").checkpoint for data in (now, wanted)]
    assert notes[0] == notes[1]


def test_damage_to_the_log_is_told_and_mended(archive: Archive) -> None:
    path = archive.log / "tile/entries/000.p/2"
    flip(path)
    found = archive.rig.json("doctor", status=5)
    (told,) = [c for c in found if c["subject"] == "the log of publications"]
    assert "log/tile/entries/000.p/2 has sha256" in told["message"]
    assert "log/tile/entries/000.p/2" in archive.rig.run("scrub", status=5).stdout
    assert "log/tile/entries/000.p/2" in archive.rig.run("archive", "repair").stdout
    assert archive.audit(archive.old) == {}


def test_two_keys_sign_while_one_follows_the_other(archive: Archive) -> None:
    old = archive.log / "checkpoint"
    shutil.copy(old, kept := archive.rig.root / "kept")
    archive.rig.run("key", "rotate")
    archive.rig.run("sync", "hello", status=None)
    assert len(read_note(old.read_bytes(), "").signatures) == 2
    assert archive.audit(kept) == {}  # by the key that was known before
    archive.rig.run("key", "export", "--output", archive.rig.root / "new.asc")
    assert replace(archive, key=archive.rig.root / "new.asc").audit(kept) == {}


def test_a_head_is_found_in_the_report_that_brought_it(archive: Archive) -> None:
    head = archive.old.read_text()
    data = {"items": [], "host": "here", "checkpoint": head}
    report = archive.rig.root / "mail"
    report.write_text(as_text(data, "2026-11-27T00:00:00Z"))
    assert archive.audit(report) == {}
    report.write_text("nothing of that\n")
    assert list(archive.audit(report)) == ["old"]
