"""Bytes that change by themselves: every fault of archive and store is told, and mended."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.service.test_local import indices
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from tests.support.tiny_packages import Context, passed
from toolsync.maintain.scrub import blobs_in


def flip(path: Path) -> None:
    """Change one byte in the middle of a file, in its place, and let its times be as before."""
    data, times = bytearray(path.read_bytes()), path.stat()
    data[len(data) // 2] ^= 1
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(data)
    path.chmod(mode)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def two_tools(rig: Rig, web: Web) -> None:
    """Publish two tools, the first in two versions."""
    for name in ("hello", "other"):
        publish(web, "1.0", name=name, path=f"/{name}/")
        write_tool(rig.tools, f"{web.url}/{name}/", "1.0", "1.1", name=name)
    rig.run("sync", "hello", "other")
    publish(web, "1.0", "1.1", name="hello", path="/hello/")
    rig.run("sync", "hello", "other")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a whole set-up that is to be copied for each fault."""
    root = tmp_path_factory.mktemp("published")
    with Web() as web:
        rig = Rig(root)
        rig.configure('tools = ["hello", "other"]\n' + rig.settings)
        two_tools(rig, web)
        yield root


@pytest.fixture
def damaged(published: Path, tmp_path: Path) -> Rig:
    """Return a copy of it."""
    shutil.copytree(published, tmp_path / "set-up", symlinks=True)
    rig = Rig.__new__(Rig)
    rig.root, rig.settings = tmp_path / "set-up", ""
    rig.tools, rig.state = rig.root / "conf" / "tools", rig.root / "state"
    rig.archive, rig.work = rig.state / "archive", rig.root / "work"
    rig.file = rig.root / "conf" / "toolsync.toml"
    rig.file.write_text(rig.file.read_text().replace(str(published), str(rig.root)))
    return rig


def deb(rig: Rig, name: str = "hello", version: str = "1.1") -> Path:
    (found,) = (rig.archive / "pool").rglob(f"{name}_{version}-*.deb")
    return found


def packages(rig: Rig) -> Path:
    return rig.archive / "dists/bookworm/main/binary-amd64/Packages"


