"""What leaves the plan: renamed and lost folders, dropped packages and series, retired tools."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support import tiny
from tests.support.rig import ROOT, Rig, environment
from toolsync.publish import index

TWO = 'tools = ["hello", "greet"]\n'


@pytest.fixture
def two(rig: Rig, web: Web) -> Rig:
    """A set-up whose archive serves two tools."""
    for name in ("hello", "greet"):
        tiny.publish(web, "1.0", name=name, path=f"/{name}/")
        tiny.write_tool(rig.tools, f"{web.url}/{name}/", "1.0", name=name)
    only(rig, "hello", "greet")
    rig.run("sync")
    return rig


def only(rig: Rig, *names: str, series: str = '"bookworm"') -> None:
    rig.configure(f"tools = [{', '.join(f'{name!r}' for name in names)}]\n{rig.settings}", series)


def sources(rig: Rig) -> set[str]:
    """Return the source packages of which anything is served, in any series."""
    return {item.source for item in index.entries(rig.archive)}


def orphans(rig: Rig) -> list[str]:
    rows = json.loads(rig.run("doctor", "--json", status=None).stdout)
    return [row["subject"] for row in rows if row["subject"].startswith("orphan")]


def test_a_lost_folder_is_that_tool_s_error_and_the_others_go_on(two: Rig) -> None:
    shutil.move(two.tools / "greet", two.root / "elsewhere")
    rows = {row["tool"]: row for row in two.json("sync", status=5)}
    assert rows["hello"]["status"] == "up-to-date"
    assert rows["greet"]["status"] == "error"
    assert "which no folder has" in rows["greet"]["message"]
    assert two.json("run", status=5)["exit_status"] == 5
    assert {row["tool"] for row in two.json("check", status=5)} == {"hello", "greet"}
    assert "there is no tool named greet" in two.run("sync", "greet", status=2).stderr
    assert sources(two) == {"hello", "greet"}


def test_a_tool_out_of_the_plan_is_told_until_it_is_retired(two: Rig) -> None:
    only(two, "hello")
    assert [row["status"] for row in two.json("sync")] == ["up-to-date"]
    rows = {row["tool"]: row for row in two.json("status", status=5)}
    assert "greet is no longer followed, but greet 1.0" in rows["greet"]["message"]
    assert rows["hello"]["orphans"] == []
    assert "toolsync retire greet --remove" in two.run("status", status=5).stdout
    assert orphans(two) == ["orphan greet"]
    planned = two.json("retire", "greet", "--dry-run")
    assert orphans(two) == ["orphan greet"]
    done = two.json("retire", "greet", "--reason", "hello does it")
    assert done["served"] == planned["served"] != []
    assert done["removed"] == []
    assert sources(two) == {"hello", "greet"}
    assert [row["tool"] for row in two.json("status")] == ["hello"]
    assert orphans(two) == []
    before = two.run("retire", "greet", "--reason", "hello does it").stdout  # again: nothing new
    assert "still served: greet" in before
    only(two, "hello", "greet")
    retired = [line["message"] for line in two.json("log", "greet") if line["event"] == "retired"]
    assert len(retired) == 1
    assert retired[0].endswith(": hello does it")
    assert [row["tool"] for row in two.json("sync")] == ["hello"]  # not followed, though defined
    assert "was retired by" in two.run("sync", "greet", status=5).stderr
    two.run("retire", "greet", "--undo")
    assert [row["tool"] for row in two.json("sync")] == ["hello", "greet"]


def test_what_is_removed_leaves_index_and_pool_and_the_rest_stays(two: Rig) -> None:
    only(two, "hello")
    kept = {name: digest for name, digest in two.pool().items() if name.startswith("hello")}
    planned = two.json("retire", "greet", "--remove", "--dry-run")
    assert sources(two) == {"hello", "greet"}
    done = two.json("retire", "greet", "--remove", "--reason", "gone")
    assert done["removed"] == planned["removed"] != []
    assert sources(two) == {"hello"}
    assert two.pool() == kept
    assert two.json("retire", "greet", "--remove")["removed"] == []  # once is enough
    assert [row["tool"] for row in two.json("status")] == ["hello"]
    assert two.json("sync")[0]["status"] == "up-to-date"
    assert "nothing is known" in two.run("retire", "nobody", status=2).stderr


def test_a_renamed_folder_keeps_holds_decisions_and_pins(two: Rig, web: Web) -> None:
    tiny.publish(web, "1.0", "1.1", name="hello", path="/hello/")
    definition = two.tools / "hello" / "tool.toml"
    pinned = definition.read_text().replace("[license]", f'"1.1" = "{"0" * 64}"\n[license]', 1)
    definition.write_text(pinned)
    assert two.json("sync", "hello", status=3)[0]["status"] == "held"
    before = two.json("log", "hello")
    (two.tools / "hello").rename(two.tools / "hallo")
    only(two, "hallo", "greet")
    rows = {row["tool"]: row for row in two.json("status", status=3)}
    assert rows["hallo"]["status"] == "held"
    assert rows["hallo"]["current"] == "1.0"
    log = two.json("log", "hallo")
    assert log[: len(before)] == before
    assert log[-1]["event"] == "renamed"
    hallo, greet = two.json("sync", status=3)
    assert (hallo["tool"], hallo["status"]) == ("hallo", "held")
    assert greet["status"] == "up-to-date"
    assert orphans(two) == []


def test_dropped_packages_and_series_are_told_and_retired(two: Rig, web: Web) -> None:
    control = two.tools / "hello" / "debian" / "control"
    plain = control.read_text()
    control.write_text(
        f"{plain}\nPackage: hello-doc\nArchitecture: all\nDepends: ${{misc:Depends}}\n"
        "Description: its documentation\n There is none.\n"
    )
    (control.parent / "install").rename(control.parent / "hello.install")
    two.run("sync", "hello")
    control.write_text(plain)
    two.run("sync", "hello")
    assert orphans(two) == ["orphan hello"]
    (row,) = [row for row in two.json("status") if row["tool"] == "hello"]
    assert row["orphans"][0]["part"] == "binary hello-doc bookworm"
    assert "--leftovers --remove" in row["orphans"][0]["resolution"]
    two.run("retire", "hello", "--leftovers", "--remove", "--reason", "dropped")
    assert orphans(two) == []
    assert not any("hello-doc" in name for name in two.pool())
    only(two, "hello", "greet", series='"trixie"')
    assert orphans(two) == ["orphan greet", "orphan hello"]
    two.run("retire", "greet", "--leftovers")
    assert orphans(two) == ["orphan hello"]
    assert sources(two) == {"hello", "greet"}


DYING = """
import os, signal, sys
left = int(sys.argv.pop(1))
def dying(event, words):
    global left
    if event in ("os.rename", "os.mkdir", "os.symlink", "shutil.rmtree", "subprocess.Popen") or (
        event == "open" and words[2] and words[2] & os.O_CREAT
    ):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(dying)
