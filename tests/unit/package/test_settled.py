"""Patches of packaging for an older release: left out, refreshed, or told with all that fails."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.tiny import EPOCH, archive
from tests.support.tiny_packages import consent
from tests.unit.package.test_continued import laid_out
from tests.unit.package.test_stage import cleared, make, store, tool
from toolsync.config.definition import Tool
from toolsync.model.errors import PackageFailed
from toolsync.model.release import Licensed, SourcePackage
from toolsync.package.hunks import strips_blanks
from toolsync.package.patches import settle_patches
from toolsync.system.store import Store

__all__ = ["store", "tool"]  # fixtures

OLD = [f"line {n}\n" for n in range(1, 61)]
HEADER = "Description: why\nOrigin: {}\n\n"


def changed(lines: list[str], *pairs: tuple[str, str]) -> list[str]:
    """Return lines with each ``line N`` of a pair replaced."""
    known = {f"{old}\n": f"{new}\n" for old, new in pairs}
    return [known.get(line, line) for line in lines]


def diff(tmp: Path, old: list[str], new: list[str], name: str = "text", header: str = "") -> str:
    """Return a patch, by the real diff."""
    (tmp / "old").write_text("".join(old))
    (tmp / "new").write_text("".join(new))
    labels = ["--label", f"a/{name}", "--label", f"b/{name}"]
    words = ["diff", "-u", *labels, f"{tmp}/old", f"{tmp}/new"]
    return header + subprocess.run(words, stdout=subprocess.PIPE, text=True).stdout


def packaged(
    tmp: Path, store: Store, tool: Tool, text: list[str], patches: dict[str, str]
) -> SourcePackage:
    """Return the source package of a release that has ``text``."""
    folder = tool.debian / "patches"
    folder.mkdir()
    (folder / "series").write_text("".join(f"{name} # why\n" for name in patches))
    for name, content in patches.items():
        (folder / name).write_text(content)
    item = cleared(store)
    data = archive("1.0", extra={"text": "".join(text)})
    orig = store.add_bytes(data, "hello_1.0.orig.tar.gz")
    verified = item.unpacked.verified
    unpacked = replace(item.unpacked, verified=verified, orig=orig, epoch=EPOCH)
    made = Licensed(unpacked=unpacked, passed=(consent("license"),))
    return make(made, tool, store, tmp / "w", "bookworm")


def test_what_upstream_has_is_left_out_and_what_moved_is_refreshed(
    tmp_path: Path, store: Store, tool: Tool
) -> None:
    first = changed(OLD, ("line 6", "six"))
    second = changed(first, ("line 7", "seven"))  # stands on the first: comes off before it
    partly = changed(OLD, ("line 20", "twenty"), ("line 40", "forty"))
    own = changed(OLD, ("line 50", "ours"))
    near = changed(OLD, ("line 30", "thirty"))
    release = changed(second, ("line 20", "twenty"), ("line 28", "upstream's"))
    release = ["new\n", "newer\n", *release]
    made = packaged(tmp_path, store, tool, release, {
        "first.patch": diff(tmp_path, OLD, first),
        "second.patch": diff(tmp_path, first, second),
        "partly.patch": diff(tmp_path, OLD, partly),
        "own.patch": diff(tmp_path, OLD, own, header=HEADER.format("vendor")),
        "near.patch": diff(tmp_path, OLD, near),
        "gone.patch": "--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n",
    })  # fmt: skip
    (out := tmp_path / "out").mkdir()
    debian = laid_out(made.files, store, out)
    assert (debian / "patches" / "series").read_text().split("\n")[:-1] == [
        "partly.patch # why", "own.patch # why", "near.patch # why",
    ]  # fmt: skip
    wanted = changed(release, ("line 40", "forty"), ("line 50", "ours"), ("line 30", "thirty"))
    assert (debian.parent / "text").read_text() == "".join(wanted)
    assert (debian / "patches" / "own.patch").read_text().startswith(HEADER.format("vendor"))
    found = {f.message.split(" is ")[0]: (f.code, f.severity) for f in made.findings}
    assert found == {
        "Patch first.patch": ("patch-upstream", "info"),
        "Patch second.patch": ("patch-upstream", "info"),
        "Patch gone.patch": ("patch-upstream", "info"),
        "Patch partly.patch": ("patch-refreshed", "info"),
        "Patch own.patch": ("patch-refreshed", "info"),
        "Patch near.patch": ("patch-refreshed", "risky"),
    }
    log = " ".join((debian / "changelog").read_text().split())
    assert "- Patch first.patch is left out: this release has its change." in log
    assert "1 of its 2 hunks are in this release" in log
    patch = (debian / "patches" / "near.patch").read_text()
    done = subprocess.run(["patch", "-p1", "-R", "-F0"], input=patch, text=True,
                          cwd=debian.parent, capture_output=True)  # fmt: skip
    assert "offset" not in done.stdout + done.stderr
    assert done.returncode == 0


def test_upstreams_own_patch_is_left_out_where_most_of_it_is_there(
    tmp_path: Path, store: Store, tool: Tool
) -> None:
    fix = changed(OLD, *((f"line {n}", f"fixed {n}") for n in range(5, 15)))
    later = changed(fix, ("fixed 9", "fixed again 9"))
    header = HEADER.format("upstream, https://vendor.example/commit/abcdef1234")
    else_ = "Applied-Upstream: 0.9.5, commit:123\n\n"
    made = packaged(tmp_path, store, tool, later, {
        "fix.patch": diff(tmp_path, OLD, fix, header=header),
        "old.patch": diff(tmp_path, [*OLD[:8], "x\n", *OLD[8:]], OLD[:12], header=else_),
    })  # fmt: skip
    finding, older = made.findings
    assert older.message.endswith("its header says that upstream has it since 0.9.5")
    assert (finding.code, finding.severity) == ("patch-upstream", "risky")
    assert "commit/abcdef1234, and 9 of the 10 lines that it adds are here" in finding.message


def test_all_patches_that_conflict_are_told_with_hunks_and_upstreams_commit(
    tmp_path: Path, store: Store, tool: Tool
) -> None:
    fix = changed(OLD, *((f"line {n}", f"fixed {n}") for n in range(5, 15)))
    other = changed(OLD, ("line 6", "six"), ("line 28", "last"))
    release = changed(OLD, *((f"line {n}", f"else {n}") for n in range(3, 17)))
    header = HEADER.format("upstream, https://vendor.example/commit/abcdef1234")
    with pytest.raises(PackageFailed) as caught:
        packaged(tmp_path, store, tool, release, {
            "fix.patch": diff(tmp_path, OLD, fix, header=header),
            "fine.patch": "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n",
            "other.patch": diff(tmp_path, OLD, other),
            "bad.patch": "what is this\n",
        })  # fmt: skip
    text = str(caught.value)
    assert "3 patches do not apply:\nfix.patch: patching file text; Hunk #1 FAILED at 2" in text
    assert "Origin: upstream, https://vendor.example/commit/abcdef1234" in text
    assert "other.patch: patching file text; Hunk #1 FAILED at 3" in text
    assert "(1 of its 2 hunks fail)" in text
    assert "-line 6\n" in text
    assert "bad.patch: it is no unified patch" in text
    assert "fine.patch" not in text
    assert len(text) < 4000
    assert ".patches-" not in text, "no random name"


def test_a_later_packagings_patches_are_taken_where_ours_conflict(
    tmp_path: Path, store: Store, tool: Tool
) -> None:
    ours = changed(OLD, ("line 30", "thirty"))
    release = changed(OLD, *((f"line {n}", f"else {n}") for n in range(26, 35)))
    theirs = changed(release, ("else 30", "thirty"))
    place = tool.folder / "later"
    (place / "patches").mkdir(parents=True)
    (place / "patches" / "new.patch").write_text(diff(tmp_path, release, theirs))
    (place / "patches" / "series").write_text("new.patch\n")
    (place / "said").write_text("trixie 1.1-1\n")
    patches = {"own.patch": diff(tmp_path, OLD, ours)}
    with pytest.raises(PackageFailed, match=r"toolsync workspace|does not apply: own.patch"):
        packaged(tmp_path, store, tool, release, patches)  # made for a newer release than this
    shutil.rmtree(tool.debian / "patches")
    before = tool.packaging_digest("1.0")
    (place / "said").write_text("trixie 1:1.0+dfsg-2\n")
    assert tool.packaging_digest("1.0") != before
    made = packaged(tmp_path, store, tool, release, patches)
    (finding,) = made.findings
    assert (finding.code, finding.severity) == ("patches-later", "risky")
    assert finding.message == (
        "Patches are those of packaging 1:1.0+dfsg-2 in trixie, for of ours do not apply: own.patch"
    )
    (out := tmp_path / "out").mkdir()
    debian = laid_out(made.files, store, out)
    assert (debian.parent / "text").read_text() == "".join(theirs)
    (place / "patches" / "new.patch").write_text(diff(tmp_path, OLD, ours))
    shutil.rmtree(tool.debian / "patches")
    with pytest.raises(PackageFailed, match=r"1:1\.0\+dfsg-2 in trixie do not apply either"):
        packaged(tmp_path, store, tool, release, patches)


def test_what_is_gone_from_the_release_is_not_missed_and_what_has_moved_is(
    tmp_path: Path, store: Store, tool: Tool
) -> None:
    tail = ["an ending with blanks  \n"]
    strip = diff(
        tmp_path, [*OLD[:9], *tail, *OLD[9:]], [*OLD[:9], "an ending with blanks\n", *OLD[9:]]
    )
    gone = (
        "--- a/script.py\n+++ b/script.py\n@@ -1,2 +1,2 @@\n #!/usr/bin/python\n"
        "-print 'a line that nobody has'\n+print('a line that nobody has')\n"
    )
    own = changed(OLD, ("line 50", "ours"))
    release = ["new\n", *OLD[:8], "an ending of another kind\n", *OLD[8:]]
    patches = {
        "strip.patch": strip,
        "gone.patch": gone,
        "own.patch": diff(tmp_path, OLD, own),
    }
    made = packaged(tmp_path, store, tool, release, patches)
    found = {f.message.split(" is ")[0]: (f.code, f.severity) for f in made.findings}
    assert found == {
        "Patch strip.patch": ("patch-upstream", "risky"),
        "Patch gone.patch": ("patch-upstream", "risky"),
        "Patch own.patch": ("patch-refreshed", "info"),
    }
    assert "script.py is gone from this release" in made.findings[1].message
    shutil.rmtree(tool.debian / "patches")
    moved = [*release, "print 'a line that nobody has'\n"]
    with pytest.raises(
        PackageFailed, match=r"gone.patch: it changes script.py, which this release"
    ):
        packaged(tmp_path, store, tool, moved, {"gone.patch": gone})


def test_blanks_before_a_line_or_after_a_backslash_count() -> None:
    assert strips_blanks(b"@@ -1 +1 @@\n-a \n+a\n")
    for hunk in (b"-a\n+\ta\n", b"-a \\ \n+a \\\n", b"-a\n+a \n", b"+a\n", b"-a \n+b\n"):
        assert not strips_blanks(b"@@ -1 +1 @@\n" + hunk)


def test_a_change_is_known_word_by_word_where_lines_were_wrapped_anew(
    tmp_path: Path, store: Store, tool: Tool
) -> None:
    old = [
        *OLD[:9],
        "it takes the last size, a count of\n",
        "bytes, and returns it\n",
        *OLD[9:],
    ]
    new = [line.replace("size", "number") for line in old]
    release = [*OLD[:4], "So it takes the last\n", "number, a count of bytes, and returns\n"]
    patches = {"words.patch": diff(tmp_path, old, new)}
    made = packaged(tmp_path, store, tool, [*release, *OLD[14:]], patches)
    (finding,) = made.findings
    assert (finding.code, finding.severity) == ("patch-upstream", "risky")
    assert finding.message == "Patch words.patch is left out: this release has its change"
    shutil.rmtree(tool.debian / "patches")
    release[-1] = release[-1].replace("number", "size")
    with pytest.raises(PackageFailed, match=r"words\.patch: patching file text"):
        packaged(tmp_path, store, tool, [*release, *OLD[14:]], patches)


def rewritten(lines: list[str]) -> list[str]:
    """Return lines whose middle is another, so that no hunk near it applies."""
    return [*lines[:3], *(f"other {n}\n" for n in range(30)), *lines[40:]]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("doc/hello.1", "documentation"),
        ("README.md", "documentation"),
        ("tests/hello.test", "tests"),
        ("CMakeLists.txt", ""),
        ("src/hello_test.c", ""),
        ("doc/Makefile", ""),
    ],
)
def test_documentation_and_tests_that_changed_hold_nothing(
    tmp_path: Path, store: Store, tool: Tool, name: str, why: str
) -> None:
    own = changed(OLD, ("line 50", "ours"))
    theirs = changed(OLD, ("line 20", "twenty"))
    tree = tmp_path / "tree"
    (tree / name).parent.mkdir(parents=True)
    (tree / name).write_text("".join(rewritten(OLD)))
    (tree / "code").write_text("".join(["new\n", *OLD]))
    (patches := tmp_path / "debian" / "patches").mkdir(parents=True)
    (patches / "series").write_text("both.patch\n")
    (patches / "both.patch").write_text(
        diff(tmp_path, OLD, theirs, name) + diff(tmp_path, OLD, own, "code")
    )
    (fate,) = settle_patches(tmp_path / "debian", tree, "1.0")
    if not why:
        assert fate.code == "patch-conflict"
        return
    assert (fate.code, fate.surely) == ("patch-refreshed", False)
    assert fate.why == f"lines of {name} that it changes have changed, which is {why} alone"
    text = (patches / "both.patch").read_text()
    assert "+ours" in text
    assert name not in text


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('warn("it is writen");', 'warn("it is written");', "patch-upstream"),
        ("# it is writen here", "# it is written here", "patch-upstream"),
        ("writen(one, another);", "written(one, another);", "patch-conflict"),
        ('warn("it is 1.5");', 'warn("it is 1.6");', "patch-conflict"),
        ("VERSION = [0:70:0] # this", "VERSION = [2:70:0] # this", "patch-conflict"),
        ("if (it_is_taken_away) {}", "", "patch-conflict"),
        ("nothing of this is left: xyzzy", "", "patch-upstream"),
        ("nothing of this is left: xyzzy", "but it must: plugh", "patch-conflict"),
    ],
)
def test_what_is_cosmetic_or_gone_is_not_missed_and_all_else_is(
    tmp_path: Path, old: str, new: str, code: str
) -> None:
    before = [*OLD[:19], f"{old}\n", *OLD[19:]]
    after = [*OLD[:19], *([f"{new}\n"] if new else []), *OLD[19:]]
    (tree := tmp_path / "tree").mkdir()
    kept = [] if "left" in old else [f"{old}\n"]
    kept = ["if (it_is_taken_away_now) {}\n"] if "taken" in old else kept
    (tree / "text").write_text("".join([*rewritten(OLD), *kept]))
    (patches := tmp_path / "debian" / "patches").mkdir(parents=True)
    (patches / "series").write_text("one.patch\n")
    (patches / "one.patch").write_text(diff(tmp_path, before, after))
    (fate,) = settle_patches(tmp_path / "debian", tree, "1.0")
    assert fate.code == code
    assert not fate.surely or code == "patch-conflict"


@pytest.mark.parametrize("twice", [False, True])
def test_lines_that_stand_there_once_are_found_in_whatever_surroundings(
    tmp_path: Path, store: Store, tool: Tool, twice: bool
) -> None:
    flags = [f"FLAGS_{n}=`python3-config --{n} 2> /dev/null`\n" for n in ("cflags", "libs")]
    old = [*OLD[:20], *flags, *OLD[20:]]
    mended = [line.replace("python3-config", "$PYTHON-config") for line in old]
    release = [f"other {line}" for line in OLD[:9]] + flags + [f"else {line}" for line in OLD[:9]]
    release += flags * twice
    patches = {"own.patch": diff(tmp_path, old, mended)}
    if twice:
        with pytest.raises(PackageFailed, match=r"own\.patch: .* \(1 of its 1 hunks fail\)"):
            packaged(tmp_path, store, tool, release, patches)
        return
    made = packaged(tmp_path, store, tool, release, patches)
    (out := tmp_path / "out").mkdir()
    debian = laid_out(made.files, store, out)
    wanted = "".join(release).replace("python3-config", "$PYTHON-config")
    assert (debian.parent / "text").read_text() == wanted
    (found,) = made.findings
    assert (found.code, found.severity) == ("patch-refreshed", "risky")
    assert "lines around 1 of its hunks have changed" in found.message
