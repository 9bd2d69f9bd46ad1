"""Programs that map users, run by another service: the same words, statuses and ends."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from tests.support.living import alive
from toolsync.model.errors import ProgramFailed, TookTooLong
from toolsync.system import builder
from toolsync.system.run import run


class Service:
    """Systemd's part: accept, and start an instance whose stdin is the connection."""

    def __init__(self, path: Path) -> None:
        self.env = {builder.SOCKET: str(path)}
        self.instances: list[subprocess.Popen[str]] = []
        self.said = ""
        """What the instances said, once they have ended."""
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        with self._listener:
            while True:
                link, _ = self._listener.accept()
                with link:
                    if link.recv(8, socket.MSG_PEEK) == b"farewell":
                        return
                    self.instances.append(
                        subprocess.Popen(
                            [sys.executable, "-I", builder.__file__],
                            stdin=link.fileno(),
                            stderr=subprocess.PIPE,
                            text=True,
                        )
                    )

    def close(self) -> str:
        """Serve who has connected so far, wait for all instances, and return what they said."""
        with socket.socket(socket.AF_UNIX) as farewell:
            farewell.connect(str(self._path))
            farewell.sendall(b"farewell")
            self._thread.join(10)
        return "".join(instance.communicate(timeout=10)[1] for instance in self.instances)


@contextmanager
def serving(path: Path) -> Iterator[Service]:
    service = Service(path)
    try:
        yield service
    finally:
        service.said = service.close()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH in which tests put programs under the names that a builder runs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def put(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_words_folder_environment_and_status_are_the_programs(
    tmp_path: Path, programs: Path
) -> None:
    put(programs, "sbuild", 'echo "$1 in $PWD for $WHO"; echo oops >&2; exit 7')
    with serving(tmp_path / "s") as service:
        done = run(
            *("sbuild", "a b"), timeout=10, cwd=programs, env=service.env | {"WHO": "me"}, ok=(7,)
        )
    assert (done.out, done.err, done.code) == (f"a b in {programs} for me\n", "oops\n", 7)
    assert len(service.instances) == 1


def test_the_log_is_written_as_here(tmp_path: Path, programs: Path) -> None:
    put(programs, "sbuild", "echo one; echo two >&2; echo three")
    with serving(tmp_path / "s") as service:
        run("sbuild", timeout=10, env=service.env, log=tmp_path / "log")
    assert (tmp_path / "log").read_text() == "one\ntwo\nthree\n"


def test_other_programs_run_here(tmp_path: Path) -> None:
    with serving(tmp_path / "s") as service:
        assert run("echo", "x", timeout=10, env=service.env).out == "x\n"
    assert service.instances == []


def test_a_program_that_takes_too_long_is_ended_there_too(tmp_path: Path, programs: Path) -> None:
    put(programs, "sbuild", "setsid sleep 61.27 & sleep 61.27")
    with serving(tmp_path / "s") as service:
        with pytest.raises(TookTooLong):
            run("sbuild", timeout=0.5, env=service.env)
        assert alive("sleep 61.27") == []
        service.instances[0].wait(10)


def test_a_builder_that_is_not_there_is_told(tmp_path: Path, programs: Path) -> None:
    put(programs, "sbuild", "true")
    with pytest.raises(ProgramFailed, match="does not answer"):
        run("sbuild", timeout=10, env={builder.SOCKET: str(tmp_path / "none")})


def test_nothing_else_is_run_there(tmp_path: Path) -> None:
    command = [sys.executable, "-I", builder.__file__, "ask", str(tmp_path / "s"), "{}", "touch"]
    with serving(tmp_path / "s") as service:
        done = subprocess.run(
            [*command, str(tmp_path / "made")], capture_output=True, text=True, timeout=10
        )
    assert done.returncode != 0
    assert not (tmp_path / "made").exists()
    assert "touch is not run here" in service.said


@pytest.mark.parametrize("words", [b"", b"\0\0", b"\xff\xff\xff\xff", b"\0\0\0\2{}", b"\0\0\0\2no"])
def test_nonsense_is_refused(tmp_path: Path, words: bytes) -> None:
    with serving(tmp_path / "s") as service, socket.socket(socket.AF_UNIX) as link:
        link.connect(str(tmp_path / "s"))
        link.sendall(words)
        link.shutdown(socket.SHUT_WR)
    assert "refused" in service.said
    assert "Traceback" not in service.said
