"""The one way out of a namespace: to the hosts that are named, and nowhere else."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.servers.web import Answer, Web
from toolsync.system import testproxy
from toolsync.system.isolation import Isolation
from toolsync.system.run import run
from toolsync.system.testproxy import HostProxy

PYTHON = "/usr/bin/python3"

ASK = """
import http.client, sys
link = http.client.HTTPConnection("127.0.0.1", 3142, timeout=20)
method, address = sys.argv[1:3]
link.request(method, address, headers={"X-Secret": "x", "Range": "bytes=0-3"})
answer = link.getresponse()
print(answer.status, answer.read().decode())
"""

CONNECT = """
import http.client, sys
link = http.client.HTTPConnection("127.0.0.1", 3142, timeout=20)
link.set_tunnel(sys.argv[1])
link.request("GET", "/page")
print(link.getresponse().read().decode())
"""

DIRECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5)
    print("reached")
except OSError as error:
    print("no way")
"""


def inside(folder: Path, hosts: tuple[str, ...], code: str, *words: str) -> tuple[str, HostProxy]:
    with testproxy.opened(folder, hosts) as opened:
        # As a program that maps users: what is in its namespace may use its own network.
        done = run(
            *("unshare", PYTHON, "-I", "-c", code, *words),
            timeout=60,
            isolation=Isolation(proxy=folder),
            ok=range(256),
        )
    return done.out + done.err, opened


def place(web: Web) -> str:
    return web.url.rpartition("//")[2]


def test_a_named_host_is_reached_and_told_only_what_it_needs(tmp_path: Path, web: Web) -> None:
    web.serve("/page", "open sesame")
    told, opened = inside(tmp_path, (place(web),), ASK, "GET", f"{web.url}/page")
    assert told == "206 open\n"
    (asked,) = web.asked
    assert asked.headers["range"] == "bytes=0-3"
    assert asked.headers["host"] == place(web)
    assert "x-secret" not in asked.headers
    assert (opened.missed, opened.refused) == (set(), set())
    assert list(tmp_path.iterdir()) == []


def test_a_tunnel_leads_to_a_named_host(tmp_path: Path, web: Web) -> None:
    web.serve("/page", "open sesame")
    told, _ = inside(tmp_path, (place(web),), CONNECT, place(web))
    assert told == "open sesame\n"


@pytest.mark.parametrize(
    ("method", "to", "status"),
    [
        ("GET", "http://elsewhere.invalid/", "403"),
        ("GET", "http://169.254.169.254/latest/meta-data/", "403"),
        ("GET", "http://localhost:{port}/page", "403"),
        ("POST", "{url}/page", "405"),
        ("GET", "/page", "405"),
        ("GET", "ftp://127.0.0.1/page", "405"),
        ("GET", "http://user@127.0.0.1:{port}/page", "405"),
    ],
)
def test_all_else_is_refused(tmp_path: Path, web: Web, method: str, to: str, status: str) -> None:
    web.serve("/page", "open sesame")
    port = web.url.rpartition(":")[2]
    address = to.format(port=port, url=web.url)
    told, opened = inside(tmp_path, (place(web),), ASK, method, address)
    assert told.startswith(status), told
    assert web.asked == []
    assert opened.missed == set()


def test_a_redirect_is_handed_back_and_not_followed(tmp_path: Path, web: Web) -> None:
    web.redirect("/page", "http://169.254.169.254/")
    told, _ = inside(tmp_path, (place(web),), ASK, "GET", f"{web.url}/page")
    assert told.startswith("302")


def test_what_is_away_is_remembered_and_what_fails_by_the_guest_is_not(
    tmp_path: Path, web: Web
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        away = f"127.0.0.1:{taken.getsockname()[1]}"
        told, opened = inside(tmp_path, (away,), ASK, "GET", f"http://{away}/")
    assert told.startswith("502")
    assert opened.missed == {"127.0.0.1"}
    web.serve_rest(lambda asked: Answer("x" * 100, cut=3))
    _, opened = inside(tmp_path, (place(web),), ASK, "GET", f"{web.url}/page")
    assert opened.missed == set()


def test_there_is_loopback_and_nothing_else(tmp_path: Path, web: Web) -> None:
    port = web.url.rpartition(":")[2]
    for host, where in (("127.0.0.1", port), ("169.254.169.254", "80"), ("192.0.2.1", "80")):
        assert inside(tmp_path, (place(web),), DIRECT, host, where)[0] == "no way\n"
    assert inside(tmp_path, (), DIRECT, "127.0.0.1", "3142")[0] == "reached\n"
    assert web.asked == []


def test_only_we_may_come_to_the_proxy(tmp_path: Path) -> None:
    with testproxy.opened(tmp_path, ()):
        (found,) = tmp_path.iterdir()
        assert found.stat().st_mode & 0o777 == 0o600
        assert found.stat().st_uid == os.geteuid()


def test_a_folder_with_a_long_name_has_a_door(tmp_path: Path, web: Web) -> None:
    web.serve("/page", "open sesame")
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    told, _ = inside(deep, (place(web),), ASK, "GET", f"{web.url}/page")
    assert told == "206 open\n"