from toolsync.cli.main import main
main()
"""


@pytest.mark.slow
def test_a_removal_killed_anywhere_is_finished_by_the_next(two: Rig, tmp_path: Path) -> None:
    only(two, "hello")
    kept = {name: digest for name, digest in two.pool().items() if name.startswith("hello")}
    ready = tmp_path / "ready"
    shutil.copytree(two.state, ready, symlinks=True)
    words = two.argv("retire", "greet", "--remove", "--reason", "gone")[3:]
    for point in range(1, 200, 7):
        shutil.rmtree(two.state)
        shutil.copytree(ready, two.state, symlinks=True)
        killed = subprocess.run(
            [sys.executable, "-c", DYING, str(point), *words],
            env=environment(),
            cwd=ROOT,
            capture_output=True,
        )
        assert killed.returncode in (0, -signal.SIGKILL), killed.stderr
        assert sources(two) in ({"hello"}, {"hello", "greet"})  # never torn
        two.run("retire", "greet", "--remove", "--reason", "gone")
        assert sources(two) == {"hello"}
        assert two.pool() == kept
        assert two.leftovers() == []
        assert not [p for p in (two.archive / ".generations").iterdir() if not current(two, p)]
        if killed.returncode == 0:
            break
    else:
        pytest.fail("it never came to its end")
    assert two.json("sync")[0]["status"] == "up-to-date"


def current(rig: Rig, path: Path) -> bool:
    return os.path.samefile(rig.archive / "current", path)
