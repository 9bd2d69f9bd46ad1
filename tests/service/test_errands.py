"""From a login to the publication, with the pages and the service apart: by the real door."""

from __future__ import annotations

import json
import os
import pwd
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.service.test_serve import ask, log_in, serving
from tests.support.apart import (
    SERVICE,
    apart,
    as_user,
    door,
    keeper,
    pages,
    parted,
    reached,
    soon,
)
from tests.support.rig import Rig
from tests.support.tiny import LICENSE, accepted, publish, write_tool

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other users")


@pytest.fixture
def service() -> Iterator[Rig]:
    """Give a set-up whose service and pages are two users."""
    with tempfile.TemporaryDirectory(prefix="errand-") as folder:
        rig = Rig(Path(folder))
        parted(rig)
        yield rig


def over(place: str, where: str, session: str) -> str:
    """Return the page of what was asked for, when nothing more comes of it."""
    end = time.monotonic() + 240
    while time.monotonic() < end:
        page = ask(place, where, Cookie=session)[2]
        if "Done:" in page or "Not done:" in page:
            return page
        time.sleep(0.2)
    raise AssertionError(page)


def form_of(page: str, act: str) -> dict[str, str]:
    """Return the hidden fields of the form whose button does ``act``."""
    found = next(
        f for f in page.split("<form")[1:] if f'value="{act}"' in f.partition("</form>")[0]
    )
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', found)) | {"act": act}


def held(rig: Rig, web: Web) -> Path:
    """Let hello 1.0 be held for its license, and return its copyright file."""
    rig.configure('tools = ["hello"]\n' + rig.settings)
    publish(web, "1.0")
    file = write_tool(rig.tools, web.url + "/dl/", "1.0") / "tool.toml"
    file.write_text(file.read_text().replace(accepted(LICENSE), "[license]\n"))
    rig.run("sync", "hello", status=3)
    return rig.tools / "hello" / "debian" / "copyright"


def verdict_of(place: str, session: str, verdict: str) -> dict[str, str]:
    """Return the form of a decision over hello 1.0, as its page has it now."""
    page = ask(place, "/review/hello/1.0", Cookie=session)[2]
    fields = re.findall(r'name="(csrf|shown)" value="([^"]+)"', page.partition("<main")[2])
    assert len(fields) == 2, page
    return dict(fields) | {"verdict": verdict, "reason": "legal has agreed"}


def waits(place: str, session: str) -> None:
    """Return when the pages show that hello is held."""
    for _ in soon():
        if "/review/hello/1.0" in ask(place, "/", Cookie=session)[2]:
            return


@pytest.mark.slow
@root
def test_a_held_release_is_approved_and_published_from_the_browser_alone(
    service: Rig, web: Web
) -> None:
    rig = service
    held(rig, web)
    with apart(rig) as place:
        session = log_in(rig, place)
        waits(place, session)
        page = ask(place, "/review/hello/1.0", Cookie=session)[2]
        assert "To the decision" in page
        form = verdict_of(place, session, "approved")
        status, headers, told = ask(place, "/review/hello/1.0", form, Cookie=session)
        assert (status, headers.get("Location")) == (303, "/tool/hello"), told
        assert ask(place, "/review/hello/1.0", form, Cookie=session)[0] == 409
        form = form_of(ask(place, "/tool/hello", Cookie=session)[2], "retry")
        status, headers, told = ask(place, "/tool/hello/ask", form, Cookie=session)
        assert status == 303, told
        assert "Done:" in over(place, headers["Location"], session)
        page = ask(place, "/tool/hello", Cookie=session)[2]
        assert "sudo apt install hello/bookworm" in page
        again = ask(place, "/tool/hello/ask", form, Cookie=session)
        assert (again[0], "is not where it was" in again[2]) == (409, True)
        for path in ("/", "/now", "/health", "/api/v1/tools", "/api/v1/now", "/api/v1/health"):
            assert ask(place, path, Cookie=session)[0] == 200, path
        evidence = re.search(r'href="(/tool/hello/evidence/1\.0)"', page)
        assert evidence
        (rig.root / "signed.json").write_text(ask(place, evidence[1], Cookie=session)[2])
        reads, writes = reached(rig.root)
    assert rig.json("evidence", "--verify", rig.root / "signed.json")["passes"]
    log = rig.run("log", "hello").stdout
    assert "by ann (web): legal has agreed" in log
    assert "by ann (web): retry" in log
    _require_only_what_is_shown(rig, reads, writes)


