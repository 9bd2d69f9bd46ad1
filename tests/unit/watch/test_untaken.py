"""What matches and cannot be taken is told, and words put releases where they belong."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.watching import Watcher, versions
from tests.unit.watchfile.test_servers import Folder
from toolsync.model.versions import mangle, upstream_key
from toolsync.model.words import misplaced

WIDE = r"foo-(?P<version>.+)\.tar\.gz"
BEFORE = """
-M1 -M.1 -ea -ea.2 -next.3 -milestone1 -test -testing2 -unstable -devel -edge -insiders
-experimental -draft -early -wip -dp1 -tp.2 -a.1 betaX -betaX -rc.1 rc1 b2 .dev3 -canary.4
-candidate -release-candidate.1 -prealpha -pre-beta.2 -techpreview -technical-preview2 -daily
-development -weekly.3 -trunk -prototype -unreleased -ctp1 -alpha.1.beta
""".split()  # noqa: SIM905 (it is read more easily so)
AFTER = """
p1 .sp1 .SP1 .post1 -patch1 -hotfix.2 .update3 .Final -ga a -release -security -hf2 -SR2 -incubating
-release.2 j2 -build.4-p1 +git20240101.1a2b3c4 -5-g1a2b3c4
""".split()  # noqa: SIM905
UNKNOWN = """
-foobar .quux1 -n zeta2 -release-foobar -p1-quux -x64 -i386 -k8s +foobar
""".split()  # noqa: SIM905


@pytest.fixture
def upstream() -> Iterator[Watcher]:
    with Watcher() as watcher:
        yield watcher


def listed(*names: str) -> str:
    return "".join(f'<a href="foo-{name}.tar.gz">x</a>\n' for name in names)


@pytest.mark.parametrize("word", [*BEFORE, " RC 1"])
def test_words_before_a_final(upstream: Watcher, word: str) -> None:
    upstream.web.serve("/", listed("2.0.0", f"2.0.0{word}".replace(" ", "%20"), "1.9"))
    found = upstream.look(kind="html", pattern=WIDE)
    assert versions(found) == ["2.0.0", "1.9"]
    assert found.untaken == ()
    assert upstream_key(mangle(f"2.0.0{word}")) < upstream_key("2.0.0")


@pytest.mark.parametrize("word", AFTER)
def test_words_after_a_final(upstream: Watcher, word: str) -> None:
    upstream.web.serve("/", listed("2.0.0", f"2.0.0{word}", "1.9"))
    found = upstream.look(kind="html", pattern=WIDE)
    assert versions(found)[0] == f"2.0.0{word}"
    assert found.untaken == ()


@pytest.mark.parametrize("word", UNKNOWN)
def test_a_word_that_nobody_knows_is_not_taken_silently(upstream: Watcher, word: str) -> None:
    if word == "-n":  # a single letter is a later fix, as openssl has them
        assert misplaced({"2.0.0", "2.0.0-n"}) == {}
        return
    upstream.web.serve("/", listed("2.0.0", f"2.0.0{word}", "1.9"))
    found = upstream.look(kind="html", pattern=WIDE)
    assert versions(found) == ["2.0.0", "1.9"]
    (untaken,) = found.untaken
    assert (untaken.raw, untaken.newer) == (f"2.0.0{word}", True)
    assert "nobody knows" in untaken.why
    upstream.web.serve("/", listed(f"2.0.0{word}", "1.9"))  # without its final it is one itself
    assert versions(upstream.look(kind="html", pattern=WIDE))[0] == f"2.0.0{word}"


def test_what_has_no_debian_spelling_is_kept_in_sight(upstream: Watcher) -> None:
    upstream.web.serve("/", listed("1.0", "1.1_1", "0.9_2", "latest"))
    found = upstream.look(kind="html", pattern=WIDE)
    assert versions(found) == ["1.0"]
    assert found.matched == 1
    assert [(u.raw, u.newer) for u in found.untaken] == [
        ("1.1_1", True), ("0.9_2", False), ("latest", False)
    ]  # fmt: skip
    assert "Debian Policy" in found.untaken[0].why


class Told:
    """A folder with debian/watch at 1.0 and a page with a newer file that cannot be taken."""

    def __init__(self, rig: Rig, web: Web) -> None:
        self.folder, self.rig = Folder(rig, web), rig
        self.text = f"version=4\n{web.url}/ foo-(.+)\\.tar\\.gz\n"


def test_it_is_told_by_check_and_why(rig: Rig, web: Web) -> None:
    told = Told(rig, web)
    web.serve("/", listed("1.0", "1.1_1"))
    row = told.folder.check(told.text, status=3)
    assert (row["status"], row["newest"]) == ("held", "1.0")
    assert "1.1_1 (foo-1.1_1.tar.gz) is not taken: 1.1_1 is no version" in row["message"]
    assert row["warnings"]
    answer = json.loads(rig.run("why", told.folder.debian.parent, "--json").stdout)
    assert "1.1_1" in answer["why"]
    web.serve("/", listed("1.0", "0.9_1"))
    row = told.folder.check(told.text)
    assert row["status"] == "up-to-date"
    assert "0.9_1" in row["warnings"][0]


def test_a_prerelease_beside_its_final_is_not_a_watch_files_newest(rig: Rig, web: Web) -> None:
    told = Told(rig, web)
    web.serve("/", listed("2.0.0", "2.0.0-M1", "2.0.0-next.3"))
    row = told.folder.check(told.text)
    assert (row["status"], row["newest"]) == ("new", "2.0.0")
    assert any("comes before 2.0.0" in words for words in row["warnings"])


def test_what_follows_a_plus_comes_after_where_an_ecosystem_says_so(upstream: Watcher) -> None:
    files = [{"filename": f"foo-{v}.tar.gz", "url": "x", "hashes": {}} for v in ("2.0", "2.0+cpu")]
    body = json.dumps({"files": files})
    upstream.web.serve("/foo/", body, type="application/vnd.pypi.simple.v1+json")
    found = upstream.look(kind="index", project="foo")
    assert (versions(found), found.untaken) == (["2.0+cpu", "2.0"], ())
