"""Releases that a team decides over: proposed, merged, published, and never twice."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.servers.git import Writable
from tests.servers.requests import TOKEN, Forge
from tests.servers.web import Web
from tests.service.test_git_import import forget, pushed, refs, run
from tests.support.rig import Rig
from tests.support.tiny import LICENSE, accepted, publish, write_tool

KINDS = ("gitlab", "github", "forgejo")


@pytest.fixture
def forge(web: Web, tmp_path: Path, kind: str) -> Forge:
    """A forge with an empty project."""
    return Forge(web, Writable(web, tmp_path / "hello.git", token=TOKEN), kind)


@pytest.fixture
def kind() -> str:
    """The kind of forge, where a test does not say."""
    return "gitlab"


@pytest.fixture
def proposing(rig: Rig, web: Web, tmp_path: Path, forge: Forge) -> Rig:
    """A tool whose releases are proposed there."""
    publish(web, "1.0")
    write_tool(rig.tools, web.url + "/dl/", "1.0", "1.1")
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    # The server has its repository at the top, and the project in the API.
    forge.repository.path = "/team/hello.git"
    forge.repository.serve(web)
    rig.configure(
        f'{rig.settings}\n[git]\nrepository = "{web.url}/team/{{name}}.git"\npropose = true\n'
        f'forge = "{forge.kind}"\napi = "{forge.url}"\ntoken_file = "{token}"\n'
    )
    return rig


def told(rig: Rig, status: int = 3) -> str:
    (one,) = rig.json("status", "hello", status=status)
    return f"{one['status']}: {one['message']}"


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_merged_is_published(proposing: Rig, forge: Forge) -> None:
    proposing.run("sync", "hello", status=3)
    (one,) = forge.kept
    assert (one.base, one.branch) == ("debian/latest", "toolsync/1.0-0debian1_ppa1_deb12.1")
    assert not list(proposing.archive.rglob("*.deb"))
    before, at = refs(forge.repository.folder), forge.repository.folder
    # Nobody has said yes to these files: they lie on their own branch alone, and nothing is signed.
    assert sorted(before) == ["refs/heads/debian/latest", f"refs/heads/{one.branch}"]
    assert run("git", "ls-tree", "-r", "debian/latest", at=at) == ""
    said = told(proposing)
    assert "held: 1.0 waits for merge request http://" in said
    assert "waits for merge request" in proposing.run("why", "hello", status=None).stdout
    proposing.run("sync", "hello", status=3)
    assert len(forge.kept) == 1
    commit = forge.merge(1, "ann")
    proposing.run("sync", "hello")
    assert len(list(proposing.archive.rglob("*.deb"))) == 1
    assert "up-to-date" in told(proposing, 0)
    found = refs(forge.repository.folder)
    tag = "debian/1.0-0debian1_ppa1_deb12.1"
    assert found["refs/heads/debian/latest"] == commit
    assert run("git", "rev-parse", f"{tag}^{{commit}}", at=forge.repository.folder) == commit
    run("git", "merge-base", "--is-ancestor", "upstream/latest", "debian/latest", at=at)
    run("git", "merge-base", "--is-ancestor", "upstream/1.0", "upstream/latest", at=at)
    assert "hello_1.0.orig.tar.gz.delta" in run("git", "ls-tree", "pristine-tar", at=at)
    proposing.run("sync", "hello")
    assert refs(forge.repository.folder) == found


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_closed_is_rejected_in_the_persons_name(proposing: Rig, forge: Forge) -> None:
    proposing.run("sync", "hello", status=3)
    forge.close(1, "bob")
    proposing.run("sync", "hello", status=3)
    assert "1.0 was rejected by bob, who closed http://" in told(proposing)
    proposing.run("sync", "hello", status=3)
    assert len(forge.kept) == 1
    assert not list(proposing.archive.rglob("*.deb"))


def test_a_tag_that_was_there_before_the_merge_is_not_believed(
    proposing: Rig, forge: Forge, tmp_path: Path
) -> None:
    proposing.run("sync", "hello", status=3)
    forge.merge(1, "ann")
    pushed(forge.repository.folder, tmp_path / "mallory", "debian/rules", "#!/bin/sh\n")
    tag = "debian/1.0-0debian1_ppa1_deb12.1"
    run("git", "tag", "-m", "mine", tag, "debian/latest", at=forge.repository.folder)
    done = proposing.run("sync", "hello", status=3)
    assert f"has a tag refs/tags/{tag} of another 1.0" in done.stdout + done.stderr
    assert "debian/rules" in done.stdout + done.stderr


def test_what_was_changed_in_the_request_is_not_published(proposing: Rig, forge: Forge) -> None:
    proposing.run("sync", "hello", status=3)
    forge.merge(1, "ann", more="a file of hers\n")
    proposing.run("sync", "hello", status=3)
    assert "was merged with other files than were proposed: debian/more" in told(proposing)
    assert not list(proposing.archive.rglob("*.deb"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_strangers_fork_with_a_branch_of_that_name_decides_nothing(
    proposing: Rig, forge: Forge
) -> None:
    branch = "toolsync/1.0-0debian1_ppa1_deb12.1"
    for number in range(60):  # more than a page, open, closed and of forks that are gone
        forge.fork(branch, gone=number == 59)
        forge.kept[-1].state = ("open", "closed", "merged")[number % 3]
    proposing.run("sync", "hello", status=3)
    own = [one for one in forge.kept if one.project == 7]
    assert [one.branch for one in own] == [branch]
    assert {one.text for one in forge.kept[:60]} == {"mine"}
    forge.merge(own[0].number, "ann")
    proposing.run("sync", "hello")
    assert len(list(proposing.archive.rglob("*.deb"))) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_when_the_request_was_made_makes_no_second(proposing: Rig, forge: Forge) -> None:
    started: list[subprocess.Popen[bytes]] = []
    forge.made = lambda: started[0].kill()
    started.append(proposing.start("sync", "hello"))
    assert started[0].wait(120) == -9
    assert len(forge.kept) == 1
    forge.made = lambda: None
    proposing.run("sync", "hello", status=3)
    assert len(forge.kept) == 1
    before = refs(forge.repository.folder)
    forge.kept[0].text = ""
    forget(proposing)  # as a kill between the push and the journal leaves it
    proposing.run("sync", "hello", status=3)
    assert (len(forge.kept), refs(forge.repository.folder)) == (1, before)
    assert "Upstream has released `1.0`" in forge.kept[0].text


def held_by_the_license(rig: Rig, terms: str = "[license]\n") -> None:
    """Let the license gate hold what there is."""
    file = rig.tools / "hello" / "tool.toml"
    file.write_text(file.read_text().replace(accepted(LICENSE), terms))


def test_a_merge_while_the_text_is_changed_approves_nothing(proposing: Rig, forge: Forge) -> None:
    held_by_the_license(proposing)
    proposing.run("sync", "hello", status=3)
    file = proposing.tools / "hello" / "tool.toml"
    asking = '[license]\nexpression = "LicenseRef-x"\n'
    file.write_text(file.read_text().replace("[license]\n", asking))

    def merging() -> None:
        forge.merge(1, "ann")

    forge.editing = merging
    proposing.run("sync", "hello", status=3)
    forge.editing = lambda: None
    proposing.run("sync", "hello", status=3)
    assert not list(proposing.archive.rglob("*.deb"))
    proposing.run("approve", "hello", "1.0", "--reason", "seen")
    proposing.run("sync", "hello")
    assert len(list(proposing.archive.rglob("*.deb"))) == 1


def test_a_text_that_somebody_changed_before_the_merge_has_shown_nothing(
    proposing: Rig, forge: Forge
) -> None:
    held_by_the_license(proposing)
    proposing.run("sync", "hello", status=3)
    written, forge.kept[0].text = forge.kept[0].text, "Nothing to see here.\n"
    proposing.run("sync", "hello", status=3)
    assert forge.kept[0].text == written
    forge.kept[0].text = "Nothing to see here.\n"
    forge.merge(1, "ann")
    done = proposing.run("sync", "hello", status=3)
    assert "approves nothing: its text is not what was written" in done.stdout
    assert not list(proposing.archive.rglob("*.deb"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("merging", [False, True])
def test_an_old_request_decides_nothing_over_new_bytes(
    proposing: Rig, forge: Forge, merging: bool
) -> None:
    proposing.run("sync", "hello", status=3)
    if merging:
        forge.merge(1, "bob")
    else:
        forge.close(1, "bob")
    control = proposing.tools / "hello" / "debian" / "control"
    control.write_text(control.read_text().replace("says its version", "tells its version"))
    proposing.run("sync", "hello", status=3)
    assert [one.state for one in forge.kept] == ["merged" if merging else "closed", "open"]
    assert "requests/2" in told(proposing) or "pulls/2" in told(proposing)
    forge.merge(2, "ann")
    proposing.run("sync", "hello")
    assert len(list(proposing.archive.rglob("*.deb"))) == 1


@pytest.mark.parametrize("name", ["debian/rules", "salsa-ci.yml"])
def test_a_colleagues_work_is_not_reverted_by_a_proposal(
    proposing: Rig, forge: Forge, tmp_path: Path, name: str
) -> None:
    proposing.run("sync", "hello", status=3)
    forge.merge(1, "ann")
    proposing.run("sync", "hello")
    head = pushed(forge.repository.folder, tmp_path / "colleague", name, "#!/usr/bin/make -f\n")
    publish(forge.web, "1.1", "1.0")
    done = proposing.run("sync", "hello", status=3)
    assert "somebody else has pushed" in done.stdout + done.stderr
    assert len(forge.kept) == 1
    tool = proposing.tools / "hello" / "tool.toml"
    tool.write_text(f'{tool.read_text()}\n[git]\nover = "{head}"\n')
    proposing.run("sync", "hello", status=3)
    assert len(forge.kept) == 2


def test_a_merge_that_no_run_has_seen_yet_is_nobody_elses(proposing: Rig, forge: Forge) -> None:
    proposing.run("sync", "hello", status=3)
    forge.merge(1, "ann")
    publish(forge.web, "1.1", "1.0")
    proposing.run("sync", "hello", status=3)
    assert len(forge.kept) == 2


def test_a_merge_approves_what_another_series_is_held_for(proposing: Rig, forge: Forge) -> None:
    rules = proposing.tools / "hello" / "debian" / "rules"
    rules.write_text(
        f"{rules.read_text()}execute_after_dh_install:\n"
        "\tif head -1 debian/changelog | grep -q '^hello (1.0-.*deb13'; then"
        " cp hello debian/hello/usr/bin/more; fi\n"
    )
    both = proposing.file.read_text().replace('["bookworm"]', '["bookworm", "trixie"]')
    proposing.file.write_text(both)
    proposing.run("sync", "hello", status=3)
    forge.merge(1, "ann")
    proposing.run("sync", "hello")
    publish(forge.web, "1.1", "1.0")
    proposing.run("sync", "hello", status=3)  # what the first series has lacks nothing
    assert "usr/bin/more" in forge.kept[1].text
    forge.merge(2, "ann")
    proposing.run("sync", "hello")
    assert "ann (merge request)" in proposing.run("log", "hello").stdout
    assert len(list(proposing.archive.rglob("hello_1.1*.deb"))) == 2


@pytest.mark.parametrize("closing", [False, True])
def test_what_a_gate_holds_is_proposed_with_what_it_found(
    proposing: Rig, forge: Forge, closing: bool
) -> None:
    file = proposing.tools / "hello" / "tool.toml"
    file.write_text(file.read_text().replace(accepted(LICENSE), "[license]\n"))
    proposing.run("sync", "hello", status=3)
    (one,) = forge.kept
    assert "### license: review, **waits for a person**" in one.text
    assert all(not line.startswith("/") for line in one.text.splitlines())
    assert "waits for merge request" in told(proposing)
    if closing:
        forge.close(1, "bob")
        proposing.run("sync", "hello", status=3)
        assert "bob" in told(proposing)
        assert "by bob: hello 1.0 was rejected by bob" in proposing.run("log", "hello").stdout
        forge.kept[0].state = "open"  # as its text says: opened again, and merged
    forge.merge(1, "ann")
    proposing.run("sync", "hello")
    assert len(list(proposing.archive.rglob("*.deb"))) == 1
    assert "ann (merge request)" in proposing.run("log", "hello").stdout


def test_what_a_gate_finds_later_is_shown_before_a_merge_counts_for_it(
    proposing: Rig, forge: Forge
) -> None:
    file = proposing.tools / "hello" / "tool.toml"
    known = file.read_text()
    file.write_text(known.replace(accepted(LICENSE), "[license]\n"))
    proposing.run("sync", "hello", status=3)
    forge.merge(1, "ann")
    file.write_text(known.replace(accepted(LICENSE), '[license]\nexpression = "LicenseRef-x"\n'))
    proposing.run("sync", "hello", status=3)  # another policy: the question is another one
    assert not list(proposing.archive.rglob("*.deb"))
    proposing.run("approve", "hello", "1.0", "--reason", "seen")
    proposing.run("sync", "hello")
    assert len(list(proposing.archive.rglob("*.deb"))) == 1
