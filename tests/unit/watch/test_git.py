"""Repositories behind real smart and dumb servers, and servers that only pretend to be one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.servers.git import Repository
from tests.servers.web import Web
from tests.support.keys import throwaway_keys
from tests.support.rig import Rig
from tests.support.tiny import LICENSE, accepted, write_tool
from tests.support.watching import Watcher, versions
from toolsync.model.errors import Drifted, Hostile, SetupError
from toolsync.system.git import fetched, tag_named
from toolsync.system.ssh import SshKey

PATTERN = r"v?(?P<version>\d[\w.-]*)"
OBJECT = "1" * 40


@pytest.fixture
def upstream() -> Iterator[Watcher]:
    with Watcher() as watcher:
        yield watcher


@pytest.mark.parametrize("kind", ["smart", "dumb"])
def test_tags_of_a_real_repository(upstream: Watcher, tmp_path: Path, kind: str) -> None:
    repository = Repository(tmp_path / "r", "v1.0", "v1.10", "v1.9", "2.0-rc1", "help")
    url = getattr(repository, f"serve_{kind}")(upstream.web)
    sighting = upstream.look(kind="git", url=url + "/", pattern=PATTERN)
    assert versions(sighting) == ["1.10", "1.9", "1.0"]
    assert (sighting.matched, sighting.prereleases) == (4, 1)
    newest = sighting.newest
    assert (newest.url, newest.tag) == (url, "v1.10")
    assert newest.etag == repository.git("rev-parse", "v1.10")
    assert len(upstream.web.asked) == 1
    repository.release("v1.11")
    url = getattr(repository, f"serve_{kind}")(upstream.web)
    again = upstream.look(kind="git", url=url + "/", pattern=PATTERN)
    assert again.newest.version == "1.11"


@pytest.mark.parametrize("kind", ["smart", "dumb"])
def test_a_tag_is_fetched_from_either_server(web: Web, tmp_path: Path, kind: str) -> None:
    repository = Repository(tmp_path / "r", "v1.0", "v1.1")
    url = getattr(repository, f"serve_{kind}")(web)
    with fetched(url, "refs/tags/v1.0") as tree:
        tree.archive("hello-1.0", tmp_path / "a.tar", everything=False)
    assert b"echo v1.0" in (tmp_path / "a.tar").read_bytes()


def test_an_unchanged_dumb_server_costs_one_conditional_request(
    upstream: Watcher, tmp_path: Path
) -> None:
    url = Repository(tmp_path / "r", "v1.0").serve_dumb(upstream.web)
    first = upstream.look(kind="git", url=url, pattern=PATTERN)
    assert not upstream.look(kind="git", url=url, pattern=PATTERN, remembered=first).changed


def test_a_file_beside_the_tag_is_named_by_a_template(upstream: Watcher) -> None:
    upstream.web.serve("/r/info/refs", f"{OBJECT}\trefs/tags/v1.0\n", type="text/plain")
    sighting = upstream.look(
        kind="git", url=upstream.web.url + "/r", pattern=PATTERN, file_url="http://h/{tag}/{version}.zip"
    )  # fmt: skip
    assert sighting.newest.url == "http://h/v1.0/1.0.zip"


BAD = {
    "zzzz": "breaks git's protocol",
    "0fff": "breaks git's protocol",
    "0003": "breaks git's protocol",
    "001e# service=git-upload-pack\n0000": "names no tag",
    "001e# service=git-upload-pack\n0011ERR no such r": "git's error 'no such r'",
    f"001e# service=git-upload-pack\n0040{OBJECT} refs/tags/help\n": "breaks git's protocol",
    "": "empty page",
    "<html>Sign in</html>": "HTML page",
}


@pytest.mark.parametrize(("body", "said"), BAD.items())
def test_bad_advertisements_are_told(upstream: Watcher, body: str, said: str) -> None:
    smart = "application/x-git-upload-pack-advertisement"
    upstream.web.serve("/r/info/refs", body, type=smart)
    with pytest.raises(Drifted, match=said):
        upstream.look(kind="git", url=upstream.web.url + "/r", pattern=PATTERN)


def test_a_dumb_page_must_be_refs(upstream: Watcher) -> None:
    upstream.web.serve("/r/info/refs", "hello\n", type="text/plain")
    with pytest.raises(Drifted, match="no list of refs"):
        upstream.look(kind="git", url=upstream.web.url + "/r", pattern=PATTERN)


def test_another_protocol_is_told(upstream: Watcher) -> None:
    upstream.web.serve("/r/info/refs", "001e# service=git-upload-pack\n0000000eversion 2\n")
    with pytest.raises(SetupError, match="version 2"):
        upstream.look(kind="git", url=upstream.web.url + "/r", pattern=PATTERN)


@pytest.mark.parametrize("random", [True, False])
def test_packs_and_archives_have_a_limit(web: Web, tmp_path: Path, random: bool) -> None:
    """Random bytes make a large pack, zeros a small one and a large archive."""
    repository = Repository(tmp_path / "r")
    data = Random(1).randbytes(300_000) if random else bytes(300_000)
    (repository.folder / "large").write_bytes(data)
    repository.release("v1.0")
    url = repository.serve_smart(web)
    with (
        pytest.raises(Hostile, match="100000 bytes, the limit"),
        fetched(url, "refs/tags/v1.0", limit=100_000) as tree,
    ):
        tree.archive("x", tmp_path / "x.tar", everything=True)


def test_what_a_tag_says_of_itself() -> None:
    text = f"object {OBJECT}\ntype commit\ntag v1.0\ntagger A <a@a>\n\ntag v2.0\n".encode()
    assert tag_named(text) == ("v1.0", OBJECT)
    assert tag_named(text.replace(b"type commit", b"type tree")) == ("", "")


SIGNED = """
[verify]
method = "tag"
keys = ["{key}"]
[compat]
probe = false
reason = "a test"
"""


def tagged_tool(rig: Rig, url: str, key: str, kind: str = "keys") -> Path:
    signed = SIGNED.format(key=key).replace("keys =", f"{kind} =")
    folder = write_tool(rig.tools, url, toml=signed + accepted(LICENSE))
    text = (folder / "tool.toml").read_text()
    text = text.replace('kind = "html"', 'kind = "git"')
    (folder / "tool.toml").write_text(
        text.replace("hello-(?P<version>[\\d.]+)\\.tar\\.gz", r"v(?P<version>[\d.]+)")
    )
    return folder


def test_a_signed_tag_proves_its_own_tree_and_no_other(rig: Rig, web: Web) -> None:
    repository = Repository(rig.root / "r")
    with throwaway_keys() as keys:
        ours, stranger = keys.make("Ours"), keys.make("Stranger")
        repository.release("v1.0", keys=keys, signer=ours)
        url = repository.serve_smart(web)
        folder = tagged_tool(rig, url, ours)
        keys.export(folder / "keys" / "ours.asc", ours)

        def taken(status: int = 0) -> dict[str, Any]:
            answer: dict[str, Any] = rig.json("fetch", "hello", "-o", rig.root / "o", status=status)
            return answer

        found = taken()
        assert (found["version"], found["verify"], found["accepted"]) == ("1.0", "good", True)
        assert found["orig"] == "hello_1.0.orig.tar.xz"

        repository.release("v1.1")
        assert (found := taken(3))["verify"] == "missing-signature", found
        repository.git("tag", "--delete", "v1.1")
        repository.release("v1.2", keys=keys, signer=stranger)
        assert "another key" in (found := taken(3))["message"], found
        repository.git("tag", "--delete", "v1.2")
        # An old signed tag under a new name is the classic way to pass a release off.
        repository.git("update-ref", "refs/tags/v1.3", repository.git("rev-parse", "v1.0"))
        assert "was signed as 'v1.0'" in (found := taken(3))["message"], found


def ssh_key(path: Path) -> str:
    """Make an SSH key and return its public line."""
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "Release Team", "-f", str(path)]
    subprocess.run(words, check=True)
    return path.with_suffix(".pub").read_text().strip()


def test_a_tag_signed_with_ssh_is_a_proof_where_its_key_is_pinned(rig: Rig, web: Web) -> None:
    ours, other = ssh_key(rig.root / "ours"), ssh_key(rig.root / "other")
    repository = Repository(rig.root / "r")
    repository.release("v1.0", ssh=rig.root / "ours")
    url = repository.serve_smart(web)
    tagged_tool(rig, url, ours, "ssh")

    def taken(status: int = 0) -> dict[str, Any]:
        answer: dict[str, Any] = rig.json("fetch", "hello", "-o", rig.root / "o", status=status)
        return answer

    found = taken()
    assert (found["verify"], found["accepted"]) == ("good", True)
    assert "signed by the SSH key SHA256:" in found["message"]
    assert "(Release Team)" in found["message"]

    repository.release("v1.1", ssh=rig.root / "other")
    fingerprint = SshKey.read(other).fingerprint
    said = (found := taken(3))["message"]
    assert f"the tag v1.1 is signed by the SSH key {fingerprint} (ssh-ed25519); wanted:" in said
    assert found["verify"] == "bad"

    repository.git("tag", "--delete", "v1.1")
    repository.git("update-ref", "refs/tags/v1.2", repository.git("rev-parse", "v1.0"))
    assert "was signed as 'v1.0'" in taken(3)["message"]
    repository.git("tag", "--delete", "v1.2")

    text = repository.git("cat-file", "tag", "v1.0").replace("tag v1.0", "tag v1.3")
    (rig.root / "forged").write_text(text + "\n")
    forged = repository.git("hash-object", "-t", "tag", "-w", str(rig.root / "forged"))
    repository.git("update-ref", "refs/tags/v1.3", forged)
    assert "signature is bad" in taken(3)["message"]


def test_a_tag_signed_with_ssh_is_said_to_be_signed(rig: Rig, web: Web) -> None:
    ssh_key(rig.root / "theirs")
    repository = Repository(rig.root / "r")
    repository.release("v1.0", ssh=rig.root / "theirs")
    with throwaway_keys() as keys:
        ours = keys.make("Ours")
        folder = tagged_tool(rig, repository.serve_smart(web), ours)
        keys.export(folder / "keys" / "ours.asc", ours)
        found = rig.json("fetch", "hello", "-o", rig.root / "o", status=3)
    assert "the tag v1.0 is signed by the SSH key SHA256:" in found["message"]
    assert found["verify"] == "bad"
    shown = rig.run("fetch", "hello", "-o", rig.root / "o", status=3)
    assert "verify.ssh" in shown.stdout + shown.stderr
