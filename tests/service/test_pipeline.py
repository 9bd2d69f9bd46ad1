"""The whole way on a tiny vendor: real gpg, dpkg, reprepro and apt, through the command line.

Each bad input is named with its sentence and exit status; every other tool goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.archives import Item, gz, symlink, tar, with_header, zip_of
from tests.support.rig import Rig, environment
from tests.support.tiny import LICENSE, accepted, archive, publish, write_tool
from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.system.clock import SystemClock


@pytest.fixture
def hello(rig: Rig, web: Web) -> Rig:
    """A set-up that follows a vendor with one release."""
    publish(web, "1.0")
    write_tool(rig.tools, web.url + "/dl/", "1.0", "1.1", "1.2")
    return rig


def statuses(rig: Rig, *words: str, status: int = 0) -> dict[str, str]:
    return {row["tool"]: row["status"] for row in rig.json(*words, status=status)}


def test_a_release_goes_the_whole_way_and_apt_installs_it(hello: Rig) -> None:
    (row,) = hello.json("sync", "hello")
    assert (row["status"], row["current"], row["newest"]) == ("up-to-date", "1.0", "1.0")
    assert row["published"] == ["1.0"]
    assert set(hello.pool()) == {
        "hello_1.0.orig.tar.gz",
        "hello_1.0-0debian1~ppa1~deb12.1.dsc",
        "hello_1.0-0debian1~ppa1~deb12.1.debian.tar.xz",
        "hello_1.0-0debian1~ppa1~deb12.1_all.deb",
    }
    assert hello.leftovers() == []
    stanza = hello.run("archive", "sources").stdout
    assert "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----" in stanza
    wanted = "apt-get update && apt-get install hello/bookworm\n"  # and not the distribution's
    assert stanza.endswith(f"\n# {wanted}")
    assert hello.run("archive", "packages", "hello").stdout == "hello\n"
    assert hello.run("archive", "packages", "--command", "hello").stdout == wanted


def test_the_second_run_does_nothing(hello: Rig, web: Web) -> None:
    hello.run("sync", "hello")
    before = hello.pool()
    asked = len(web.asked)
    done = hello.run("sync", "hello")
    assert hello.pool() == before
    again = {ask.path: ask.headers.get("if-none-match") for ask in web.asked[asked:]}
    assert again == {"/dl/": None, "/dl/hello-1.0.tar.gz": '"1"'}  # is it still what it was?
    assert "…" not in done.stderr  # no stage was run
    assert "1.0 is the newest and is published" in done.stdout
    told = hello.run("--verbose", "sync", "hello").stderr
    assert "hello 1.0: build [bookworm/1] as on 20" in told


def test_a_publication_of_one_tool_is_none_of_another(hello: Rig, web: Web) -> None:
    """Nothing of it is asked of apt, logged or signed again, however often others change."""
    hello.run("sync", "hello")
    publish(web, "1.0", name="other", path="/other/")
    write_tool(hello.tools, f"{web.url}/other/", "1.0", name="other")
    hello.run("sync", "other")
    before = hello.run("log", "hello").stdout
    evidence = hello.json("evidence", "hello", "1.0")
    said = hello.run("--verbose", "sync", "hello")
    assert "publish" not in said.stderr
    assert hello.run("log", "hello").stdout == before
    assert hello.json("evidence", "hello", "1.0") == evidence


def test_check_says_what_is_new_and_changes_nothing(hello: Rig, web: Web) -> None:
    assert statuses(hello, "check", "hello") == {"hello": "new"}
    assert statuses(hello, "check", "hello", "--exit-code", status=10) == {"hello": "new"}
    assert not hello.archive.exists()
    hello.run("sync", "hello")
    assert statuses(hello, "check", "hello", "--exit-code") == {"hello": "up-to-date"}
    publish(web, "1.0", "1.1")
    (row,) = hello.json("check", "hello")
    assert set(row) == {"tool", "current", "newest", "status", "url", "message"}
    assert (row["current"], row["newest"]) == ("1.0", "1.1")
    assert row["url"].endswith("/hello-1.1.tar.gz")


def test_a_dry_run_says_what_would_be_done(hello: Rig) -> None:
    done = hello.run("sync", "hello", "--dry-run")
    assert "would take 1.0 to local for bookworm" in done.stdout
    assert not hello.archive.exists()


def test_releases_are_taken_in_order_and_no_more_than_the_backlog(rig: Rig, web: Web) -> None:
    publish(web, "1.0", "1.1", "1.2")
    write_tool(rig.tools, web.url + "/dl/", "1.0", "1.1", "1.2", backlog=2)
    (row,) = rig.json("sync", "hello")
    assert row["published"] == ["1.1", "1.2"]
    entries = rig.json("log", "hello")
    confirmed = [e["version"] for e in entries if (e["stage"], e["event"]) == ("confirm", "done")]
    assert confirmed == ["1.1", "1.2"]


def test_changed_packaging_is_a_new_revision_of_the_same_release(hello: Rig) -> None:
    hello.run("sync", "hello")
    (hello.tools / "hello" / "debian" / "README.Debian").write_text("Read me.\n")
    hello.run("sync", "hello")
    assert "hello_1.0-0debian1~ppa2~deb12.1_all.deb" in hello.pool()
    hello.run("sync", "hello")
    assert not any("ppa3" in name for name in hello.pool())


def test_series_have_one_orig_and_versions_of_their_own(rig: Rig, web: Web) -> None:
    rig.configure(rig.settings, '"bookworm", "trixie"')
    publish(web, "1.0")
    write_tool(rig.tools, web.url + "/dl/", "1.0")
    rig.run("sync", "hello")
    assert {n for n in rig.pool() if n.endswith(".deb")} == {
        "hello_1.0-0debian1~ppa1~deb12.1_all.deb",
        "hello_1.0-0debian1~ppa1~deb13.1_all.deb",
    }
    assert len([name for name in rig.pool() if "orig" in name]) == 1
    done = Counter(row["stage"] for row in rig.json("log", "hello") if row["event"] == "done")
    assert (done["fetch"], done["unpack"], done["license"], done["compat"]) == (1, 1, 1, 2)
    assert (done["package"], done["build"], done["confirm"]) == (2, 2, 2)


SYMBOLS = """\
override_dh_builddeb:
\tdh_builddeb
\tmkdir -p debian/symbols/DEBIAN
\tdpkg-gencontrol -phello -fdebian/none -Pdebian/symbols -DPackage=hello-dbgsym
\tdpkg-deb --root-owner-group -b debian/symbols ../hello-dbgsym_$(DEB_VERSION)_all.ddeb
\tdpkg-distaddfile hello-dbgsym_$(DEB_VERSION)_all.ddeb debug optional
include /usr/share/dpkg/pkg-info.mk
"""


def test_of_what_a_build_makes_the_packages_for_instances_are_served(hello: Rig) -> None:
    debian = hello.tools / "hello" / "debian"
    installers = (
        "\nPackage: hello-udeb\nPackage-Type: udeb\nArchitecture: all\nSection: debian-installer\n"
    )
    with (debian / "control").open("a") as file:
        file.write(f"{installers}Description: says its version\n For the installer.\n")
    (debian / "install").rename(debian / "hello.install")
    with (debian / "rules").open("a") as file:
        file.write(SYMBOLS)  # as Ubuntu's debhelper does with each compiled package
    (row,) = hello.json("sync", "hello")
    assert (row["status"], row["published"]) == ("up-to-date", ["1.0"])
    assert {name for name in hello.pool() if "deb" in name.rpartition(".")[2]} == {
        "hello_1.0-0debian1~ppa1~deb12.1_all.deb"
    }
    (told,) = hello.archive.rglob("*.changes")
    assert not [word for word in (".udeb", ".ddeb") if word in told.read_text()]
    made = b"".join(p.read_bytes() for p in (hello.state / "store").rglob("*") if p.is_file())
    for name in (b"hello-dbgsym_%b_all.ddeb", b"hello-udeb_%b_all.udeb"):
        assert name % b"1.0-0debian1~ppa1~deb12.1" in made, "the build's log does not name it"
    served = hello.pool()
    next(hello.archive.rglob("*_all.deb")).write_bytes(b"torn")
    for path in (path for path in (hello.state / "store").rglob("*") if path.is_file()):
        data = path.read_bytes()
        if data.startswith(b"!<arch>") and hashlib.sha256(data).hexdigest() not in served.values():
            path.unlink()  # what no archive serves is not needed to rebuild one
    hello.run("archive", "repair")
    assert hello.pool() == served


def test_evidence_ties_the_page_to_what_apt_serves(hello: Rig, web: Web) -> None:
    hello.run("sync", "hello")
    proof = hello.json("evidence", "hello", "1.0")["predicate"]
    place = proof["series"]["bookworm"]
    debs = {f["name"]: f["sha256"] for f in place["build"]["files"]}
    assert proof["page"]["url"] == web.url + "/dl/"
    assert proof["fetch"]["archive"]["sha256"] == proof["accepted"]["sha256"]
    assert proof["verify"]["method"] == "pins"
    assert proof["unpack"]["orig"]["name"] == "hello_1.0.orig.tar.gz"
    for gate, code in ((proof["license"], "accepted"), (place["compat"], "first-release")):
        assert [f["code"] for f in gate["findings"]] == [code]
    assert place["build"]["tests"]
    assert place["local"]["publish"]["where"].startswith("file:")
    served = {f["name"]: f["sha256"] for f in place["local"]["confirm"]["served"]}
    assert served.items() <= debs.items()
    assert any(name.endswith(".deb") for name in served)
    assert len(place["local"]["confirm"]["fingerprint"]) == 40
    assert hello.pool().items() >= served.items()
    for stage in ("fetch", "verify", "unpack", "license"):
        assert proof[stage]["started"] <= proof[stage]["finished"]
    out = hello.root / "audit"
    hello.run("evidence", "hello", "1.0", "--output", out)
    file, key = out / "hello_1.0.intoto.json", out / "archive-key.asc"
    told = hello.json("evidence", "--verify", file, "--key", key, "--files", out)
    assert told["passes"]
    assert {check["verdict"] for check in told["checks"]} == {"good"}


def test_why_always_answers(hello: Rig, web: Web) -> None:
    assert "never been looked at" in hello.run("why", "hello").stdout
    hello.run("check", "hello")
    assert "1.0 is new" in hello.run("why", "hello").stdout
    hello.run("sync", "hello")
    assert "1.0 is the newest and is published" in hello.run("why", "hello").stdout
    web.serve("/dl/", status=500)
    hello.run("check", "hello", status=4)
    told = hello.run("why", "hello").stdout
    assert "unreachable" in told
    assert "500" in told


def test_status_and_log_read_the_journal_alone(hello: Rig, web: Web) -> None:
    hello.run("sync", "hello")
    asked = len(web.asked)
    assert "up-to-date" in hello.run("status", "hello").stdout
    stages = [entry["stage"] for entry in hello.json("log", "hello")]
    assert stages == [
        *("fetch", "verify", "unpack", "binding", "license"),
        *("package", "build", "compat", "publish", "confirm"),
    ]
    assert len(web.asked) == asked


def test_fetch_puts_orig_and_archive_into_a_folder_and_nothing_else(hello: Rig) -> None:
    out = hello.root / "out"
    row = hello.json("fetch", "hello", "--output", out)
    assert {key: row[key] for key in ("version", "status", "verify", "accepted", "orig")} == {
        "version": "1.0",
        "status": "new",
        "verify": "good",
        "accepted": True,
        "orig": "hello_1.0.orig.tar.gz",
    }
    assert sorted(p.name for p in out.iterdir()) == ["hello-1.0.tar.gz", "hello_1.0.orig.tar.gz"]
    assert (out / row["orig"]).read_bytes() == archive("1.0")
    assert not hello.archive.exists()


def test_verify_and_repack_work_on_files(hello: Rig) -> None:
    good, bad = hello.root / "good.tar.gz", hello.root / "bad.tar.gz"
    good.write_bytes(archive("1.0"))
    bad.write_bytes(archive("9.9"))
    assert "is pinned" in hello.run("verify", good, "--tool", "hello").stdout
    assert "no pinned file" in hello.run("verify", bad, "--tool", "hello", status=3).stdout
    out = hello.root / "out"
    made = hello.json("repack", good, "-o", out, "--package", "hello", "--version", "1.0")
    assert made["orig"] == "hello_1.0.orig.tar.gz"
    assert made["untouched"] is True
    assert [path.name for path in out.iterdir()] == ["hello_1.0.orig.tar.gz"]


EXCLUDED = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: p
Files-Excluded: __MACOSX
 ._*
 *s
 *sp
 na*
 p-1/s

Files: *
Copyright: x
License: MIT
"""
KEPT = Item(name="p-1/a", data=b"a\n")
FOUND = {
    "link to the system": gz(tar((KEPT, symlink("p-1/s", "/etc/ssl/certs")))),
    "name in Latin-1": gz(with_header(tar((KEPT, Item(name="p-1/naive"))), 1024, 6, b"\xef")),
    "macOS's folder": zip_of((KEPT, Item(name="__MACOSX/p-1/._a", data=b"mac"))),
    "member twice": zip_of((KEPT, KEPT)),
}


