"""A C package for amd64 and i386, really built: here, and by a worker of a fleet. Minutes.

It goes from a vendor's page on loopback by sbuild, lintian and autopkgtest into an archive, from
which an i386 machine's apt installs it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.servers.redis import redis_server
from tests.servers.web import Web
from tests.slow.test_clean import served
from tests.support.chroots import Instance, clean_rig
from tests.support.rig import Rig
from tests.support.tiny import LICENSE, accepted, archive, write_tool
from toolsync.publish import index
from toolsync.system.architectures import native

pytestmark = pytest.mark.slow

NAME = "pointer"
SOURCE = {
    "width.c": (
        "#include <stdio.h>\n"
        'int main(void) { printf("%zu %s\\n", sizeof(void *), MACHINE); return 0; }\n'
    ),
    "Makefile": (
        "MACHINE := $(shell uname -m)\n"
        "all: width\n"
        "width: width.c\n"
        "\t$(CC) $(CPPFLAGS) $(CFLAGS) -DMACHINE='\"$(MACHINE)\"' $(LDFLAGS) -o $@ $<\n"
        "clean:\n\trm -f width\n"
    ),
    "NOTES": "It prints how many bytes a pointer has.\n",
}
CONTROL = f"""\
Source: {NAME}
Section: utils
Priority: optional
Maintainer: Tiny <tiny@tiny.example>
Build-Depends: debhelper-compat (= 13)
Standards-Version: 4.6.2
Rules-Requires-Root: no

Package: {NAME}
Architecture: any
Depends: ${{shlibs:Depends}}, ${{misc:Depends}}
Description: how wide a pointer is
 A program that prints how many bytes a pointer has, and for which
 machine it was built.

Package: {NAME}-doc
Architecture: all
Depends: ${{misc:Depends}}
Description: notes on how wide a pointer is
 A text that says what the program does.
"""


def follow(rig: Rig, web: Web, version: str = "1.0") -> None:
    """Put a release of C source on a page, and a tool that follows it into the set-up."""
    data = archive(version, name=NAME, extra=SOURCE)
    file = f"{NAME}-{version}.tar.gz"
    web.serve("/dl/", f'<a href="{file}">{file}</a>')
    web.serve(f"/dl/{file}", data, type="application/gzip")
    pin = f'"{version}" = "{hashlib.sha256(data).hexdigest()}"'
    rest = (
        f'[verify]\nmethod = "pins"\n[verify.pins]\n{pin}\n{accepted(LICENSE)}'
        '[compat]\nprobe = false\nreason = "a test"\n'
    )
    debian = write_tool(rig.tools, f"{web.url}/dl/", name=NAME, toml=rest) / "debian"
    (debian / "install").unlink()
    (debian / "control").write_text(CONTROL)
    (debian / f"{NAME}.install").write_text("width usr/bin\n")
    (debian / f"{NAME}-doc.install").write_text(f"NOTES usr/share/{NAME}\n")
    # Both packages are needed, also where one of them came of another build.
    test = f"Test-Command: width && test -s /usr/share/{NAME}/NOTES\nDepends: @\n"
    (debian / "tests" / "control").write_text(test)


def debs(rig: Rig) -> dict[str, str]:
    """Return the .debs of the package that are served, their digests by package and architecture.

    Debug symbols are left out.
    """
    found = {}
    for name, digest in index.served(rig.archive, "bookworm").items():
        package, _, rest = name.removesuffix(".deb").partition("_")
        if name.endswith(".deb") and package in (NAME, f"{NAME}-doc"):
            found[f"{package} {rest.rpartition('_')[2]}"] = digest
    return found


def program(rig: Rig, architecture: str) -> bytes:
    """Return what is installed as the program."""
    (deb,) = (rig.archive / "pool").rglob(f"{NAME}_*_{architecture}.deb")
    tree = rig.root / f"tree-{architecture}"
    subprocess.run(["dpkg-deb", "-x", deb, tree], check=True)
    return (tree / "usr/bin/width").read_bytes()


def configure(rig: Rig, *more: str) -> None:
    served_there = '[local]\narchitectures = ["amd64", "i386"]\n'
    rig.configure("\n".join((rig.settings, served_there, *more)))


def test_a_c_package_is_built_for_both_and_installed_on_each(tmp_path: Path, web: Web) -> None:
    rig = clean_rig(tmp_path)
    configure(rig)
    follow(rig, web)
    (row,) = rig.json("sync", NAME)
    assert row["status"] == "up-to-date", row
    assert debs(rig).keys() == {f"{NAME} amd64", f"{NAME} i386", f"{NAME}-doc all"}
    assert b"x86_64" in program(rig, "amd64")
    assert b"i686" in program(rig, "i386")
    place = rig.json("evidence", NAME, "1.0")["predicate"]["series"]["bookworm"]
    other = place["architectures"]["i386"]["build"]
    assert other["builder"].startswith("sbuild (unshare), bookworm-i386 chroot of 20")
    assert [place["build"]["tests"], other["tests"]] == ["1 passed", "1 passed"]
    before, began = debs(rig), time.monotonic()
    rig.run("sync", NAME)
    assert time.monotonic() - began < 60  # nothing is built again
    assert debs(rig) == before
    with served(rig.archive) as address:
        for chroot, said in (("bookworm", "8 x86_64"), ("bookworm-i386", "4 i686")):
            (place_of := tmp_path / chroot).mkdir()
            instance = Instance(place_of, chroot)
            instance.add_archive(rig.run("archive", "sources", "--url", address).stdout)
            instance.run(f"apt-get install -q -y {NAME}/bookworm {NAME}-doc/bookworm")
            assert instance.run("width").strip() == said


def test_a_worker_builds_in_sbuild_and_the_archive_serves_it(tmp_path: Path, web: Web) -> None:
    if "CI" not in os.environ:
        pytest.importorskip("celery", reason="make test installs it")
    here, there = (clean_rig(tmp_path / name) for name in ("coordinator", "worker"))
    with redis_server() as broker:
        (tmp_path / "shared").mkdir()
        fleet = f'[fleet]\nbroker = "{broker}"\nwaiting = 120\n'
        fleet += f'[store]\nurl = "file://{tmp_path}/shared"\n'
        configure(here, fleet)
        there.configure(f"{there.settings}\n{fleet}")
        follow(here, web)
        process = there.start("worker", "--at-once", "1", "--name", "w@there")
        try:
            while not (workers := here.json("fleet")["workers"]):
                time.sleep(0.2)
            assert set(workers[0]["queues"]) >= {f"build.{name}" for name in native()}
            (row,) = here.json("sync", NAME)
            assert row["status"] == "up-to-date", row
            queues = here.json("fleet")["queues"]
            assert [queues[f"build.{a}"]["last_hour"] for a in ("amd64", "i386")] == [1, 1]
        finally:
            process.terminate()
            assert process.wait(60) in (0, 128 + 15)
    assert debs(here).keys() == {f"{NAME} amd64", f"{NAME} i386", f"{NAME}-doc all"}
    place = here.json("evidence", NAME, "1.0")["predicate"]["series"]["bookworm"]
    assert place["build"]["builder"].startswith("sbuild (unshare), bookworm chroot of 20")
    assert place["build"]["tests"] == "1 passed"
    assert b"i686" in program(here, "i386")
    assert not list(there.state.glob("journal*"))
