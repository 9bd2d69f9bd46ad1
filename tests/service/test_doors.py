"""The doors of the command line: what is read, what is shown, and who is told to have decided."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.rig import ROOT, Rig, environment
from tests.support.tiny import archive, write_tool
from toolsync.http.client import Http
from toolsync.model.errors import Unreachable

UNSET = str(2**32 - 1)
EVIL = "\x1b[2J\u202e\u2066"


# files that have no end


@pytest.fixture
def endless(tmp_path: Path) -> list[str]:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    return [str(fifo), "/dev/zero"]


@pytest.mark.parametrize(
    "words",
    [
        ("evidence", "--verify", "X"),
        ("evidence", "--verify", "GOOD", "--key", "X"),
        ("verify", "X"),
        ("verify", "GOOD", "--signature", "X"),
        ("verify", "GOOD", "--keyring", "X"),
        ("verify", "GOOD", "--checksums", "X"),
        ("repack", "X", "--package", "p", "--version", "1"),
        ("repack", "GOOD", "--package", "p", "--version", "1", "--copyright", "X"),
        ("compat", "X", "GOOD"),
        ("compat", "GOOD", "X"),
        ("license", "X", "GOOD"),
        ("license", "GOOD", "X"),
    ],
)
def test_a_pipe_or_a_device_is_no_file(
    rig: Rig, tmp_path: Path, endless: list[str], words: tuple[str, ...]
) -> None:
    good = tmp_path / "good"
    good.write_bytes(archive("1.0"))
    for bad in endless:
        given = [{"X": bad, "GOOD": str(good)}.get(word, word) for word in words]
        done = rig.run(*given, status=2, timeout=20)
        assert f"{bad} is no regular file" in " ".join(done.stderr.split())


def test_settings_are_no_pipe_either(endless: list[str]) -> None:
    for bad in endless:
        done = subprocess.run(
            [sys.executable, "-m", "toolsync", "--config", bad, "status"],
            capture_output=True,
            text=True,
            timeout=20,
            env=environment(),
            cwd=ROOT,
            check=False,
        )
        assert done.returncode == 2
        assert "is no regular file" in " ".join(done.stderr.split())


# what is shown


def test_a_page_s_words_do_not_act_on_the_screen(rig: Rig, web: Web) -> None:
    write_tool(rig.tools, web.url + "/dl/", "1.0")
    web.serve("/dl/", f"<html><a href='hello-{EVIL}'>hello-1.0{EVIL}</a> x\u202ey</html>")
    shown = [rig.run("check", "hello", status=None), rig.run("sync", "hello", status=None)]
    shown += [rig.run(word, "hello", status=None) for word in ("why", "log", "status", "check")]
    shown += [rig.run(word, "--json", status=None) for word in ("check", "status", "log")]
    rig.run("check", f"no{EVIL}tool", status=2)
    for done in shown:
        text = done.stdout + done.stderr
        assert text.replace("\n", "").replace("\t", "").isprintable(), repr(text)


# names


@pytest.mark.parametrize("name", ["-rf.tar.gz", ".hello.tar.gz", "h\u202e1.tar.gz", "x" * 230])
def test_a_name_by_filenamemangle_is_a_plain_one(
    tmp_path: Path, web: Web, rig: Rig, name: str
) -> None:
    folder = tmp_path / "hello"
    (folder / "debian").mkdir(parents=True)
    (folder / "debian" / "changelog").write_text(
        "hello (0.9-1) unstable; urgency=low\n\n  * x\n\n"
        " -- A <a@a.invalid>  Mon, 02 Nov 2026 00:00:00 +0000\n"
    )
    (folder / "debian" / "watch").write_text(
        f"version=4\nopts=filenamemangle=s/.*/{name}/ \\\n"
        f" {web.url}/dl/ hello-([\\d.]+)\\.tar\\.gz\n"
    )
    web.serve("/dl/", "<a href='hello-1.0.tar.gz'>x</a>")
    web.serve("/dl/hello-1.0.tar.gz", archive("1.0"))
    out = tmp_path / "out"
    done = rig.run("fetch", str(folder), "-o", str(out), status=None)
    assert done.returncode in (3, 5)
    text = " ".join((done.stdout + done.stderr).split())
    assert "names the download" in text
    assert "which" in text
    assert not out.exists() or list(out.iterdir()) == []


# headers that never end


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\nLocation: /\r\n"]
)
def test_dripped_headers_end_with_the_page_s_time(head: bytes) -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(head)
                while not over.wait(0.2):
                    try:
                        connection.sendall(b"x" if over.is_set() else b"X")
                    except OSError:
                        return

        threading.Thread(target=drip, daemon=True).start()
        http = Http(user_agent="test", timeout=3, retries=3)
        began = time.monotonic()
        with pytest.raises(Unreachable, match="did not finish within 1 s"):
            http.page(f"http://127.0.0.1:{server.getsockname()[1]}/", limit=1000, seconds=1)
        assert time.monotonic() - began < 20
        over.set()
        http.close()


# who decided

_ASK = "from toolsync.system.account import account; print(account())"


def _no_login() -> bool:
    place = Path("/proc/self/loginuid")
    return not place.exists() or place.read_text() == UNSET


@pytest.mark.skipif(os.geteuid() != 0 or not _no_login(), reason="root, and nobody logged in")
def test_who_decided_is_not_what_the_environment_says() -> None:
    me = pwd.getpwuid(os.geteuid()).pw_name
    words = [sys.executable, "-c", _ASK]
    forged = environment() | {"SUDO_USER": "daemon", "SUDO_UID": "1"}

    def said(*head: str) -> str:
        done = subprocess.run(
            [*head, *words], capture_output=True, text=True, env=forged, cwd=ROOT, check=True
        )
        return done.stdout.strip()

    assert said() == me
    below = ("setpriv", "--reuid=2", "--regid=2", "--clear-groups")
    assert said(*below) == pwd.getpwuid(2).pw_name