@pytest.mark.parametrize("case", FOUND)
@pytest.mark.parametrize("excluded", [False, True])
def test_archives_that_people_have_are_repacked(hello: Rig, case: str, excluded: bool) -> None:
    given, out, terms = (hello.root / name for name in ("given", "out", "copyright"))
    given.write_bytes(FOUND[case])
    terms.write_text(EXCLUDED)
    words: list[str | Path] = ["repack", given, "-o", out, "--package", "pp", "--version", "1"]
    if case == "link to the system" and not excluded:
        assert "leaves the tree" in hello.run(*words, status=3).stderr
        return
    row = hello.json(*words, *(("--copyright", terms) if excluded else ()))
    listed = subprocess.run(["tar", "tf", out / row["orig"]], capture_output=True, check=True)
    found = {name.rstrip("/") for name in listed.stdout.decode().split()} - {"p-1"}
    kept_too = {"p-1/na\\357ve"} if case == "name in Latin-1" and not excluded else set()
    assert found == {"p-1/a"} | kept_too


# Bad input: its sentence, its status, and the others going on.

Spoil = Callable[[Rig, Web], None]


def empty_page(rig: Rig, web: Web) -> None:
    web.serve("/dl/", "")


def huge_page(rig: Rig, web: Web) -> None:
    rig.configure(rig.settings + "\n[limits]\npage_bytes = 1000\n")
    web.serve("/dl/", "x" * 2000)


