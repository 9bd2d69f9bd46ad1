"""Trees of odd shape, upstream's and ours, end in a package or in a word to the operator."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archives import Item, folder, symlink, tar
from tests.unit.package.test_stage import cleared, make, store, tool
from toolsync.config.definition import Tool
from toolsync.model.errors import PackageFailed, SetupError
from toolsync.model.release import Licensed, SourcePackage
from toolsync.setup.tools import load_tool
from toolsync.system.store import Store

__all__ = ["store", "tool"]  # fixtures

ROOT = Path(__file__).parents[3]
HELLO = Item(name="hello-1.0/hello", data=b"#!/bin/sh\necho 1.0\n", mode=0o755)

TREES: dict[str, Sequence[Item]] = {
    "debian is a link": (HELLO, symlink("hello-1.0/debian", "packaging"),
        Item(name="hello-1.0/packaging/control", data=b"Source: theirs\n")),
    "debian is a link to nothing": (HELLO, symlink("hello-1.0/debian", "nowhere")),
    "debian is a file": (HELLO, Item(name="hello-1.0/debian", data=b"see the wiki\n")),
    "debian is closed": (
        HELLO,
        replace(folder("hello-1.0/debian"), mode=0o555),
        Item(name="hello-1.0/debian/control", data=b"Source: theirs\n", mode=0o444),
    ),
    "all is closed": (
        replace(folder("hello-1.0"), mode=0o555),
        HELLO,
        replace(folder("hello-1.0/lib"), mode=0o555),
        Item(name="hello-1.0/lib/deep/x", data=b"x", mode=0o444),
    ),
}  # fmt: skip


def released(store: Store, items: Sequence[Item]) -> Licensed:
    item = cleared(store)
    data = gzip.compress(tar(items), mtime=0)
    orig = store.add_bytes(data, "hello_1.0.orig.tar.gz")
    return replace(item, unpacked=replace(item.unpacked, orig=orig))


def unpacked(made: SourcePackage, store: Store, into: Path) -> Path:
    """Unpack a source package as dpkg-source does and return its tree."""
    into.mkdir()
    for blob in made.files:
        store.copy_to(blob, into)
    subprocess.run(["dpkg-source", "-x", made.files[0].name, "tree"], cwd=into, check=True)
    return into / "tree"


@pytest.mark.parametrize("case", TREES)
def test_upstreams_own_debian_gives_way(
    tmp_path: Path, store: Store, tool: Tool, case: str
) -> None:
    made = make(released(store, TREES[case]), tool, store, tmp_path / "w", "bookworm")
    tree = unpacked(made, store, tmp_path / "out")
    assert (tree / "debian" / "control").read_text().startswith("Source: hello\n")
    assert not (tree / "debian").is_symlink()
    assert (tree / "hello").read_bytes() == HELLO.data
    theirs = tree / "packaging" / "control"
    assert not theirs.exists() or theirs.read_text() == "Source: theirs\n"


SWEEP = """
import sys
from pathlib import Path
from toolsync.system.work import Workshop
root = Path(sys.argv[1])
shop = Workshop(root, root)
with shop.folder("package") as folder:
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "f").write_text("x")
    (folder / "a" / "b").chmod(0o555)
    (folder / "a").chmod(0o0)
left = shop.root / "left"
(left / "c").mkdir(parents=True)
(left / "c" / "f").write_text("x")
(left / "c").chmod(0o555)
left.chmod(0o555)
shop.sweep()
assert not list(shop.root.iterdir()), list(shop.root.iterdir())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_closed_folders_are_removed_without_any_rights(tmp_path: Path) -> None:
    place = Path("/var/tmp") / f"toolsync-test-{os.getpid()}"
    place.mkdir()
    os.chown(place, 65534, 65534)
    try:
        done = subprocess.run(
            [sys.executable, "-c", SWEEP, place],
            capture_output=True,
            text=True,
            user=65534,
            group=65534,
            extra_groups=[],
            env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": str(place)},
        )
        assert done.returncode == 0, done.stderr
    finally:
        subprocess.run(["rm", "-rf", place], check=True)


