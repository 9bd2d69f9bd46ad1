"""From a login to the publication, with the pages and the service apart: by the real door."""

from __future__ import annotations

import os
import pwd
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.service.test_serve import ask, log_in, own_user, serving
from tests.support.rig import Rig, environment
from tests.support.tiny import LICENSE, accepted, publish, write_tool
from toolsync.system.door import SOCKET


@contextmanager
def door(rig: Rig) -> Iterator[Path]:
    """Start ``toolsync errand`` for each connection, as systemd does with Accept=yes."""
    place = rig.root / "errand.sock"
    listens = socket.socket(socket.AF_UNIX)
    listens.bind(str(place))
    listens.listen(8)
    if os.geteuid() == 0:
        os.chown(place, pwd.getpwnam("nobody").pw_uid, -1)

    def accept() -> None:
        while True:
            try:
                link, _ = listens.accept()
            except OSError:
                return
            with link:
                subprocess.run(rig.argv("errand"), stdin=link.fileno(), env=environment())

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield place
    finally:
        listens.shutdown(socket.SHUT_RDWR)
        listens.close()
        thread.join(60)


@pytest.fixture
def service() -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="errand-") as folder:
        rig = Rig(Path(folder))
        own_user(rig)
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


@pytest.mark.slow
def test_a_held_release_is_approved_and_published_from_the_browser_alone(
    service: Rig, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = service
    rig.configure('tools = ["hello"]\n' + rig.settings)
    publish(web, "1.0")
    file = write_tool(rig.tools, web.url + "/dl/", "1.0") / "tool.toml"
    file.write_text(file.read_text().replace(accepted(LICENSE), "[license]\n"))
    rig.run("sync", "hello", status=3)
    with door(rig) as there:
        monkeypatch.setenv(SOCKET, str(there))
        with serving(rig) as (_, place):
            session = log_in(rig, place)
            page = ask(place, "/review/hello/1.0", Cookie=session)[2]
            fields = re.findall(r'name="(csrf|shown)" value="([^"]+)"', page.partition("<main")[2])
            form = dict(fields) | {"verdict": "approved", "reason": "legal has agreed"}
            assert ask(place, "/review/hello/1.0", form, Cookie=session)[0] == 303
            form = form_of(ask(place, "/tool/hello", Cookie=session)[2], "retry")
            status, headers, told = ask(place, "/tool/hello/ask", form, Cookie=session)
            assert status == 303, told
            assert "Done:" in over(place, headers["Location"], session)
            page = ask(place, "/tool/hello", Cookie=session)[2]
            assert "sudo apt install hello/bookworm" in page
            again = ask(place, "/tool/hello/ask", form, Cookie=session)
            assert (again[0], "is not where it was" in again[2]) == (409, True)
    log = rig.run("log", "hello").stdout
    assert "by ann (web): legal has agreed" in log
    assert "by ann (web): retry" in log


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
