"""A release whose packaging does not fit is mended by hand; renewed packaging is followed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.service.test_adopt import FORMER, SETTINGS, packaged, served, source_package
from tests.support.keys import throwaway_keys
from tests.support.rig import Rig
from tests.support.tiny import LICENSE as TERMS
from tests.support.tiny import accepted, publish, write_tool
from tests.support.tiny import archive as tarball

pytestmark = pytest.mark.slow

PATCH = """\
Description: greets

--- a/hello
+++ b/hello
@@ -1,2 +1,2 @@
 #!/bin/sh
-echo 0.9
+echo 0.9, hello
"""
FINE = "--- /dev/null\n+++ b/README.first\n@@ -0,0 +1 @@\n+read me\n"


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        publish(server, "0.9", "1.0")
        yield server


def content(rig: Rig, path: str) -> str:
    """Return a file of the newest package in the pool."""
    deb = max((rig.archive / "pool").rglob("*.deb"), key=lambda p: p.stat().st_mtime)
    words = ["sh", "-c", f"dpkg-deb --fsys-tarfile {deb} | tar xO ./{path}"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_a_conflict_is_mended_in_a_workspace_and_released(tmp_path: Path, web: Web) -> None:
    rig = Rig(tmp_path / "rig")
    tool = write_tool(rig.tools, f"{web.url}/dl/", "1.0")
    patches = tool / "debian" / "patches"
    patches.mkdir()
    (patches / "series").write_text("fine.patch\ngreet.patch\n")
    (patches / "fine.patch").write_text(FINE)
    (patches / "greet.patch").write_text(PATCH)
    (row,) = rig.json("sync", "hello", status=3)
    assert "a patch does not apply: greet.patch" in row["message"]
    assert "toolsync workspace hello" in rig.run("why", "hello").stdout
    tree = tmp_path / "tree"
    opened = rig.json("workspace", "hello", "-o", tree)
    assert (opened["applied"], opened["conflicts"]) == (1, ["greet.patch"])
    assert (tree / "README.first").read_text() == "read me\n"
    again = rig.run("workspace", "hello", "-o", tree, status=2)
    assert "is there already" in again.stderr
    unmended = rig.run("workspace", "hello", "--done", "-o", tree, status=2)
    assert "nothing was changed" in unmended.stderr
    (tree / "debian" / "install").write_text("hello usr/bin\nREADME.first usr/share/hello\n")
    half = rig.run("workspace", "hello", "--done", "-o", tree, status=3)
    assert "is not mended yet: a patch does not apply: greet.patch" in half.stderr

    def quilt(*words: str, status: int = 0) -> None:
        done = subprocess.run(["quilt", *words], cwd=tree, capture_output=True, text=True)
        assert done.returncode == status, done.stdout + done.stderr

    quilt("push", "-f", status=1)
    (tree / "hello").write_text("#!/bin/sh\necho 1.0, hello\n")
    quilt("refresh")
    done = rig.json("workspace", "hello", "--done", "-o", tree)
    assert (done["version"], list(done["files"]), done["folder"]) == (
        "1.0", ["install"], str(tool / "mended"),
    )  # fmt: skip
    assert (patches / "greet.patch").read_text() == PATCH
    rig.run("sync", "hello")
    assert content(rig, "usr/bin/hello") == "#!/bin/sh\necho 1.0, hello\n"
    assert content(rig, "usr/share/hello/README.first") == "read me\n"
    proof = rig.json("evidence", "hello", "1.0")["predicate"]["series"]["bookworm"]["package"]
    told = [finding["message"] for finding in proof["findings"]]
    assert "patches are as mended here for 1.0" in told
    (tool / "debian" / "install").write_text("LICENSE usr/share/hello\n")
    (row,) = rig.json("sync", "hello", status=3)
    assert "its packaging has changed install, which was mended here" in row["message"]


def test_a_new_revision_of_the_packaging_is_taken_gated_and_published(
    tmp_path: Path, web: Web
) -> None:
    folder = packaged(tmp_path / "theirs", web)
    dsc = source_package(tmp_path / "source", folder)
    with throwaway_keys() as keys:
        (place := tmp_path / "archive").mkdir()
        sources = served(place, dsc, keys, lacks="")
        rig = Rig(tmp_path / "rig", SETTINGS.replace("SOURCES", str(sources)))
        rig.run("adopt", "apt:hello/bookworm")
        own = rig.tools / "hello" / "tool.toml"
        pinned = f'"1.0" = "{_sha256(tarball("1.0"))}"\n'
        own.write_text(f"{own.read_text()}{pinned}{accepted(TERMS)}")
        rig.run("sync", "hello")
        first = set(rig.pool())
        rig.run("sync", "hello")
        assert set(rig.pool()) == first
        (folder / "debian" / "changelog").write_text(FORMER.replace("0.9-3", "0.9-4") + FORMER)
        (folder / "debian" / "install").write_text("hello usr/bin\nLICENSE usr/share/hello\n")
        newer = source_package(tmp_path / "newer", folder)
        shutil.rmtree(place / "dists")
        served(place, newer, keys, lacks="")
        shutil.rmtree(rig.state / "apt")  # the lists are of the day before
        done = rig.run("sync", "hello")
    assert "its packaging 2:0.9-3 has become 2:0.9-4 in bookworm" in done.stderr
    assert 'adopted = "apt:hello/bookworm 2:0.9-4"' in own.read_text()
    assert pinned in own.read_text()
    fresh = {name for name in set(rig.pool()) - first if name.endswith(".deb")}
    assert fresh == {"hello_1.0-0debian1~ppa2~deb12.1_all.deb"}
    assert content(rig, "usr/share/hello/LICENSE") == TERMS
    series = rig.json("evidence", "hello", "1.0")["predicate"]["series"]["bookworm"]
    assert series["compat"]["judgment"]["verdict"] in ("same", "additive")


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()