def not_what_it_says(rig: Rig, web: Web) -> None:
    web.serve("/dl/", b"\x00\x01PK binary", type="application/octet-stream")


def error_body_with_200(rig: Rig, web: Web) -> None:
    web.serve("/dl/", "<html><h1>We are down for maintenance</h1></html>")


def truncated_download(rig: Rig, web: Web) -> None:
    web.serve("/dl/hello-1.1.tar.gz", archive("1.1"), cut=50)


def endless_download(rig: Rig, web: Web) -> None:
    rig.configure(rig.settings + "\n[limits]\nfile_bytes = 10000\n")
    web.serve("/dl/hello-1.1.tar.gz", b"x" * 1_000_000, chunked=True)


def not_there_yet(rig: Rig, web: Web) -> None:
    denied = "<Error><Code>AccessDenied</Code></Error>"  # S3's word for what is not there
    web.serve("/dl/hello-1.1.tar.gz", denied, status=403)


def no_pin(rig: Rig, web: Web) -> None:
    text = (rig.tools / "hello" / "tool.toml").read_text().splitlines()
    kept = [line for line in text if not line.startswith('"1.1"')]
    (rig.tools / "hello" / "tool.toml").write_text("\n".join(kept))


def no_method(rig: Rig, web: Web) -> None:
    folder = rig.tools / "hello"
    gates = f"{accepted(LICENSE)}[compat]\nprobe = false\n"
    write_tool(rig.tools, web.url + "/dl/", toml=gates)
    assert "method" not in (folder / "tool.toml").read_text()


