"""Our units under a real systemd: socket, pages, door and keeper, each as its own user."""

from __future__ import annotations

import http.client
import json
import logging
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.servers.web import Web
from tests.service.test_serve import PASSWORD
from tests.support.apart import soon
from tests.support.booted import Booted, booted, why_not
from tests.support.tiny import publish, write_tool

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(told := why_not()), reason=told or "it can"),
]
DOOR, PAGES = "/run/toolsync-web/errand.sock", "/run/toolsync-web/web.sock"
SETTINGS = """
series = ["bookworm"]
tools = ["hello"]
[web]
hook_secret_file = "/etc/toolsync/hook.secret"
"""


class ByFile(http.client.HTTPConnection):
    """A connection to a server that listens at a file, as nginx has it."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(str(self.path))


def ask(
    system: Booted, path: str, form: dict[str, str] | None = None, **headers: str
) -> tuple[int, dict[str, str], str]:
    connection = ByFile(system.root / PAGES.removeprefix("/"))
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
    body = urlencode(form) if form is not None else None
    connection.request("POST" if form is not None else "GET", path, body, kind | headers)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read().decode()
    connection.close()
    return found


def token(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found, page
    return found[1]


def log_in(system: Booted) -> str:
    """Make an account and return the cookie of its session."""
    system.run("toolsync", "user", "add", "ann", "--role", "reviewer", said=f"{PASSWORD}\n")
    _, headers, page = ask(system, "/login")
    form = {"name": "ann", "password": PASSWORD, "csrf": token(page)}
    cookie = headers["Set-Cookie"].partition(";")[0]
    status, headers, page = ask(system, "/login", form, Cookie=cookie)
    assert status == 303, page
    return headers["Set-Cookie"].partition(";")[0]


@pytest.fixture(scope="module")
def vendor() -> Iterator[Web]:
    with Web() as server:
        yield server


@pytest.fixture(scope="module")
def system(vendor: Web) -> Iterator[Booted]:
    sockets = ("toolsync-web.socket", "toolsync-errand.socket")
    with booted(SETTINGS, sockets) as found:
        publish(vendor, "1.0")
        write_tool(found.root / "etc/toolsync/tools", f"{vendor.url}/dl/", "1.0", "1.1", "1.2")
        secret = "/etc/toolsync/hook.secret"
        install = f"install -m 600 -o toolsync-web /dev/stdin {secret}"
        found.run("sh", "-c", install, said="known to the forge\n")
        yield found


def state_of(system: Booted, unit: str) -> str:
    return system.run("systemctl", "show", "--property=ActiveState", "--value", unit)


def user_of(system: Booted, unit: str) -> str:
    pid = system.run("systemctl", "show", "--property=MainPID", "--value", unit)
    return system.run("ps", "-o", "user:32=", "-p", pid)


def newest(system: Booted, session: str) -> list[tuple[str, str]]:
    text = ask(system, "/api/v1/tools?q=hello", Cookie=session)[2]
    return [(tool["status"], tool["newest"]) for tool in json.loads(text)["tools"]]


def test_a_page_a_look_and_a_hook_go_the_whole_way(system: Booted, vendor: Web) -> None:
    assert state_of(system, "toolsync-web.service") == "inactive"
    began = time.monotonic()
    assert ask(system, "/login")[0] == 200
    logging.info("the first page came after %.1f s", time.monotonic() - began)
    assert user_of(system, "toolsync-web.service") == "toolsync-web"
    assert user_of(system, "toolsync-keeper.service") == "toolsync"
    session = log_in(system)
    page = ask(system, "/tool/hello", Cookie=session)[2]
    assert ask(system, "/tool/hello/look", {"csrf": token(page)}, Cookie=session)[0] == 303
    for _ in soon(60):
        if newest(system, session) == [("new", "1.0")]:
            break
    assert len(vendor.requests("/dl/")) == 1
    publish(vendor, "1.0", "1.1")
    time.sleep(20)  # no page is asked more often
    began = time.monotonic()
    connection = ByFile(system.root / PAGES.removeprefix("/"))
    proof = {"Content-Type": "application/json", "Authorization": "Bearer known to the forge"}
    body = json.dumps({"url": f"{vendor.url}/dl/"})
    connection.request("POST", "/hooks/generic", body, proof)
    assert connection.getresponse().status == 202
    connection.close()
    for _ in soon(60):
        if newest(system, session) == [("new", "1.1")]:
            break
    logging.info("from a hook to new: %.1f s", time.monotonic() - began)
    assert system.run("systemctl", "--failed", "--plain", "--no-legend") == ""


def test_what_the_pages_units_may_not(system: Booted) -> None:
    """As the kernel sees the process of the pages, whatever the files of units say."""
    assert ask(system, "/login")[0] == 200
    pid = system.run("systemctl", "show", "--property=MainPID", "--value", "toolsync-web.service")
    inside = ["nsenter", f"--target={pid}", "--mount", "--net"]
    as_pages = [*inside, "setpriv", "--reuid=toolsync-web", "--regid=toolsync", "--clear-groups"]
    for words in (
        ("touch", "/var/lib/toolsync/journal.sqlite"),
        ("touch", "/etc/toolsync/mine"),
        ("ls", "/var/lib/toolsync/gnupg"),
        ("ls", "/run/toolsync"),
    ):
        system.run(*as_pages, "sh", "-c", f"! {' '.join(words)}")
    names = "import socket; print([name for _, name in socket.if_nameindex()])"
    assert system.run(*inside, "/usr/bin/python3", "-c", names) == "['lo']"
    status = system.run("cat", f"/proc/{pid}/status")
    assert re.search(r"^CapBnd:\s0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s1$", status, re.MULTILINE)
    assert re.search(r"^Seccomp:\s2$", status, re.MULTILINE)


def test_the_keeper_ends_with_the_pages(system: Booted) -> None:
    assert ask(system, "/login")[0] == 200
    system.run("systemctl", "stop", "toolsync-web.socket", "toolsync-web.service")
    for _ in soon(30):
        if state_of(system, "toolsync-keeper.service") == "inactive":
            break
    assert system.run("systemctl", "--failed", "--plain", "--no-legend") == ""
    system.run("systemctl", "start", "toolsync-web.socket")
    assert ask(system, "/login")[0] == 200
