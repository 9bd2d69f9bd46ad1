"""Disks are finite: what may go, what never goes, and a backup that brings everything back."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import time
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support import tiny
from tests.support.rig import Rig
from toolsync.system.store import Store


def stored(rig: Rig) -> set[str]:
    return {path.name for path in (rig.state / "store" / "sha256").glob("??/*")}


def test_what_is_superseded_goes_and_evidence_stays(rig: Rig, web: Web) -> None:
    tiny.publish(web, "1.0", "1.1")
    tiny.write_tool(rig.tools, web.url + "/dl/", "1.0", "1.1", backlog=2)
    rig.run("sync", "hello")
    before, evidence = stored(rig), rig.json("evidence", "hello", "1.0")
    orphan = rig.state / "store" / "sha256" / "00" / ("00" + "f" * 62)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"left by a killed run")
    (dropped,) = rig.json("gc")["dropped"]  # without a limit
    assert (dropped["what"], dropped["why"]) == (orphan.name, "nothing names it")
    planned = rig.json("gc", "--limit", "1K", "--dry-run")
    assert stored(rig) == before
    done = rig.json("gc", "--limit", "1K")
    assert done == planned
    went = {item["what"] for item in done["dropped"]}
    assert "hello-1.0.tar.gz of hello 1.0" in went
    assert any("1.0-0debian1~ppa1~deb12.1 in the archive" in what for what in went)
    assert not any(" 1.1" in what for what in went)
    assert done["after"] < done["before"]
    assert not any("1.0-0debian1" in name for name in rig.pool())
    assert any("1.1-0debian1" in name for name in rig.pool())
    assert rig.json("evidence", "hello", "1.0") == evidence
    assert rig.json("sync", "hello")[0]["status"] == "up-to-date"
    assert rig.json("gc", "--limit", "1K")["dropped"] == []


def test_a_download_that_nobody_goes_on_with_goes(rig: Rig) -> None:
    rig.run("status")
    folder = rig.state / "store" / "partial"
    folder.mkdir(parents=True)
    for name, days in (("old", 8), ("young", 6)):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (0, time.time() - days * 86400))
    done = rig.json("gc")
    assert [item["what"] for item in done["dropped"]] == ["a download, old"]
    assert (done["before"], done["after"]) == (4, 0)
    assert [path.name for path in folder.iterdir()] == ["young"]


def test_an_unattended_run_takes_the_tools_named_and_keeps_within_the_limit(rig: Rig) -> None:
    tiny.write_tool(rig.tools, "http://127.0.0.1:1/", "1.0")
    rig.configure('tools = ["hello"]\n[store]\nlimit = 10\n' + rig.settings)
    rig.run("status")  # makes the journal
    Store(rig.state / "store").add_bytes(b"left by a killed run", "x")
    (row,) = rig.json("run", status=4)["tools"]
    assert (row["tool"], row["status"]) == ("hello", "unreachable")
    assert stored(rig) == set()


def test_settings_that_name_no_tool_are_refused(rig: Rig) -> None:
    rig.configure('tools = ["helo"]\n' + rig.settings)
    assert "`tools` names helo, which no folder has" in rig.run("status", status=5).stderr


def test_a_size_that_is_none_is_refused(rig: Rig) -> None:
    assert "is no size" in rig.run("gc", "--limit", "much", status=2).stderr


def test_a_backup_brings_everything_back(rig: Rig, web: Web, tmp_path: Path) -> None:
    tiny.publish(web, "1.0")
    tiny.write_tool(rig.tools, web.url + "/dl/", "1.0")
    rig.run("sync", "hello")
    file = tmp_path / "backup.tar"
    pool, stanza = rig.pool(), rig.run("archive", "sources").stdout
    made = rig.json("backup", file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert "overwrites nothing" in rig.run("backup", file, status=2).stderr
    assert "is not empty" in rig.run("restore", file, status=2).stderr
    shutil.rmtree(rig.state)
    assert rig.json("restore", file) == made
    assert rig.pool() == pool
    assert rig.run("archive", "sources").stdout == stanza
    assert rig.json("sync", "hello")[0]["status"] == "up-to-date"
    assert rig.pool() == pool
    assert rig.leftovers() == []


def damaged(file: Path, how: str) -> None:
    data = bytearray(file.read_bytes())
    if how == "cut":
        del data[len(data) // 2 :]
    elif how == "a bit":
        data[data.index(b"-----BEGIN") if b"-----BEGIN" in data else len(data) * 3 // 4] ^= 1
    elif how == "no tar":
        data[:] = b"PK\x03\x04" * 1000
    else:
        with tarfile.open(file) as tar:
            head = tar.extractfile("manifest.json")
            assert head is not None
            manifest = json.loads(head.read())
        name = next(iter(manifest["files"]))
        data[:] = data.replace(name.encode(), b"../" + name.encode()[3:])
    file.write_bytes(data)


@pytest.mark.parametrize("how", ["cut", "a bit", "no tar", "a way out"])
def test_a_damaged_backup_restores_nothing(rig: Rig, tmp_path: Path, how: str) -> None:
    file = tmp_path / "backup.tar"
    rig.run("status")  # makes a journal
    rig.run("backup", file)
    shutil.rmtree(rig.state)
    damaged(file, how)
    said = rig.run("restore", file, status=3).stderr
    assert "is damaged" in said
    assert "nothing was restored" in said
    assert not rig.state.exists()
    assert list(rig.root.glob(".restore-*")) == []
