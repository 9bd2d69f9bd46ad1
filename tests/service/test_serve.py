"""The real ``toolsync serve`` on loopback: it starts, answers, sees what others do, and ends."""

from __future__ import annotations

import http.client
import json
import logging
import os
import pwd
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig, environment
from tests.support.tiny import LICENSE, accepted, publish, write_tool

PASSWORD = "correct horse battery"


@contextmanager
def serving(rig: Rig, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Give a running server, and where it listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    argv = rig.argv("serve", "--listen", place, *words)
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env=environment())
    try:
        assert process.stderr is not None
        assert place in process.stderr.readline()
        yield process, place
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def ask(
    place: str, path: str, form: dict[str, str] | None = None, **headers: str
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection(place, timeout=30)
    try:
        body = None if form is None else urlencode(form)
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        connection.request("POST" if form is not None else "GET", path, body, kind | headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def cookie(headers: dict[str, str]) -> str:
    return headers["Set-Cookie"].partition(";")[0]


def log_in(rig: Rig, place: str, name: str = "ann", role: str = "reviewer") -> str:
    """Make an account and return the cookie of its session."""
    done = subprocess.run(
        rig.argv("user", "add", name, "--role", role),
        input=PASSWORD + "\n",
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    assert f"{name} may log in as a {role}" in done.stdout
    _, headers, page = ask(place, "/login")
    before = cookie(headers)
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token
    form = {"name": name, "password": PASSWORD, "csrf": token[1]}
    status, headers, _ = ask(place, "/login", form, Cookie=before)
    assert status == 303
    return cookie(headers)


def test_it_serves_what_the_command_line_sees_and_ends_within_a_second(
    rig: Rig, web: Web, tmp_path: Path
) -> None:
    rig.configure('tools = ["hello"]\n' + rig.settings)
    publish(web, "1.0")
    write_tool(rig.tools, web.url + "/dl/", "1.0")
    with serving(rig) as (process, place):
        session = log_in(rig, place)
        status, headers, page = ask(place, "/", Cookie=session)
        assert (status, "not looked at" in page) == (200, True)
        assert "Server" not in headers
        rig.run("check")
        _, _, text = ask(place, "/api/v1/tools?q=hello", Cookie=session)
        (tool,) = json.loads(text)["tools"]
        assert (tool["tool"], tool["status"], tool["newest"]) == ("hello", "new", "1.0")
        assert ask(place, "/", Cookie=session, Host="evil.example")[0] == 421
        token = rig.run("user", "token", "ann", "ci").stdout.strip()
        assert ask(place, "/api/v1/tools", Authorization=f"Bearer {token}")[0] == 200
        # Somebody who keeps a connection open holds nothing up.
        idle = socket.create_connection(("127.0.0.1", int(place.rpartition(":")[2])))
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        assert time.monotonic() - began < 5  # half a second, and what a busy machine adds
        idle.close()
        assert process.returncode in (0, 130)


def test_a_hook_is_in_the_journal_within_seconds(rig: Rig, web: Web) -> None:
    secret = rig.root / "hook.secret"
    secret.write_text("known to the forge\n")
    secret.chmod(0o600)
    hooks = f'[web]\nhook_secret_file = "{secret}"\n'
    rig.configure('tools = ["hello"]\n' + rig.settings + hooks)
    publish(web, "1.0")
    write_tool(rig.tools, web.url + "/dl/", "1.0", "1.1")
    with serving(rig) as (_, place):
        session = log_in(rig, place)

        def seen() -> str:
            text = ask(place, "/api/v1/tools?q=hello", Cookie=session)[2]
            return str(json.loads(text)["tools"][0]["newest"])

        def after_a_hook(wanted: str) -> float:
            begun = time.monotonic()
            body = json.dumps({"url": f"{web.url}/dl/"})
            kind = {
                "Content-Type": "application/json",
                "Authorization": "Bearer known to the forge",
            }
            connection = http.client.HTTPConnection(place, timeout=30)
            connection.request("POST", "/hooks/generic", body, kind)
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["tools"]) == (202, ["hello"])
            connection.close()
            while seen() != wanted:
                assert time.monotonic() - begun < 20
                time.sleep(0.05)
            return time.monotonic() - begun

        took = after_a_hook("1.0")
        logging.info("from a hook to new in the journal: %.1f s", took)
        assert took < 10
        assert len(web.requests("/dl/")) == 1


@pytest.fixture
def service() -> Iterator[Rig]:
    """Give a set-up whose state is a user's of its own, as the service's is, where we are root."""
    with tempfile.TemporaryDirectory(prefix="serve-") as folder:
        rig = Rig(Path(folder))
        own_user(rig)
        yield rig


def own_user(rig: Rig) -> None:
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        rig.root.chmod(0o755)
        for folder in (rig.state, rig.work):
            folder.mkdir()
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """For the block, close a folder as toolsync-web.service has it, if it is there."""
    there = folder.is_dir()
    if there:
        folder.chmod(0)
    try:
        yield
    finally:
        if there:
            folder.chmod(0o700)


@pytest.mark.slow
def test_a_held_release_goes_from_a_login_to_its_publication(service: Rig, web: Web) -> None:
    rig = service
    rig.configure('tools = ["hello"]\n' + rig.settings)
    publish(web, "1.0")
    file = write_tool(rig.tools, web.url + "/dl/", "1.0") / "tool.toml"
    file.write_text(file.read_text().replace(accepted(LICENSE), "[license]\n"))
    rig.run("sync", "hello", status=3)
    copyright_ = rig.tools / "hello" / "debian" / "copyright"
    before = copyright_.read_text()
    with serving(rig) as (process, place), closed(rig.state / "gnupg" / "private-keys-v1.d"):
        if os.geteuid() == 0:
            assert Path(f"/proc/{process.pid}").stat().st_uid != 0
        session = log_in(rig, place)
        assert "/review/hello/1.0" in ask(place, "/tool/hello", Cookie=session)[2]
        _, _, page = ask(place, "/review/hello/1.0", Cookie=session)
        form = dict(re.findall(r'name="(csrf|shown)" value="([^"]+)"', page.partition("<main")[2]))
        form |= {"verdict": "approved", "reason": "legal has agreed"}
        # The bytes change after the page was shown: nothing is decided. Then they are as shown.
        copyright_.write_text(
            before.replace("\n\nFiles: *", "\nFiles-Excluded: LICENSE\n\nFiles: *")
        )
        rig.run("sync", "hello", status=3)
        status, _, told = ask(place, "/review/hello/1.0", form, Cookie=session)
        assert (status, "is not what was shown any more" in told) == (409, True)
        assert "approved" not in rig.run("log", "hello").stdout
        copyright_.write_text(before)
        rig.run("sync", "hello", status=3)
        status, headers, _ = ask(place, "/review/hello/1.0", form, Cookie=session)
        assert (status, headers["Location"]) == (303, "/tool/hello")
        assert "by ann (web): legal has agreed" in ask(place, "/tool/hello", Cookie=session)[2]
        assert ask(place, "/review/hello/1.0", form, Cookie=session)[0] == 409
        assert "by ann (web): legal has agreed" in rig.run("log", "hello").stdout
        assert rig.json("review") == []
    with serving(rig) as (_, place):  # restarted: sessions last
        rig.run("sync", "hello")
        _, _, page = ask(place, "/tool/hello", Cookie=session)
        assert "Types: deb deb-src" in page
        assert "sudo apt install hello/bookworm" in page
        found = re.search(r'href="(/tool/hello/evidence/1\.0)"', page)
        assert found
        (rig.root / "signed.json").write_text(ask(place, found[1], Cookie=session)[2])
    checks = rig.json("evidence", "--verify", rig.root / "signed.json")
    assert checks["passes"]


def test_a_unix_socket_is_nobody_elses(rig: Rig) -> None:
    place = rig.root / "web.sock"
    argv = rig.argv("serve", "--listen", f"unix:{place}")
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env=environment())
    try:
        assert process.stderr is not None
        assert f"unix:{place}" in process.stderr.readline()
        assert place.stat().st_mode & 0o777 == 0o660
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(place))
            client.sendall(b"GET /login HTTP/1.0\r\nHost: localhost\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.0 200")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def test_a_socket_of_systemds_is_answered(rig: Rig) -> None:
    place = rig.root / "given.sock"
    with socket.socket(socket.AF_UNIX) as given:
        given.bind(str(place))
        given.listen(5)
        # As systemd does: the socket is descriptor 3, for this process alone.
        words = f'exec 3<&{given.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
        process = subprocess.Popen(
            ["bash", "-c", words, "bash", *rig.argv("serve")],
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            pass_fds=(given.fileno(),),
        )
    try:
        assert process.stderr is not None
        assert f"unix:{place}" in process.stderr.readline()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(place))
            client.sendall(b"GET /login HTTP/1.0\r\nHost: localhost\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.0 200")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.mark.parametrize("listen", ["nowhere", "127.0.0.1:99999", "256.0.0.1:80"])
def test_a_place_that_is_none_is_told(rig: Rig, listen: str) -> None:
    done = rig.run("serve", "--listen", listen, status=None)
    assert done.returncode in (2, 5)
    assert listen in done.stderr
    assert "→" in done.stderr