def test_links_in_our_debian_are_followed_or_lead_into_the_release(
    tmp_path: Path, store: Store, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the command is run, even where a file of the link's name lies beside that."""
    (tmp_path / "hello").write_text("another one's")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "patches").mkdir()
    (tmp_path / "patches" / "series").write_text("")
    (tool.debian / "patches").symlink_to(tmp_path / "patches")
    (tool.debian / "copy").symlink_to("../hello")
    made = make(released(store, TREES["all is closed"]), tool, store, tmp_path / "w", "bookworm")
    tree = unpacked(made, store, tmp_path / "out")
    assert (tree / "debian" / "copy").readlink() == Path("../hello")
    assert not (tree / "debian" / "patches").is_symlink()


@pytest.mark.parametrize("target", ["nowhere", "../nowhere", "../../../../../../etc/nothing"])
def test_a_link_to_nothing_in_our_debian_is_told(
    tmp_path: Path, store: Store, tool: Tool, target: str
) -> None:
    (tool.debian / "odd").symlink_to(target)
    with pytest.raises(SetupError, match=f"odd is a link to {target}, which is neither") as caught:
        make(cleared(store), tool, store, tmp_path / "w", "bookworm")
    assert caught.value.resolution
    assert len(tool.packaging_digest()) == 64


def test_a_pipe_and_folders_without_end_in_our_debian_are_told(
    tmp_path: Path, store: Store, tool: Tool
) -> None:
    os.mkfifo(tool.debian / "pipe")
    with pytest.raises(SetupError, match="pipe is neither a file nor a folder"):
        make(cleared(store), tool, store, tmp_path / "w", "bookworm")
    (tool.debian / "pipe").unlink()
    (tool.debian / "again").symlink_to(".")
    with pytest.raises(SetupError, match="a link there leads to one above it"):
        make(cleared(store), tool, store, tmp_path / "w", "bookworm")


def test_a_linked_folder_counts_in_the_packagings_digest(tmp_path: Path, tool: Tool) -> None:
    patches = tmp_path / "patches"
    (patches / "below").mkdir(parents=True)
    (patches / "series").write_text("below/one.patch\n")
    patch = patches / "below" / "one.patch"
    patch.write_text("one\n")
    before = load_tool(tool.folder).packaging_digest()
    (tool.debian / "patches").symlink_to(patches)
    first = load_tool(tool.folder).packaging_digest()
    patch.write_text("two\n")
    second = load_tool(tool.folder).packaging_digest()
    (patches / "link").symlink_to("nowhere")
    third = load_tool(tool.folder).packaging_digest()
    assert len({before, first, second, third}) == 4
    linked = load_tool(tool.folder).packaging_digest()
    (tool.debian / "patches").unlink()
    subprocess.run(["cp", "-a", patches, tool.debian / "patches"], check=True)
    assert load_tool(tool.folder).packaging_digest() == linked


PATCHES = {
    "--- a/src/gone.txt\n+++ b/src/gone.txt\n@@ -1 +1 @@\n-one\n+two\n":
        "fix.patch: it changes src/gone.txt, which this release does not have",
    "Description: x\n---\n--- hello-0.9.orig/gone.txt\t2026-01-01\n"
    "+++ hello-0.9/gone.txt\t2026-01-02\n@@ -1 +1 @@\n-one\n+two\n":
        "fix.patch: it changes gone.txt, which this release does not have",
    "--- /dev/null\n+++ b/hello\n@@ -0,0 +1 @@\n+x\n":
        "fix.patch: it adds hello, which this release has already",
    "--- a/hello\n+++ b/hello\n@@ -1,2 +1,2 @@\n #!/bin/bash\n-echo 2\n+echo 3\n":
        "fix.patch: patching file hello; Hunk #1 FAILED at 1",
}  # fmt: skip


@pytest.mark.parametrize("patch", PATCHES, ids=range(len(PATCHES)))
def test_a_patch_that_does_not_apply_is_named_with_its_file(
    tmp_path: Path, store: Store, tool: Tool, patch: str
) -> None:
    patches = tool.debian / "patches"
    patches.mkdir()
    (patches / "series").write_text("fine.patch\nfix.patch\n")
    (patches / "fine.patch").write_text("--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n")
    (patches / "fix.patch").write_text(patch)
    with pytest.raises(PackageFailed) as caught:
        make(cleared(store), tool, store, tmp_path / "w", "bookworm")
    assert f"a patch does not apply: {PATCHES[patch]}" in str(caught.value)