def other_bytes_than_pinned(rig: Rig, web: Web) -> None:
    web.serve("/dl/hello-1.1.tar.gz", archive("1.1", extra={"evil": "x"}))


def no_license_decision(rig: Rig, web: Web) -> None:
    file = rig.tools / "hello" / "tool.toml"
    file.write_text(file.read_text().replace(accepted(LICENSE), "[license]\n"))


def no_compat_decision(rig: Rig, web: Web) -> None:
    file = rig.tools / "hello" / "tool.toml"
    file.write_text(file.read_text().replace("probe = false", 'first = "hold"'))


def broken_patch(rig: Rig, web: Web) -> None:
    patches = rig.tools / "hello" / "debian" / "patches"
    patches.mkdir()
    (patches / "series").write_text("p\n")
    (patches / "p").write_text("--- a/LICENSE\n+++ b/LICENSE\n@@ -1 +1 @@\n-No such line\n+x\n")


def broken_build(rig: Rig, web: Web) -> None:
    rules = rig.tools / "hello" / "debian" / "rules"
    rules.write_text("#!/usr/bin/make -f\n%:\n\tfalse\n")


BAD: list[tuple[Spoil, int, str, str]] = [
    (empty_page, 3, "drifted", "empty"),
    (huge_page, 3, "drifted", "more than 1000 bytes"),
    (not_what_it_says, 3, "drifted", "/dl/"),
    (error_body_with_200, 3, "drifted", "hello-"),
    (truncated_download, 4, "unreachable", "broke off"),
    (endless_download, 3, "held", "more than 10000 bytes"),
    (not_there_yet, 4, "unreachable", "its file is not there"),
    (no_pin, 3, "held", "has no pin"),
    (no_method, 3, "held", "declares no method of verification"),
    (other_bytes_than_pinned, 3, "held", "is not the pinned file"),
    (no_license_decision, 3, "held", "terms that are not known"),
    (no_compat_decision, 3, "held", "commands and interfaces"),
    (broken_patch, 3, "held", "a patch does not apply"),
    (broken_build, 3, "held", "did not build"),
]


