"""Releases in a team's repository: imported with gbp, by DEP-14, and never over others' work."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers.git import Writable
from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool

VERSION = "1.0-0debian1~ppa1~deb12.1"
_ENV = {
    **{name: text for name, text in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "HOME": "/nonexistent",
    **{f"GIT_{role}_NAME": "A" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "a@a.invalid" for role in ("AUTHOR", "COMMITTER")},
    "GBP_CONF_FILES": "/dev/null",
}


def run(*words: str | Path, at: Path, **env: str) -> str:
    """Run a program and return what it printed."""
    done = subprocess.run(
        list(map(str, words)), cwd=at, env=_ENV | env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def refs(repository: Path) -> dict[str, str]:
    """Return all refs, and their objects."""
    lines = run("git", "for-each-ref", "--format=%(refname) %(objectname)", at=repository)
    return dict(line.split() for line in lines.splitlines())


def pushed(repository: Path, folder: Path, name: str, text: str) -> str:
    """Let a colleague change a file on the packaging's branch; return the commit."""
    run("git", "clone", "-q", "-b", "debian/latest", repository, folder, at=repository)
    (folder / name).write_text(text)
    run("git", "add", name, at=folder)
    run("git", "commit", "-qm", f"Change {name}", at=folder)
    run("git", "push", "-q", "origin", "debian/latest", at=folder)
    return run("git", "rev-parse", "HEAD", at=folder)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An empty repository, as a forge makes one."""
    run("git", "init", "-q", "--bare", "hello.git", at=tmp_path)
    return tmp_path / "hello.git"


@pytest.fixture
def set_up(rig: Rig, web: Web, repository: Path) -> Rig:
    """A tool whose releases go there."""
    publish(web, "1.0")
    write_tool(rig.tools, web.url + "/dl/", "1.0", "1.1")
    rig.configure(f'{rig.settings}\n[git]\nrepository = "{repository.parent}/{{name}}.git"\n')
    return rig


def test_a_release_is_imported_as_gbp_takes_it(
    set_up: Rig, repository: Path, tmp_path: Path
) -> None:
    set_up.run("sync", "hello")
    found = refs(repository)
    assert set(found) == {
        *("refs/heads/debian/latest", "refs/heads/upstream/latest", "refs/heads/pristine-tar"),
        *("refs/tags/upstream/1.0", f"refs/tags/debian/{VERSION.replace('~', '_')}"),
    }
    tag = run("git", "cat-file", "tag", f"debian/{VERSION.replace('~', '_')}", at=repository)
    assert "BEGIN PGP SIGNATURE" in tag
    env = {"GNUPGHOME": str(set_up.state / "gnupg")}
    run("git", "verify-tag", "upstream/1.0", at=repository, **env)
    clone = tmp_path / "clone"
    run("git", "clone", "-q", "-b", "debian/latest", repository, clone, at=tmp_path)
    for branch in ("upstream/latest", "pristine-tar"):
        run("git", "branch", "-q", branch, f"origin/{branch}", at=clone)
    words = ("--git-debian-branch=debian/latest", "--git-upstream-branch=upstream/latest")
    builder = "--git-builder=dpkg-buildpackage --build=source -us -uc -d"
    run("gbp", "buildpackage", "--git-pristine-tar", *words, builder, at=clone)
    pool = {path.name: path for path in set_up.archive.rglob("hello_*")}
    orig = "hello_1.0.orig.tar.gz"
    assert digest(tmp_path / orig) == digest(pool[orig])
    assert (clone / "debian" / "changelog").read_text().startswith(f"hello ({VERSION}) bookworm;")
    assert run("git", "diff", "--stat", at=clone) == ""


def forget(rig: Rig) -> None:
    """Let the journal be as before an import: the run was killed before it wrote that down."""
    with closing(sqlite3.connect(rig.state / "journal.sqlite")) as database, database:
        database.execute("DELETE FROM imported")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_while_it_is_pushed_leaves_all_or_nothing(
    set_up: Rig, web: Web, tmp_path: Path, moment: str
) -> None:
    server = Writable(web, tmp_path / "served.git", token="s3cret")
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    token.chmod(0o600)
    setting = f'[git]\nrepository = "{server.url}"\ntoken_file = "{token}"\n'
    set_up.configure(f"{set_up.settings}\n{setting}")
    started: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        started[0].kill()

    setattr(server, moment, kill)
    started.append(set_up.start("--debug", "sync", "hello"))
    assert started[0].wait(120) == -9
    first = refs(server.folder)
    server.before = server.after = lambda: None
    done = set_up.run("--debug", "sync", "hello")
    assert "s3cret" not in done.stdout + done.stderr
    again = refs(server.folder)
    assert len(again) == 5
    if moment == "after":
        assert again == first


def test_a_token_that_does_not_count_is_told_of(set_up: Rig, web: Web, tmp_path: Path) -> None:
    server = Writable(web, tmp_path / "served.git", token="s3cret")
    set_up.configure(f'{set_up.settings}\n[git]\nrepository = "{server.url}"\n')
    done = set_up.run("sync", "hello", status=4)
    assert "token_file" in done.stdout + done.stderr


def test_the_same_release_gives_the_same_commits_and_is_pushed_once(
    set_up: Rig, repository: Path
) -> None:
    set_up.run("sync", "hello")
    first = refs(repository)
    set_up.run("sync", "hello")
    assert refs(repository) == first
    heads = {name: found for name, found in first.items() if "heads" in name}
    for name in first:
        run("git", "update-ref", "-d", name, at=repository)
    forget(set_up)
    set_up.run("sync", "hello")
    again = refs(repository)
    assert again.keys() == first.keys()
    del heads["refs/heads/pristine-tar"]  # its deltas hold the minute
    assert {name: again[name] for name in heads} == heads


def test_a_run_that_was_killed_after_the_push_finds_its_own(set_up: Rig, repository: Path) -> None:
    set_up.run("sync", "hello")
    first = refs(repository)
    forget(set_up)
    set_up.run("sync", "hello")
    assert refs(repository) == first


def test_what_is_published_is_news_whatever_git_says(set_up: Rig, repository: Path) -> None:
    repository.rename(repository.with_suffix(".away"))
    (said,) = set_up.json("sync", "hello", status=4)
    assert said["published"] == ["1.0"]
    assert "git could not ls-remote" in said["message"]
    repository.with_suffix(".away").rename(repository)
    set_up.run("sync", "hello")
    assert "refs/heads/debian/latest" in refs(repository)


def test_a_file_beside_the_packaging_is_somebodys_work(
    set_up: Rig, repository: Path, web: Web, tmp_path: Path
) -> None:
    set_up.run("sync", "hello")
    pushed(repository, tmp_path / "colleague", "salsa-ci.yml", "include: all\n")
    before = refs(repository)
    publish(web, "1.1", "1.0")
    done = set_up.run("sync", "hello", status=3)
    assert "somebody else has pushed" in done.stdout + done.stderr
    assert refs(repository) == before


def test_what_somebody_else_has_pushed_is_never_built_upon_unasked(
    set_up: Rig, repository: Path, web: Web, tmp_path: Path
) -> None:
    set_up.run("sync", "hello")
    head = pushed(repository, tmp_path / "colleague", "debian/rules", "#!/usr/bin/make -f\n")
    before = refs(repository)
    publish(web, "1.1", "1.0")
    set_up.run("sync", "hello", status=3)
    assert refs(repository) == before
    (told,) = set_up.json("status", "hello", status=3)
    assert told["status"] == "held"
    assert head[:12] in told["message"]
    tool = set_up.tools / "hello" / "tool.toml"
    tool.write_text(f'{tool.read_text()}\n[git]\nover = "{head}"\n')
    set_up.run("sync", "hello")
    words = ("git", "merge-base", head, "debian/latest")
    assert run(*words, at=repository) == head
    assert set_up.json("status", "hello")[0]["status"] == "up-to-date"


def test_a_packaging_that_begins_anew_is_no_child_of_pristine_tars(
    set_up: Rig, repository: Path, web: Web
) -> None:
    set_up.run("sync", "hello")
    run("git", "update-ref", "-d", "refs/heads/debian/latest", at=repository)
    publish(web, "1.1", "1.0")
    set_up.run("sync", "hello")
    above = run("git", "rev-list", "debian/latest", at=repository).split()
    assert run("git", "rev-parse", "upstream/latest", at=repository) in above
    assert run("git", "rev-parse", "pristine-tar~1", at=repository) not in above


def test_a_tag_that_is_anothers_is_told(set_up: Rig, repository: Path, tmp_path: Path) -> None:
    set_up.run("sync", "hello")
    head = pushed(repository, tmp_path / "colleague", "debian/rules", "#!/usr/bin/make -f\n")
    tag = f"debian/{VERSION.replace('~', '_')}"
    run("git", "tag", "-f", "-m", "mine", tag, head, at=repository)
    forget(set_up)
    done = set_up.run("sync", "hello", status=3)
    assert f"has a tag refs/tags/{tag} of another" in done.stdout + done.stderr
    assert "debian/rules" in done.stdout + done.stderr