def _require_only_what_is_shown(rig: Rig, reads: set[str], writes: set[str]) -> None:
    """See that the pages' user can read no secret of a state that has published, and write none."""
    keys = list((rig.state / "gnupg").rglob("*.key"))
    assert keys
    assert {
        path for path in writes if path.partition("/")[0] not in ("web", "errand.sock")
    } == set()
    own = {path.split("/", 1)[1] for path in reads if path.startswith("state/")}
    shown = ("journal.sqlite", "store/sha256/", "store/journal.json", "changes/", "now/", "archive")
    public = {"licenses.json"}  # names of licenses, as everybody has them
    assert {path for path in own if not path.startswith(shown)} <= public
    assert {"journal.sqlite", "store/journal.json"} <= own


@root
def test_what_changed_since_it_was_shown_is_not_decided_behind_the_door(
    service: Rig, web: Web
) -> None:
    rig = service
    file = held(rig, web)
    before = file.read_text()
    with apart(rig) as place:
        session = log_in(rig, place)
        waits(place, session)
        form = verdict_of(place, session, "approved")
        # The bytes change after the page was shown: nothing is decided. Then they are as shown.
        file.write_text(before.replace("\n\nFiles: *", "\nFiles-Excluded: LICENSE\n\nFiles: *"))
        rig.run("sync", "hello", status=3)
        status, _, told = ask(place, "/review/hello/1.0", form, Cookie=session)
        assert (status, "is not what was shown any more" in told) == (409, True), told
        assert "approved" not in rig.run("log", "hello").stdout
        status, _, told = ask(place, "/review/hello/1.0", form | {"reason": " "}, Cookie=session)
        assert (status, "eason is empty" in told) == (400, True), told
        file.write_text(before)
        rig.run("sync", "hello", status=3)
        form |= {"verdict": "rejected"}
        assert ask(place, "/review/hello/1.0", form, Cookie=session)[0] == 303
    assert "by ann (web): legal has agreed" in rig.run("log", "hello").stdout


@root
def test_a_look_is_done_behind_the_door_and_its_status_kept(service: Rig, web: Web) -> None:
    rig = service
    rig.configure('tools = ["hello"]\n' + rig.settings)
    publish(web, "1.0")
    write_tool(rig.tools, web.url + "/dl/", "1.0")
    with apart(rig) as place:
        session = log_in(rig, place)
        page = ask(place, "/tool/hello", Cookie=session)[2]
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token
        assert ask(place, "/tool/hello/look", {"csrf": token[1]}, Cookie=session)[0] == 303
        for _ in soon(40):
            text = ask(place, "/api/v1/tools?q=hello", Cookie=session)[2]
            if any(tool["newest"] == "1.0" for tool in json.loads(text)["tools"]):
                break
    assert len(web.requests("/dl/")) == 1


@root
def test_a_journal_that_nobody_keeps_is_told(service: Rig, web: Web) -> None:
    rig = service
    rig.configure('tools = ["hello"]\n' + rig.settings)
    publish(web, "1.0")
    write_tool(rig.tools, web.url + "/dl/", "1.0")
    rig.run("check")
    with door(rig) as there, pages(rig, there) as place:
        status, _, page = ask(place, "/login")
        assert (status, "toolsync-keeper.service" in page) == (503, True), page
        with keeper(rig):
            assert ask(place, "/login")[0] == 200


