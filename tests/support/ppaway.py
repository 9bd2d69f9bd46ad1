"""The whole way to a PPA with real parts only, driven as a person drives it.

toolsync runs as people run it, at the time that Launchpad's clock says; gpg signs; dput (for
SFTP OpenSSH's sftp) uploads to Launchpad's own upload server; the unmodified launchpadlib asks
the Launchpad of the tests, whose builders' work is done by dpkg-buildpackage and whose
publisher is reprepro.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.launchpad import LaunchpadServer
from tests.servers.launchpad_archive import Ppa
from tests.servers.launchpad_publisher import RepreproPublisher, build
from tests.servers.upload import UploadServer, make_ssh_key
from tests.support.clockshift import ClockShift
from tests.support.keys import Keys, throwaway_keys
from tests.support.rig import Rig

SERIES = ("jammy", "noble", "resolute")
TARGET = "ppa:maker/stable"
SETTINGS = """\
target = "ppa:maker/stable"
[http]
timeout = 10
retries = 1
[build]
tests = false
lint = false
[ppa]
alternative = ""
retries = 0
key = "{key}"
keyring = "{keyring}"
build_first = false
api = "{launchpad.service_root}"
archive = "{launchpad.url}"
"""


@dataclass(frozen=True)
class Way:
    """Everything between a vendor's page and an instance, for one tool."""

    tool: str
    rig: Rig
    launchpad: LaunchpadServer
    server: UploadServer
    ppa: Ppa
    archive_keys: Keys
    folder: Path
    method: str
    shift: ClockShift
    asked: Counter[str] = field(default_factory=Counter)

    def sync(self, status: int) -> dict[str, Any]:
        """Run toolsync, see that it ends with ``status``, and return the tool's row."""
        (row,) = self.json("sync", self.tool, "--target", TARGET, status=status)
        return dict(row)

    def json(self, *words: str, status: int | None = 0) -> Any:
        """Run toolsync with --json at Launchpad's time and return what it printed."""
        return json.loads(self.run(*words, "--json", status=status))

    def run(self, *words: str, status: int | None = 0) -> str:
        """Run toolsync at Launchpad's time, which goes on meanwhile; return what it printed."""
        began, clock = time.monotonic(), self.launchpad.clock
        env = self.shift.at(clock.now())
        try:
            return self.rig.run(*words, status=status, timeout=600, **env).stdout
        finally:
            clock.sleep(math.ceil(time.monotonic() - began) + 1)

    def uploads(self) -> dict[str, dict[str, Any]]:
        """Return what `toolsync status --json` says of the uploads, by series."""
        (row,) = self.json("status", self.tool, status=None)
        return {upload["series"]: upload for upload in row["uploads"]}

    def go(self, version: str) -> None:
        """Take a release from the vendor's page to where every series serves it."""
        before = len(self.server.sessions())
        self.sync(status=4)
        self.server.sessions(count=before + len(SERIES))
        self.let_launchpad_work()
        row = self.sync(status=0)
        assert (row["status"], row["current"]) == ("up-to-date", version), row

    def let_launchpad_work(self) -> None:
        """Let uploads be decided, built and published; what is built here is built once."""
        self.launchpad.tick(minutes=10)
        self.build()
        self.launchpad.tick(hours=1)

    def build(self) -> None:
        """Make the binaries of what was accepted, as Launchpad's builders do; each once."""
        for pub in self.ppa.sources:
            name = f"{pub.source.name}_{pub.version}_all.deb"
            if name not in self.ppa.debs:
                self.ppa.debs |= build(pub.source, self.folder / "builds")

    def serve(self) -> None:
        """Let the publisher put on disk what is Published."""
        self.launchpad.publisher = RepreproPublisher(self.folder / "published", self.archive_keys)
        self.launchpad.publisher.publish(self.ppa)

    def table(self, what: str) -> int:
        """Print what the API was asked since the last table; return how often it was."""
        cost = self.launchpad.cost() - self.asked
        print(f"\n{what}: {cost.total()} requests to the API")  # noqa: T201
        for name, count in cost.most_common():
            print(f"  {count:3}  {name}")  # noqa: T201
        self.asked.update(cost)
        return cost.total()


@contextmanager
def opened_way(root: Path, tool: str, method: str = "ftp", more: str = "") -> Iterator[Way]:
    """Give a way for a tool whose definition is still to be put into ``way.rig.tools``.

    ``method`` is ``ftp`` or ``sftp``, ``more`` are lines for [ppa].
    """
    with (
        throwaway_keys() as keys,
        throwaway_keys() as archives,
        UploadServer(root / "server") as server,
        LaunchpadServer(server.incoming) as launchpad,
    ):
        server.add_person("maker", make_ssh_key(root / "id"))
        key = keys.make("maker")
        launchpad.add_person("maker", keys.export(root / "maker.asc", key))
        launchpad.tick(minutes=1)  # past the moment in which the key was made
        settings = SETTINGS.format(launchpad=launchpad, key=key, keyring=keys.home)
        way = server.settings(method, root / "id").items()
        settings += f"{more}\n" + "".join(f'{name} = "{value}"\n' for name, value in way)
        rig = Rig(root, settings, ", ".join(f'"{name}"' for name in SERIES))
        ppa = launchpad.add_ppa("maker", "stable")
        yield Way(tool, rig, launchpad, server, ppa, archives, root, method, ClockShift(root))
