"""From an address to apt with what `add` writes: no file is edited where upstream says enough."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.projects import README, tarball
from tests.support.rig import Rig
from toolsync.config.packaging import SAY_HERE

HOST = """
[http]
timeout = 5
retries = 1
[build]
backend = "host"
tests = false
lint = true
"""


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, HOST)


def serve(web: Web, data: bytes) -> str:
    """Serve a release and the page that lists it; return the page's address."""
    web.serve("/dl/greet-1.0.tar.gz", data, type="application/gzip")
    web.serve("/dl/", b'<a href="greet-1.0.tar.gz">greet-1.0.tar.gz</a>')
    return f"{web.url}/dl/"


def pin(rig: Rig, data: bytes) -> None:
    """Pin the release's digest, which is what proves it here."""
    file = rig.tools / "greet" / "tool.toml"
    pins = f'method = "pins"\n[verify.pins]\n"1.0" = "{hashlib.sha256(data).hexdigest()}"\n'
    file.write_text(file.read_text().replace('method = "pins"\n', pins))


@pytest.mark.parametrize("way", ["scripts", "make", "java"])
def test_what_add_writes_is_published_as_it_is(rig: Rig, web: Web, way: str) -> None:
    data = tarball(way)
    made = rig.json("add", serve(web, data), "--yes", "--output", rig.tools)
    assert made["system"]
    assert len(made["undecided"]) == 1  # how releases are proved
    pin(rig, data)
    (row,) = rig.json("sync", "greet")
    assert (row["status"], row["current"]) == ("up-to-date", "1.0"), row
    assert any(name.startswith("greet_1.0-") and name.endswith(".deb") for name in rig.pool())


def test_it_is_built_at_once_and_published_nowhere(rig: Rig, web: Web) -> None:
    page = serve(web, tarball("scripts"))
    made = rig.json("add", page, "--yes", "--build", "--output", rig.tools)
    assert "greet_1.0-0trial1_all.deb" in made["built"]
    assert not rig.archive.exists()
    shown = rig.run("log", "greet").stdout
    assert "published" not in shown


def test_a_command_that_cannot_help_here_gets_no_manual(rig: Rig, web: Web) -> None:
    """Where it was built, what it runs with need not be there: its complaint is no manual."""
    script = b"#!/bin/sh\necho Traceback, no module >&2\nexit 1\n"
    page = serve(web, tarball("scripts", {"greet": script, "greet.1": b"no manual\n"}))
    made = rig.json("add", page, "--yes", "--build", "--output", rig.tools)
    assert "greet_1.0-0trial1_all.deb" in made["built"]
    (deb,) = (p for p in (rig.state / "store").rglob("*") if p.is_file() and _holds(p, "bin/greet"))
    assert not _holds(deb, "man1")


def _holds(path: Path, name: str) -> bool:
    """Say whether a file is a .deb with such a name in it."""
    done = subprocess.run(["dpkg-deb", "-c", path], capture_output=True, text=True, check=False)
    return done.returncode == 0 and name in done.stdout


def test_a_build_that_fails_tells_why_and_keeps_what_was_written(rig: Rig, web: Web) -> None:
    page = serve(web, tarball("make", {"greet.c": b"int main(void) { return oops; }\n"}))
    done = rig.run("add", page, "--yes", "--build", "--output", rig.tools, status=3)
    assert "oops" in done.stderr
    assert (rig.tools / "greet" / "debian" / "rules").is_file()


def test_nothing_is_built_while_a_person_has_something_to_say(rig: Rig, web: Web) -> None:
    unsaid = {"README.md": b"# greet\n"}
    page = serve(web, tarball("scripts", unsaid))
    done = rig.run("add", page, "--yes", "--build", "--output", rig.tools, status=5)
    assert "debian/control:" in done.stderr
    control = rig.tools / "greet" / "debian" / "control"
    assert control.read_text().count(SAY_HERE) == 1
    line = README.splitlines()[2].partition(",")[0].removeprefix("greet ")
    control.write_text(
        control.read_text().replace(f"{SAY_HERE} in a line what it does, without its name", line)
    )
    pin(rig, tarball("scripts", unsaid))
    (row,) = rig.json("sync", "greet")
    assert row["status"] == "up-to-date", row
