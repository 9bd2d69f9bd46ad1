"""What can be known of an upload from what dput says, with the real one and with ones that lie."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.support.keys import throwaway_keys
from tests.support.uploads import write_upload
from toolsync.model.errors import SetupError
from toolsync.system.dput import Sent, Server, send, ssh_options

FTP = Server(host="127.0.0.1:1", method="ftp", login="anonymous", incoming="~maker/ubuntu/stable/")
CHANGES = "tiny_1.0_source.changes"


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a file; a program called dput is then on PATH that is what stands in it."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "dput"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return program


def tried(folder: Path, program: Path, script: str, seconds: float = 10) -> Sent:
    program.write_text(f'#!/bin/sh\ncase "$*" in *--check-only*) exit 0;; esac\n{script}\n')
    (folder / CHANGES).touch()
    return send(folder / CHANGES, FTP, env={}, seconds=seconds, folder=folder)


FAILED_BEFORE = [
    "echo 'Connection failed, aborting. Check your network'; exit 1",
    "echo '  Uploading tiny_1.0.dsc: 550 Requested action not taken'; exit 1",
    "echo '  Uploading tiny_1.0.dsc: done.'; echo '  Uploading tiny.orig.tar.xz: 4'; exit 1",
    "echo 'Directory to upload to does not exist.'; exit 1",
    "echo 'ssh: connect to host 127.0.0.1 port 22: Connection refused' >&2; exit 255",
]
NOBODY_KNOWS = [
    "exit 1",
    "echo '  Uploading tiny_1.0.dsc: done.'; echo '  Uploading " + CHANGES + ": 550 no'; exit 1",
    "echo '  Uploading " + CHANGES + ": done.'; echo 'D: Exception while quitting' >&2; exit 1",
    "echo 'lost connection' >&2; exit 1",
    "kill -9 $$",
]


@pytest.mark.parametrize("script", FAILED_BEFORE)
def test_a_failure_before_the_changes_file_sent_nothing(
    script: str, said: Path, tmp_path: Path
) -> None:
    assert tried(tmp_path, said, script).result == "not-sent"


@pytest.mark.parametrize("script", NOBODY_KNOWS)
def test_after_any_other_failure_nobody_knows(script: str, said: Path, tmp_path: Path) -> None:
    assert tried(tmp_path, said, script).result == "unknown"


def test_a_dput_that_hangs_is_stopped(said: Path, tmp_path: Path) -> None:
    sent = tried(tmp_path, said, "sleep 60", seconds=0.3)
    assert sent.result == "unknown"
    assert "stopped after" in sent.said


def test_a_dput_that_asks_for_ever_is_stopped(said: Path, tmp_path: Path) -> None:
    """dput-ng does so over an unknown host key, on a stdin that is closed."""
    sent = tried(tmp_path, said, "read x && exit 0; yes 'yes or no?'", seconds=30)
    assert sent.result == "unknown"
    assert "limit" in sent.said


def test_what_dput_refuses_is_told_and_not_tried_again(said: Path, tmp_path: Path) -> None:
    said.write_text("#!/bin/sh\necho 'bad signature' >&2; exit 1\n")
    (tmp_path / CHANGES).touch()
    with pytest.raises(SetupError, match=r"dput refuses the upload before it is sent: .*bad sig"):
        send(tmp_path / CHANGES, FTP, env={}, seconds=5, folder=tmp_path)


def test_a_refused_login_is_for_a_person(said: Path, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"refuses the upload: .*Host key verification failed"):
        tried(tmp_path, said, "echo 'Host key verification failed.' >&2; exit 1")


def test_what_dput_is_told_never_asks_and_names_port_and_keys(said: Path, tmp_path: Path) -> None:
    sent = tried(tmp_path, said, "cat dput.cf; echo $* $(wc -c < /dev/stdin); exit 0")
    assert sent.result == "sent"
    stanza = (tmp_path / "dput.cf").read_text()
    assert "fqdn = 127.0.0.1:1\nmethod = ftp\npassive_ftp = 1\n" in stanza
    assert "incoming = ~maker/ubuntu/stable/\n" in stanza
    hosts = tmp_path / "hosts"
    hosts.touch()
    server = Server(
        host="up.example:2222",
        method="sftp",
        login="maker",
        incoming="~maker/ubuntu/stable",
        known_hosts=str(hosts),
        identity="/key",
    )
    options = ssh_options(server)
    assert {"Port=2222", "StrictHostKeyChecking=yes", "BatchMode=yes"} <= set(options)
    assert f"UserKnownHostsFile={hosts}" in options
    assert "IdentityFile=/key" in options


def test_sftp_without_host_keys_is_told(tmp_path: Path) -> None:
    server = Server(host="up.example", method="sftp", login="maker", incoming="x")
    with pytest.raises(SetupError, match="needs its host key") as caught:
        ssh_options(server)
    assert "ssh-keyscan" in caught.value.resolution


def test_the_real_dput_tells_of_a_closed_port(tmp_path: Path) -> None:
    with throwaway_keys() as keys, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        changes = write_upload(tmp_path / "up", keys, keys.make("Maker"))
        server = Server(
            host=f"127.0.0.1:{port}", method="ftp", login="anonymous", incoming="~maker/ubuntu/x/"
        )
        env = {"GNUPGHOME": str(keys.home)}
        sent = send(changes, server, env=env, seconds=60, folder=tmp_path)
    assert sent.result == "not-sent", sent
    assert "refused" in sent.said
