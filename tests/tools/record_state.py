"""Record what some version of toolsync leaves behind: state, and what it says of it.

``python -m tests.tools.record_state FOLDER NAME`` drives the toolsync whose source lies in FOLDER
(its ``toolsync/``) through its command line, for some days of a small archive's life, and
packs what there is in the end as ``tests/data/NAME.tar.xz``. `tests/service/test_upgrade.py`
goes on from there with the code of today. To record a later version, name another file.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.servers.web import Web
from tests.support.clockshift import ClockShift
from tests.support.keys import Keys, throwaway_keys
from tests.support.recorded import (
    ASKED,
    DATA,
    RECORDED,
    SERIES,
    TOOLS,
    VENDOR,
    Vendor,
    clear,
    indices,
    pack,
    settings,
)
from tests.support.releases import parser
from tests.support.reporting import MailServer
from tests.support.rig import Rig
from tests.support.tiny import LICENSE, accepted, archive, write_tool

BEGIN = datetime(2026, 6, 1, 8, tzinfo=UTC)
_OTHER_TERMS = "Do as you like, as long as you pay for it once a year.\n"
_OTHER_LICENSE = ("brush", "clay", "flute")
"""Tools whose 1.1 has other terms."""
_FEWER_OPTIONS = ("drill", "easel")
"""Tools whose 1.1 knows an option less."""
_MORE = {"glue": 'ignore = { "1.1" = "it eats tables" }\n', "kiln": "min_age = 3650\n"}
_NOBODY = "smtp://127.0.0.1:9"


class Recorder:
    """A version of toolsync, its operator, and a vendor, at a moment that only moves on."""

    def __init__(self, source: Path, web: Web, keys: Keys, mail: str, shift: ClockShift) -> None:
        self.source, self.keys, self.shift = source, keys, shift
        self.moment = BEGIN
        self.rig = Rig(RECORDED, settings(mail), SERIES)
        self.vendor = Vendor(web, RECORDED / "vendor")

    def environment(self) -> Mapping[str, str]:
        own = {"PYTHONPATH": str(self.source), "PYTHONSAFEPATH": "1", "TZ": "UTC"}
        return own | self.vendor.proxied() | self.shift.at(self.moment)

    def run(self, *words: str | Path, status: int | None = 0) -> str:
        """Run a command of that version and return what it printed."""
        print(f"{self.moment:%F %T}", *words, file=sys.stderr)  # noqa: T201 (a program)
        done = self.rig.run(*words, status=status, timeout=600, **self.environment())
        self.moment += timedelta(minutes=1)
        return done.stdout

    def printed(self) -> dict[str, Any]:
        """Return what it answers to all questions that change nothing."""
        asked = {" ".join(words): self.run(*words, "--json", status=None) for words in ASKED}
        return {words: json.loads(printed) for words, printed in asked.items()}

    # what there is

    def files_of(self, name: str, version: str) -> bytes:
        """Return the archive of a release."""
        extra = {}
        if name in _OTHER_LICENSE and version != "1.0":
            extra["LICENSE"] = _OTHER_TERMS
        if name in _FEWER_OPTIONS:
            options = ["'--color'", "'--size'"]
            extra[name] = parser(*options[: 1 if version == "1.1" else 2])
        if name == "iron" and version == "1.1":
            extra["broken"] = "Nobody can build this.\n"
        return archive(version, name=name, extra=extra)

    def set_up(self) -> None:
        """Write tools, and releases of which no page tells yet."""
        signer = self.keys.make("Vendor")
        for name in TOOLS:
            pins = []
            for version in ("1.0", "1.1", "1.2"):
                data = self.files_of(name, version)
                file = self.vendor.file(name, f"{name}-{version}.tar.gz", data)
                if name == "hello":
                    self.keys.sign(file, file.with_name(f"{file.name}.asc"), signer)
                if (name, version) != ("kettle", "1.1"):
                    pins.append(f'"{version}" = "{hashlib.sha256(data).hexdigest()}"\n')
            proof = f'[verify]\nmethod = "pins"\n[verify.pins]\n{"".join(pins)}'
            if name == "hello":
                proof = '[verify]\nmethod = "openpgp"\nsignature = "{url}.asc"\n'
                proof += f'keys = ["{signer}"]\n'
            self._write(name, proof)
        self.keys.export(self.rig.tools / "hello" / "keys" / "vendor.asc", signer)
        self._write_jug()

    def _write(self, name: str, proof: str) -> None:
        series = "" if name == "hello" else '[package]\nseries = ["bookworm"]\n'
        gates = f'{accepted(LICENSE)}[compat]\nprobe = false\nreason = "a test"\n'
        rest = f"{_MORE.get(name, '')}{proof}{gates}{series}"
        folder = write_tool(self.rig.tools, f"{VENDOR}/{name}/", name=name, toml=rest)
        if name == "iron":
            rules = "#!/usr/bin/make -f\n%:\n\tdh $@\noverride_dh_auto_build:\n\ttest ! -e broken\n"
            (folder / "debian" / "rules").write_text(rules)

    def _write_jug(self) -> None:
        debian = RECORDED / "conf" / "jug" / "debian"
        (debian / "source").mkdir(parents=True)
        (debian / "source" / "format").write_text("3.0 (quilt)\n")
        (debian / "watch").write_text(
            f"version=4\n{VENDOR}/jug/ @PACKAGE@@ANY_VERSION@@ARCHIVE_EXT@\n"
        )
        end = " -- A <a@a.invalid>  Mon, 01 Jan 2024 00:00:00 +0000\n"
        (debian / "changelog").write_text(f"jug (1.0-1) unstable; urgency=low\n\n  * x.\n\n{end}")

    # what happens

    def live(self, mail: MailServer) -> list[str]:
        """Let the archive live for some days; return the subjects of the mails that came."""
        self.set_up()
        for name in (*TOOLS, "jug"):
            self.vendor.page(name, "1.0")
        self.run("run")
        self.moment = BEGIN + timedelta(days=2)
        for name in (*TOOLS, "jug"):
            self.vendor.page(name, "1.0", "1.1")
        self.run("check", RECORDED / "conf" / "jug")
        self.run("run", status=3)
        self.moment = BEGIN + timedelta(days=3)
        self.run("approve", "clay", "1.1", "--reason", "The boss has paid.")
        self.run("reject", "flute", "1.1", "--reason", "We do not pay for flutes.")
        readme = self.rig.tools / "hello" / "debian" / "README.Debian"
        readme.write_text("Say hello.\n")
        self.vendor.page("horn", "1.0")
        self.rig.configure(settings(_NOBODY), SERIES)
        self.run("run", status=3)
        self.moment = BEGIN + timedelta(days=4)
        self.run("run", "--all", status=3)  # each sees that it is served by the newest index, too
        self.run("approve", "easel", "1.1", "--reason", "Nobody uses --size.")
        return [str(message["Subject"]) for message in mail.received]

    def said(self, subjects: list[str]) -> dict[str, Any]:
        """Return what is to be compared later."""
        self.moment = BEGIN + timedelta(days=4, hours=1)
        checked = json.loads(self.run("check", "--json", status=3))
        told = {name: self.run("why", name) for name in TOOLS}
        return {
            "printed": self.printed(),
            "checked": checked,
            "jug": json.loads(self.run("check", RECORDED / "conf" / "jug", "--json")),
            "why": told,
            "subjects": subjects,
            "indices": indices(self.rig.archive),
            "pool": self.rig.pool(),
        }


@contextmanager
def recorder(source: Path) -> Iterator[tuple[Recorder, MailServer]]:
    """Give a recorder for the toolsync in ``source``, and the operator's mail server."""
    RECORDED.mkdir()
    try:
        with (
            Web() as web,
            MailServer() as mail,
            throwaway_keys() as keys,
            tempfile.TemporaryDirectory() as library,
        ):
            yield Recorder(source, web, keys, mail.url, ClockShift(Path(library))), mail
    finally:
        shutil.rmtree(RECORDED)


def main(source: Path, name: str) -> None:
    """Record the toolsync in ``source`` under a name."""
    with recorder(source.resolve()) as (made, mail):
        said = made.said(made.live(mail))
        (RECORDED / "said.json").write_text(json.dumps(said, indent=1))
        clear(RECORDED)
        DATA.mkdir(exist_ok=True)
        pack(RECORDED, DATA / f"{name}.tar.xz")


if __name__ == "__main__":
    if os.uname().nodename != "archive":  # the machine's name goes into messages
        users = () if os.geteuid() == 0 else ("--map-root-user",)
        words = [sys.executable, "-m", "tests.tools.record_state", *sys.argv[1:]]
        naming = 'hostname archive && exec "$@"'
        call = ["unshare", "--uts", *users, "sh", "-c", naming, "sh", *words]
        raise SystemExit(subprocess.run(call).returncode)
    main(Path(sys.argv[1]), sys.argv[2])