@pytest.mark.parametrize(
    ("spoil", "status", "word", "sentence"), BAD, ids=lambda v: getattr(v, "__name__", None)
)
def test_bad_input_ends_in_one_sentence_and_the_others_go_on(
    rig: Rig, web: Web, spoil: Spoil, status: int, word: str, sentence: str
) -> None:
    publish(web, "1.1")
    publish(web, "2.0", name="other", path="/other/")
    write_tool(rig.tools, web.url + "/dl/", "1.1")
    write_tool(rig.tools, web.url + "/other/", "2.0", name="other")
    spoil(rig, web)
    rows = {row["tool"]: row for row in rig.json("sync", "hello", "other", status=status)}
    assert rows["other"]["status"] == "up-to-date", rows["other"]
    assert rows["hello"]["status"] == word, rows["hello"]
    assert sentence in rows["hello"]["message"]
    assert not any(name.startswith("hello_") for name in rig.pool())
    parts = {path for path in rig.leftovers() if path.parent.name == "partial"}
    assert set(rig.leftovers()) == parts  # what was downloaded so far may be taken up again
    told = rig.run("why", "hello").stdout
    assert told.strip()


def test_a_file_changed_under_its_version_is_an_alarm_that_never_ships(
    hello: Rig, web: Web
) -> None:
    hello.run("sync", "hello")
    before = hello.pool()
    evil = archive("1.0", extra={"evil": "x"})
    web.serve("/dl/hello-1.0.tar.gz", evil, etag='"2"')
    hello.state.joinpath("journal.sqlite").exists()
    row = hello.json("fetch", "hello", "--output", hello.root / "out", status=3)
    assert row["verify"] == "bad"
    assert row["accepted"] is False
    assert not (hello.root / "out").exists()
    assert hello.pool() == before


def test_a_page_that_names_an_older_newest_is_a_recall(hello: Rig, web: Web) -> None:
    publish(web, "1.0", "1.1")
    hello.run("sync", "hello")
    publish(web, "1.0")
    (row,) = hello.json("sync", "hello", status=3)
    assert row["status"] == "recalled"
    assert "1.1 is published, but the page now names 1.0 as newest" in row["message"]
    assert "hello_1.1-0debian1~ppa1~deb12.1_all.deb" in hello.pool()


