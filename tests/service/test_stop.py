"""Ctrl-C, and what else tells us to stop: within a second, at any stage, and nothing left."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.web import Answer, Web
from tests.support.living import alive, come, gone
from tests.support.rig import Rig, environment
from tests.support.tiny import archive, publish, write_tool

PATIENT = (
    '[http]\ntimeout = 60\nretries = 5\n[build]\nbackend = "host"\ntests = false\nlint = false\n'
)
SECOND = 1.0

Asked = Callable[[], bool]
"""Says whether what the command is to wait for has been asked."""


def stopped(rig: Rig, number: signal.Signals, asked: Asked, *words: str) -> tuple[float, str]:
    """Start a command, stop it once it waits, and return how long that took and what it said."""
    process = subprocess.Popen(
        rig.argv(*words),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
        text=True,
    )
    end = time.monotonic() + 60
    while not asked():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.02)
    time.sleep(0.2)
    began = time.monotonic()
    process.send_signal(number)
    said = process.communicate(timeout=30)[1]
    took = time.monotonic() - began
    assert process.returncode == 128 + number, said
    assert "Traceback" not in said
    return took, said


@pytest.fixture
def patient(tmp_path: Path) -> Rig:
    """A set-up that waits for a minute, and again."""
    return Rig(tmp_path, PATIENT)


PAGES = {
    "never answers": Answer("x", delay=60.0),
    "drips": Answer("x" * 1000, trickle=1.0),
    "asks to come again": Answer("x", status=503, headers={"Retry-After": "60"}),
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("page", PAGES)
def test_a_look_at_a_page_is_stopped(
    patient: Rig, web: Web, page: str, number: signal.Signals
) -> None:
    web.serve_by("/dl/", lambda asked: PAGES[page])
    write_tool(patient.tools, web.url + "/dl/", "1.0")
    took, said = stopped(patient, number, lambda: bool(web.asked), "check", "hello")
    assert took < SECOND
    assert "toolsync: stopped" in said


def test_many_looks_at_once_are_stopped(patient: Rig, web: Web) -> None:
    """Some wait for the server, the others for their turn."""
    web.serve_rest(lambda asked: Answer("x", delay=60.0))
    names = [f"tool{number}" for number in range(40)]
    for name in names:
        write_tool(patient.tools, f"{web.url}/{name}/", "1.0", name=name)
    took, _ = stopped(patient, signal.SIGINT, lambda: len(web.asked) > 3, "check", *names)
    assert took < SECOND


@contextmanager
def deaf_server() -> Iterator[str]:
    """Give the address of a server with which no connection comes about."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for each in waiting:
            each.close()


def test_a_connection_that_does_not_come_about_is_stopped(patient: Rig) -> None:
    with deaf_server() as url:
        write_tool(patient.tools, f"{url}/dl/", "1.0")
        began = time.monotonic()
        took, _ = stopped(
            patient, signal.SIGINT, lambda: time.monotonic() - began > 2, "check", "hello"
        )
    assert took < SECOND


def test_a_download_is_stopped(patient: Rig, web: Web) -> None:
    publish(web, "1.0")
    write_tool(patient.tools, web.url + "/dl/", "1.0")
    path = "/dl/hello-1.0.tar.gz"
    web.serve(path, archive("1.0"), trickle=1.0)
    took, _ = stopped(patient, signal.SIGINT, lambda: bool(web.requests(path)), "sync", "hello")
    assert took < SECOND
    assert [p for p in patient.leftovers() if p.parent.name != "partial"] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_build_is_stopped_and_the_next_run_goes_on(
    patient: Rig, web: Web, number: signal.Signals
) -> None:
    publish(web, "1.0")
    folder = write_tool(patient.tools, web.url + "/dl/", "1.0")
    rules = folder / "debian" / "rules"
    wanted = rules.read_text()
    rules.write_text(f"{wanted}override_dh_auto_build:\n\tsetsid sleep 771.5 & sleep 771.5\n")
    if number == signal.SIGKILL:
        with patient.start("sync", "hello") as process:
            try:
                come("sleep 771.5", 2, 60)
            finally:
                process.kill()
    else:
        took, _ = stopped(patient, number, lambda: len(alive("sleep 771.5")) > 1, "sync", "hello")
        assert took < SECOND
        assert patient.leftovers() == []
    assert gone("sleep 771.5", 1) == []
    rules.write_text(wanted)
    patient.run("sync", "hello")
    assert patient.json("status", "hello")[0]["current"] == "1.0"
    assert patient.leftovers() == []


HOSTILE = {
    "SOURCE_DATE_EPOCH": "1",
    "MAKEFLAGS": "-n",
    "DH_OPTIONS": "--no-act",
    "REPREPRO_CONFIG_DIR": "/nonexistent",
    "TMPDIR": "/dev/shm",
    "DEB_BUILD_OPTIONS": "noopt",
    "TAR_OPTIONS": "--exclude=*",
    "XZ_DEFAULTS": "-0",
    "TZ": "Pacific/Kiritimati",
    "LD_LIBRARY_PATH": "/nonexistent",
    "CFLAGS": "-g0",
}


OF_A_HOME = {
    ".dpkg.cfg": "nonsense\n",
    ".config/dpkg/buildpackage.conf": "nonsense\n",
    ".config/dpkg/buildflags.conf": "SET CFLAGS -g0\n",
    ".gnupg/gpg.conf": "nonsense\n",
    ".gitconfig": "[",
    ".lintianrc": "nonsense = yes\n",
    ".quiltrc": "exit 1\n",
    ".sbuildrc": "die;\n",
    ".devscripts": "exit 1\n",
}
"""Files by which a person changes what programs do."""


def test_the_environment_changes_nothing_of_what_is_published(tmp_path: Path, web: Web) -> None:
    """Neither variables nor what lies in the home of whoever runs it."""
    publish(web, "1.0")
    pools, home = [], tmp_path / "home"
    for name, text in OF_A_HOME.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    hostile = {**HOSTILE, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
    for number, env in enumerate(({}, hostile)):
        rig = Rig(tmp_path / str(number))
        write_tool(rig.tools, web.url + "/dl/", "1.0")
        rig.run("sync", "hello", status=0, timeout=600, **env)
        pools.append(rig.pool())
    assert pools[0] == pools[1]
    assert len(pools[0]) > 3