def _drop_from_packages(rig: Rig) -> None:
    text = packages(rig).read_text().partition("\n\n")[2]
    packages(rig).write_text(text)
    packages(rig).with_suffix(".gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def _zero(rig: Rig) -> None:
    path = rig.archive / "db/packages.db"
    path.write_bytes(bytes(path.stat().st_size))


FAULTS: dict[str, Callable[[Rig], object]] = {
    "a deb is flipped": lambda rig: flip(deb(rig)),
    "a deb is gone": lambda rig: deb(rig).unlink(),
    "an orig is flipped": lambda rig: flip(next((rig.archive / "pool").rglob("hello_1.1.orig*"))),
    "a dsc is cut off": lambda rig: os.truncate(
        next((rig.archive / "pool").rglob("hello_1.1-*.dsc")), 9
    ),
    "Packages are changed": _drop_from_packages,
    "only Packages.gz is flipped": lambda rig: flip(packages(rig).with_suffix(".gz")),
    "Sources are gone": lambda rig: (
        rig.archive / "dists/bookworm/main/source/Sources.gz"
    ).unlink(),
    "InRelease is flipped": lambda rig: flip(rig.archive / "dists/bookworm/InRelease"),
    "InRelease is gone": lambda rig: (rig.archive / "dists/bookworm/InRelease").unlink(),
    "a database is zeroed": _zero,
    "a database is empty": lambda rig: os.truncate(rig.archive / "db/checksums.db", 0),
    "the databases are gone": lambda rig: shutil.rmtree((rig.archive / "db").resolve()),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_the_archive_is_told_and_repaired(damaged: Rig, fault: str) -> None:
    """By status, doctor and sync; what is repaired is what was, and apt takes it."""
    rig = damaged
    wanted, pool = indices(rig.archive), rig.pool()
    FAULTS[fault](rig)
    (row,) = rig.json("status", "hello", status=5)
    assert row["status"] == "error"
    assert "is damaged" in row["message"]
    told = {c["subject"]: c for c in rig.json("doctor", status=5)}
    assert not told["archive local, all files"]["fine"]
    assert "archive repair" in told["archive local, all files"]["resolution"]
    before = {path: path.read_bytes() for path in (rig.archive / "pool").rglob("*.deb")}
    rig.run("sync", status=5)
    assert {path: path.read_bytes() for path in (rig.archive / "pool").rglob("*.deb")} == before
    (mended,) = [rig.json("archive", "repair")]
    assert mended["faults"]
    assert indices(rig.archive) == wanted
    assert rig.pool() == pool
    release = (rig.archive / "dists/bookworm/InRelease").read_bytes()
    assert rig.json("archive", "repair") == {
        "faults": [],
        "packages": [],
        "snapshots": [],
    }
    assert (rig.archive / "dists/bookworm/InRelease").read_bytes() == release
    (row,) = rig.json("status", "hello")
    assert row["status"] == "up-to-date"
    assert rig.leftovers() == []
    assert apt_gets(rig, "hello") == deb(rig).read_bytes()


def apt_gets(rig: Rig, name: str) -> bytes:
    """Return a package as apt gets it by the archive's stanza, from a root of its own."""
    root = rig.root / "apt"
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("lists/partial", "cache/archives/partial", "etc/sources.list.d"):
        (root / folder).mkdir(parents=True)
    (root / "status").touch()
    (root / "etc/sources.list.d/a.sources").write_text(rig.run("archive", "sources").stdout)
    options = {
        "Dir::State": root, "Dir::State::status": root / "status", "Dir::Cache": root / "cache",
        "Dir::Etc": root / "etc", "Dir::Etc::trustedparts": "/dev/null",
        "Dir::Etc::sourcelist": "/dev/null", "APT::Sandbox::User": "root",
    }  # fmt: skip
    words = [f"-o{key}={value}" for key, value in options.items()]
    for command in (["update"], ["download", name]):
        subprocess.run(["apt-get", "-q", *words, *command], check=True, cwd=root,
                       capture_output=True)  # fmt: skip
    (found,) = root.glob("*.deb")
    return found.read_bytes()


@pytest.mark.parametrize("fault", ["a database is zeroed", "the databases are gone"])
def test_nothing_is_published_into_an_archive_without_its_database(
    published: Path, rig: Rig, web: Web, fault: str
) -> None:
    """A third tool would be all that the index names."""
    two_tools(rig, web)
    FAULTS[fault](rig)
    publish(web, "1.0", name="third", path="/third/")
    write_tool(rig.tools, web.url + "/third/", "1.0", name="third")
    said = rig.run("sync", "third", status=5)
    assert "toolsync archive repair" in said.stdout + said.stderr
    wanted = packages(rig).read_text()
    assert "Package: hello" in wanted
    assert "Package: other" in wanted
    rig.run("archive", "repair")
    rig.run("sync", "third")
    assert packages(rig).read_text().count("Package: ") == 3


def test_a_repair_without_bytes_or_key_changes_nothing(damaged: Rig) -> None:
    """It says what is missing; the promised key is never replaced."""
    rig = damaged
    deb(rig).unlink()
    (kept,) = (
        path
        for path in (rig.state / "store/sha256").rglob("*")
        if path.is_file() and path.name == rig_digest(rig)
    )
    aside = rig.root / "aside"
    kept.rename(aside)
    said = rig.run("archive", "repair", status=5).stderr
    assert f"{kept.name}" in said
    assert "backup" in said or "scrub" in said
    aside.rename(kept)
    (rig.state / "gnupg").rename(rig.root / "keys")
    before = indices(rig.archive)
    rig.run("archive", "repair", status=5)
    assert indices(rig.archive) == before
    (rig.root / "keys").rename(rig.state / "gnupg")
    rig.run("archive", "repair")
    assert deb(rig).exists()


def rig_digest(rig: Rig) -> str:
    """Return the digest that the index wants for hello's package."""
    lines = packages(rig).read_text().partition("Package: hello\n")[2].splitlines()
    return next(line.split()[1] for line in lines if line.startswith("SHA256:"))


@pytest.mark.slow
def test_a_repair_that_is_killed_anywhere_is_gone_on_with(damaged: Rig) -> None:
    rig = damaged
    wanted, pool = indices(rig.archive), rig.pool()
    began = time.monotonic()
    FAULTS["a deb is flipped"](rig)
    rig.run("archive", "repair")
    whole = time.monotonic() - began
    for part in range(6):
        _zero(rig)
        FAULTS["a deb is flipped"](rig)
        process = rig.start("archive", "repair")
        time.sleep(whole * (part + 1) / 7)
        process.send_signal(signal.SIGKILL)
        process.wait()
        rig.run("archive", "repair")
        assert indices(rig.archive) == wanted, part
        assert rig.pool() == pool, part
        assert len(list((rig.archive / ".generations").iterdir())) == 1


KINDS = {
    "upstream's archive": ("hello-1.1.tar.gz", "archive's pool"),
    "the source package's dsc": (".dsc", "archive's pool"),
    "a deb": (".deb", "archive's pool"),
    "what the license gate kept": ("license", ""),
    "a log": (".build", ""),
    "evidence": (".intoto.json", ""),
}
"""Each by the end of its name, with where its bytes are to be had, if anywhere."""


def kept_file(rig: Rig, ending: str) -> Path:
    """Return a file of the store that the journal names so, of hello's newest release."""
    with closing(sqlite3.connect(rig.state / "journal.sqlite")) as db:
        texts = [row[0] for row in db.execute("SELECT data FROM result WHERE version='1.1'")]
        texts += [row[0] for row in db.execute("SELECT data FROM judgment WHERE version='1.1'")]
        texts += [
            json.dumps({"name": name, "sha256": digest, "size": 1})
            for name, digest in db.execute("SELECT name, sha256 FROM evidence WHERE version='1.1'")
        ]
    for text in texts:
        for blob in blobs_in(json.loads(text)):
            if blob.name.endswith(ending) or (ending == "license" and "terms" in blob.name):
                path = rig.state / "store/sha256" / blob.sha256[:2] / blob.sha256
                if path.is_file():
                    return path
    raise AssertionError(f"the journal names no file that ends in {ending}: {texts}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_byte_of_every_kind_is_named_and_mended_or_kept_in_mind(
    damaged: Rig, kind: str
) -> None:
    rig, (ending, source) = damaged, KINDS[kind]
    path = kept_file(rig, ending)
    content = path.read_bytes()
    flip(path)
    told = {c["subject"]: c for c in rig.json("doctor", status=5)}
    (store,) = (check for subject, check in told.items() if subject.startswith("store "))
    assert path.name in store["message"]
    said = rig.run("backup", rig.root / "refused", status=5).stderr
    assert path.name in said
    assert "toolsync scrub" in said
    assert not (rig.root / "refused").exists()
    found = rig.json("scrub", status=0 if source else 5)
    (item,) = found["damage"]
    assert (item["place"], item["sha256"], item["path"]) == ("store", path.name, str(path))
    assert any(user.startswith("hello 1.1: ") for user in item["users"])
    assert source in item["mended"]
    if source:
        assert path.read_bytes() == content
        assert rig.json("scrub")["damage"] == []
    else:
        assert not path.exists()
        assert (rig.state / "store/damaged" / path.name).exists()
        assert "backup" in item["resolution"]
        assert rig.json("scrub", status=5)["damage"][0]["sha256"] == path.name
        assert path.name in rig.run("doctor", status=5).stdout
        path.write_bytes(content)
        assert "put back" in rig.json("scrub")["damage"][0]["mended"]
        assert rig.json("scrub")["damage"] == []
    rig.run("doctor", status=None)
    rig.run("backup", rig.root / "b")
    assert rig.leftovers() == []


def test_upstream_with_other_bytes_mends_nothing(published: Path, rig: Rig, web: Web) -> None:
    two_tools(rig, web)
    path = kept_file(rig, "hello-1.1.tar.gz")
    content = path.read_bytes()
    flip(path)
    FAULTS["an orig is flipped"](rig)
    web.serve("/hello/hello-1.1.tar.gz", b"other bytes", type="application/gzip", etag='"2"')
    item, served = rig.json("scrub", status=5)["damage"]
    assert (item["mended"], served["place"]) == ("", "archive")
    assert "was accepted with sha256" in item["resolution"]
    with closing(sqlite3.connect(rig.state / "journal.sqlite")) as db:
        (row,) = db.execute("SELECT sha256 FROM release WHERE version='1.1' AND tool='hello'")
    assert row == (path.name,)
    rig.run("archive", "repair", status=5)
    publish(web, "1.0", "1.1", name="hello", path="/hello/")
    item, _ = rig.json("scrub", status=5)["damage"]
    assert "anew from upstream" in item["mended"]
    assert path.read_bytes() == content
    rig.run("archive", "repair")
    assert rig.json("scrub")["damage"] == []


def test_a_byte_of_the_pool_that_changes_no_time_is_found_by_scrub(damaged: Rig) -> None:
    """A disk that loses it does not touch the inode: that is what scrubs are for."""
    rig = damaged
    record = rig.archive / "conf/checked.json"
    flip(deb(rig))
    found = json.loads(record.read_text())
    name, at = str(deb(rig).relative_to(rig.archive)), deb(rig).stat()
    found["marks"][name] = [at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns]
    record.write_text(json.dumps(found))
    assert rig.json("status", "hello")[0]["status"] == "up-to-date"
    (item,) = rig.json("scrub", status=5)["damage"]
    assert (item["place"], item["path"]) == ("archive", name)
    assert item["users"] == ["hello 1.1-0debian1~ppa1~deb12.1"]
    assert rig.json("status", "hello", status=5)[0]["status"] == "error"
    rig.run("archive", "repair")
    assert rig.json("scrub")["damage"] == []
    assert rig.json("status", "hello")[0]["status"] == "up-to-date"


def test_a_run_looks_at_a_share_and_tells_by_mail_and_metrics(damaged: Rig) -> None:
    rig = damaged
    metrics = rig.root / "metrics.prom"
    rig.file.write_text(rig.file.read_text() + f'[report.metrics]\npath = "{metrics}"\n')
    path = kept_file(rig, ".build")
    flip(path)
    run = rig.json("run", status=5)
    assert any(path.name in trouble["message"] for trouble in run["troubles"])
    assert "toolsync_damaged_files 1.0" in metrics.read_text()
    assert "toolsync_scrub_finished_timestamp_seconds" in metrics.read_text()
    assert json.loads((rig.state / "store/scrub.json").read_text())["lost"][0]["users"]


def test_a_restore_puts_aside_what_was_damaged_before_the_backup(damaged: Rig) -> None:
    """A backup of an older toolsync's: all else in it is restored, and the damage is told."""
    rig = damaged
    rig.run("backup", rig.root / "whole")
    path = kept_file(rig, ".build")
    member = f"store/sha256/{path.name[:2]}/{path.name}"
    worse = rig.root / "worse"
    with tarfile.open(rig.root / "whole") as old, tarfile.open(worse, "w") as new:
        for info in old:
            data = old.extractfile(info).read()  # type: ignore[union-attr]
            if info.name == "manifest.json":
                manifest = json.loads(data)
                manifest["files"][member] |= {
                    "sha256": hashlib.sha256(b"rotten").hexdigest(),
                    "size": 6,
                }
                data = json.dumps(manifest).encode()
            elif info.name == member:
                data = b"rotten"
            info.size = len(data)
            new.addfile(info, io.BytesIO(data))
    rig.state.rename(rig.root / "before")
    said = rig.run("restore", worse, status=5).stderr
    assert f"{member} was damaged" in said
    assert not (rig.state / member).exists()
    assert (rig.state / "store/damaged" / path.name).read_bytes() == b"rotten"
    assert rig.json("status", "hello")[0]["status"] == "up-to-date"


def test_a_backup_of_a_damaged_archive_is_refused(damaged: Rig) -> None:
    rig = damaged
    flip(deb(rig))
    said = rig.run("backup", rig.root / "b", status=5).stderr
    assert deb(rig).name in said
    assert "archive repair" in said


def test_an_archive_of_before_the_first_publication_is_whole(tmp_path: Path) -> None:
    """As a kill leaves it between its first, empty indices and what was to be published."""
    context = Context(tmp_path)
    context.archive().withdraw(())  # settles and adds nothing
    assert (context.root / "archive/dists/bookworm/InRelease").is_file()
    assert not (context.root / "archive/db/tracking.db").exists()
    target = context.archive()
    target.confirm(target.publish(passed(context.built())))