def test_no_network_is_unreachable_since_when(hello: Rig, web: Web) -> None:
    hello.run("sync", "hello")
    gone = write_tool(hello.tools, "http://127.0.0.1:9/dl/", "1.0", name="gone")
    assert gone.is_dir()
    found = statuses(hello, "check", "hello", "gone", status=4)
    assert found == {"hello": "up-to-date", "gone": "unreachable"}
    web.serve("/dl/", status=503)
    (row,) = hello.json("check", "hello", status=4)
    assert row["status"] == "unreachable"
    assert "last answer: 20" in row["message"]


def test_a_faulty_tool_is_told_with_all_its_faults(hello: Rig) -> None:
    file = hello.tools / "hello" / "tool.toml"
    file.write_text("summary = 1\n[watch]\nkind = 'x'\n")
    done = hello.run("check", "hello", status=5)
    for part in (str(file), "summary", "homepage", "watch.kind"):
        assert part in done.stderr


def test_a_faulty_tool_leaves_the_others_at_work(hello: Rig) -> None:
    (hello.tools / "broken").mkdir()
    (hello.tools / "broken" / "tool.toml").write_text("summary = 1\n")
    rows = {row["tool"]: row for row in hello.json("sync", "hello", "broken", status=5)}
    assert rows["hello"]["status"] == "up-to-date"
    assert rows["broken"]["status"] == "error"
    assert "homepage" in rows["broken"]["message"]


def test_going_back_to_an_older_packaging_is_a_new_revision(hello: Rig) -> None:
    readme = hello.tools / "hello" / "debian" / "README.Debian"
    hello.run("sync", "hello")
    readme.write_text("Read me.\n")
    hello.run("sync", "hello")
    readme.unlink()
    hello.run("sync", "hello")
    assert any("ppa3" in name for name in hello.pool())
    assert "up-to-date" in hello.run("sync", "hello").stdout
    proof = hello.json("evidence", "hello", "1.0")["predicate"]
    assert set(proof["series"]) == {"bookworm", "bookworm/1", "bookworm/2"}
    assert proof["series"]["bookworm"]["package"]["revision"] == 3


def test_a_broken_new_packaging_is_held_until_it_is_taken_back(hello: Rig) -> None:
    rules = hello.tools / "hello" / "debian" / "rules"
    good = rules.read_text()
    hello.run("sync", "hello")
    rules.write_text("#!/usr/bin/make -f\n%:\n\tfalse\n")
    hello.run("sync", "hello", status=3)
    assert statuses(hello, "check", "hello", status=3) == {"hello": "held"}
    assert "did not build" in hello.run("why", "hello").stdout
    rules.write_text(good)
    assert statuses(hello, "sync", "hello") == {"hello": "up-to-date"}
    assert statuses(hello, "check", "hello") == {"hello": "up-to-date"}
    assert not any("ppa2" in name for name in hello.pool())


def test_a_signature_that_comes_later_is_seen(hello: Rig, web: Web) -> None:
    file = hello.tools / "hello" / "tool.toml"
    text = file.read_text()
    digest = hashlib.sha256(archive("1.0")).hexdigest()
    sums = 'method = "checksums"\nchecksums = "{url}.sha256"'
    file.write_text(text.replace('method = "pins"', sums))
    assert statuses(hello, "sync", "hello", status=3) == {"hello": "held"}
    web.serve("/dl/hello-1.0.tar.gz.sha256", f"{digest}  hello-1.0.tar.gz\n")
    assert statuses(hello, "sync", "hello") == {"hello": "up-to-date"}


def test_an_archive_lost_from_its_place_is_made_again(hello: Rig) -> None:
    hello.run("sync", "hello")
    before = hello.pool()
    shutil.rmtree(hello.archive)
    hello.run("sync", "hello")
    assert hello.pool() == before


def test_debug_shows_the_trace_and_keeps_the_status(hello: Rig) -> None:
    words = hello.argv("--debug", "evidence", "hello", "9")
    done = subprocess.run(words, capture_output=True, text=True, env=environment())
    assert done.returncode == 2
    assert "Traceback" in done.stderr