_AS_BEFORE = """
import os, sys
from pathlib import Path
state = Path(sys.argv[1])
for path in state.glob("journal.sqlite*"):
    path.chmod(0o600)
for path in (state / "store", *(state / "store").rglob("*")):
    if path.is_dir():
        path.chmod(0o700)
    else:
        new = path.with_name(".new")
        new.touch(mode=0o600)
        new.write_bytes(path.read_bytes())
        new.rename(path)
"""
"""A run that goes on by the rules of before: what it makes is its own alone."""


@root
def test_what_a_run_before_the_upgrade_closes_is_open_again_soon(service: Rig, web: Web) -> None:
    rig = service
    held(rig, web)
    with apart(rig) as place:
        session = log_in(rig, place)
        waits(place, session)
        words = [sys.executable, "-c", _AS_BEFORE, str(rig.state)]
        subprocess.run(as_user(SERVICE, words), check=True)
        for _ in soon():
            found = ask(place, "/review/hello/1.0", Cookie=session)
            if found[0] == 200 and "To the decision" in found[2]:
                break


def emptied(rig: Rig) -> None:
    """Let the cache of a fleet's store be as it is when all of it was swept."""
    for path in (rig.state / "store" / "sha256").glob("??/*"):
        path.unlink()


def compared(place: str, session: str) -> None:
    """Return when the page of hello 1.0 shows what differs in it."""
    for _ in soon(60):
        if "being compared" not in ask(place, "/review/hello/1.0", Cookie=session)[2]:
            return


@pytest.mark.slow
@root
def test_what_a_fleet_keeps_elsewhere_is_brought_for_the_pages(service: Rig, web: Web) -> None:
    rig = service
    shared = rig.root / "shared"
    shared.mkdir(mode=0o700)
    os.chown(shared, pwd.getpwnam(SERVICE).pw_uid, -1)  # the pages have no way into it
    rig.settings += f'\n[store]\nurl = "file://{shared}"\n'
    held(rig, web)
    emptied(rig)
    with apart(rig) as place:
        session = log_in(rig, place)
        waits(place, session)
        shared.rename(rig.root / "away")
        status, _, told = ask(place, "/review/hello/1.0", Cookie=session)
        assert (status, f"he shared store {shared} is no" in told) == (
            503,
            True,
        )  # none to decide by
        (rig.root / "away").rename(shared)
        compared(place, session)
        page = ask(place, "/review/hello/1.0", Cookie=session)[2]
        assert "There is nothing earlier to compare it with" in page
        assert "== LICENSE, in normalised words" in page  # the gate's report
        text = ask(place, "/api/v1/reviews/hello/1.0", Cookie=session)[2]
        assert json.loads(text)["gates"][0]["text"]
        emptied(rig)
        shown = list((rig.state / "changes").glob("*.json"))
        compared(place, session)  # a difference that is kept is found again
        assert list((rig.state / "changes").glob("*.json")) == shown
        form = verdict_of(place, session, "approved")
        assert ask(place, "/review/hello/1.0", form, Cookie=session)[0] == 303
        rig.run("sync", "hello")
        emptied(rig)
        assert "/tool/hello/evidence/1.0" in ask(place, "/tool/hello", Cookie=session)[2]
        emptied(rig)
        status, _, text = ask(place, "/tool/hello/evidence/1.0", Cookie=session)
        assert status == 404  # it was asked for a moment ago, and is not again for some minutes


def test_a_state_that_is_held_is_waited_for(rig: Rig, web: Web) -> None:
    rig.configure('tools = ["hello"]\n' + rig.settings)
    publish(web, "1.0")
    write_tool(rig.tools, web.url + "/dl/", "1.0")
    rig.run("check")
    with serving(rig) as (_, place):
        session = log_in(rig, place)
        from toolsync.system.lock import exclusive

        form = form_of(ask(place, "/tool/hello", Cookie=session)[2], "retire") | {"reason": "old"}
        with exclusive(rig.state, "test"):
            where = ask(place, "/tool/hello/ask", form, Cookie=session)[1]["Location"]
            end = time.monotonic() + 30
            while "waiting: process" not in (page := ask(place, where, Cookie=session)[2]):
                assert time.monotonic() < end, page
                time.sleep(0.1)
        assert "Done: hello is retired" in over(place, where, session)