def test_status_tells_of_tools_that_were_never_looked_at(hello: Rig) -> None:
    (row,) = hello.json("status", "hello")
    assert row == {
        **dict.fromkeys(("current", "newest", "status", "url", "message", "looked")),
        "tool": "hello",
        "uploads": [],
        "orphans": [],
    }


def test_a_second_toolsync_is_told_who_runs(hello: Rig) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from toolsync.system.lock import exclusive\n"
        f"with exclusive(Path({str(hello.state)!r}), 'sync'):\n"
        "    print('held', flush=True)\n    time.sleep(60)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment(), text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        done = hello.run("sync", "hello", status=4)
        assert f"process {holder.pid} (toolsync sync) holds {hello.state}" in done.stderr
        assert statuses(hello, "check", "hello") == {"hello": "new"}  # looking needs no lock
    finally:
        holder.kill()
        holder.communicate()


def test_a_missing_program_is_named_with_its_package(hello: Rig) -> None:
    bare = hello.root / "bin"
    bare.mkdir()
    for folder in ("/usr/sbin", "/usr/bin", "/sbin", "/bin"):
        for path in Path(folder).iterdir():
            link = bare / path.name
            if path.name != "reprepro" and not link.is_symlink():  # some lead to nothing
                os.symlink(path, link)
    done = hello.run("sync", "hello", status=5, PATH=str(bare))
    assert "reprepro is not on this machine" in done.stdout
    assert "apt install reprepro" in done.stdout


def test_a_full_disk_half_writes_nothing(hello: Rig) -> None:
    """The state lies on a disk of 1 MB; the archive of the release is larger."""
    words = " ".join(map(repr, hello.argv("sync", "hello", "--json")))
    hello.state.mkdir()
    mount = f"mount -t tmpfs -o size=300k none {hello.state}"
    script = f"{mount} && {words}; echo status $?; ls {hello.state}/store/tmp"
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert "status 4" in done.stdout, done.stdout + done.stderr
    told = done.stdout + done.stderr
    assert any(words in told for words in ("is full", "no room", "journal cannot be written"))
    assert "Traceback" not in told


def test_usage_faults_end_in_two(hello: Rig) -> None:
    assert "no tool named nosuch" in hello.run("check", "nosuch", status=2).stderr
    assert "No such command" in hello.run("frobnicate", status=2).stderr
    assert "was never taken" in hello.run("evidence", "hello", "9", status=2).stderr


def test_output_is_json_alone_on_stdout(hello: Rig) -> None:
    done = hello.run("sync", "hello", "--json")
    assert isinstance(json.loads(done.stdout), list)
    assert "hello 1.0: build [bookworm/1]" in done.stderr


def test_a_newer_release_shown_by_a_killed_run_is_gone_on_with(hello: Rig, web: Web) -> None:
    """As if a kill had come between the archive's turn and the journal's note of it."""
    publish(web, "1.0", "1.1")
    write_tool(hello.tools, web.url + "/dl/", "1.0", "1.1", backlog=2)
    hello.run("sync", "hello")
    wanted = hello.pool()
    with sqlite3.connect(hello.state / "journal.sqlite") as db:
        db.execute("UPDATE upload SET state = 'claimed', served = '' WHERE upstream = '1.1'")
        db.execute("DELETE FROM result WHERE version = '1.1' AND stage IN ('publish', 'confirm')")
    db.close()
    (row,) = hello.json("sync", "hello")
    assert (row["status"], row["published"]) == ("up-to-date", ["1.1"])
    assert hello.pool() == wanted


def test_what_another_target_refuses_holds_nothing_here(hello: Rig) -> None:
    hello.run("sync", "hello")
    journal = Journal.open(hello.state / "journal.sqlite", SystemClock())
    for stage, outcome in (("publish", "done"), ("confirm", "held")):
        key = Key(tool="hello", version="1.0", stage=stage, scope="bookworm/1@ppa:some/where")
        journal.results.record(key, inputs="", outcome=outcome, started="", message="no room")
    journal.close()
    assert statuses(hello, "status", "hello") == {"hello": "up-to-date"}
