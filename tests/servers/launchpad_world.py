"""Who and what there is in the Launchpad that tests run against, and its time.

Time stands still until `World.tick` or the clock's own `sleep` moves it.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.servers.launchpad_archive import ARCHITECTURES, Pace, Ppa, Source


class DrivenClock:
    """A clock (`toolsync.system.clock.Clock`) that only tests move; sleeping moves it too."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime.now(UTC).replace(microsecond=0)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now += timedelta(seconds=seconds)


@dataclass(frozen=True, kw_only=True)
class Mail:
    """What Launchpad mailed to whom: the only place where a rejection is told."""

    to: str
    """A person's name."""
    subject: str
    body: str


@dataclass(kw_only=True, eq=False)
class Person:
    """A person or a team."""

    name: str
    members: set[str] = field(default_factory=set)
    """Names; a team is whoever has members."""
    fingerprints: list[str] = field(default_factory=list)
    active: bool = True
    """Whether the account is not deactivated."""
    ssh_keys: list[tuple[str, str]] = field(default_factory=list)
    """Each as ("ssh-ed25519", "AAAA…")."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """A series of Ubuntu."""

    name: str
    version: str
    status: str = "Supported"
    architectures: tuple[str, ...] = ARCHITECTURES

    @property
    def active(self) -> bool:
        """Say whether it is developed or supported: more series than these take a PPA's uploads."""
        return self.status not in ("Obsolete", "Future", "Experimental")


SERIES = (
    Series(name="trusty", version="14.04", status="Obsolete"),
    Series(name="jammy", version="22.04"),
    Series(name="mantic", version="23.10", status="Obsolete"),
    Series(name="noble", version="24.04"),
    Series(name="questing", version="25.10", status="Obsolete"),
    Series(name="resolute", version="26.04", status="Current Stable Release"),
)


class World:
    """Persons, series, PPAs, mails and keys; fields are for tests to read and to set."""

    def __init__(self, clock: DrivenClock | None = None, pace: Pace | None = None) -> None:
        self.clock = clock or DrivenClock()
        self.pace = pace or Pace()
        self.people: dict[str, Person] = {}
        self.ppas: dict[tuple[str, str], Ppa] = {}
        self.series: dict[str, Series] = {one.name: one for one in SERIES}
        self.primary = Ppa(
            owner="", name="primary", displayname="Primary Archive for Ubuntu", pace=self.pace
        )
        """Ubuntu's own archive: its origs bind every PPA."""
        self.mails: list[Mail] = []
        self.dropped: Counter[str] = Counter()
        """Uploads of which nobody is told, by reason."""
        self.tokens: dict[str, tuple[str, str]] = {}
        """OAuth access tokens: the secret and the person's name by key."""
        self.lock = threading.RLock()
        self.due: list[tuple[datetime, Callable[[], None]]] = []
        """What happens later, and when."""
        self._home = tempfile.TemporaryDirectory(prefix="launchpad-", dir="/tmp")
        self.home = Path(self._home.name)
        """A GnuPG home with the registered keys."""

    def close(self) -> None:
        self._home.cleanup()

    def add_person(self, name: str, *keys: Path, members: tuple[str, ...] = ()) -> Person:
        """Register a person (or a team) with OpenPGP keys, given as files of public keys."""
        person = self.people.setdefault(name, Person(name=name))
        person.members |= set(members)
        for path in keys:
            self._gpg("--import", str(path))
            shown = self._gpg("--show-keys", "--with-colons", str(path)).splitlines()
            marks = [line.split(":") for line in shown]
            person.fingerprints += [
                marks[number + 1][9] for number, mark in enumerate(marks) if mark[0] == "pub"
            ]
        return person

    def add_ppa(self, owner: str, name: str) -> Ppa:
        """Create a PPA; its owner too, if need be."""
        self.people.setdefault(owner, Person(name=owner))
        ppa = Ppa(owner=owner, name=name, displayname=f"{owner}'s {name}", pace=self.pace)
        self.ppas[owner, name] = ppa
        return ppa

    def add_to_ubuntu(self, name: str, version: str, orig: bytes, series: str = "noble") -> None:
        """Put a source package into Ubuntu's own archive, with this orig tarball (.xz)."""
        upstream = version.rpartition("-")[0].split(":", 1)[-1]
        source = Source(
            name=name,
            version=version,
            files={f"{name}_{upstream}.orig.tar.xz": orig},
            changes_name="",
            changes=b"",
            binaries=(),
            section="utils",
            signer="",
        )
        self.primary.accept(source, series, self.clock.now() - timedelta(days=30))

    def add_token(self, person: str, key: str = "token", secret: str = "secret") -> None:
        """Let a person's OAuth access token be valid."""
        self.tokens[key] = (secret, person)

    def signer(self, signed: Path) -> tuple[str, bytes]:
        """Return the name of whoever signed a file, and what they signed.

        The name is empty where no registered, living key has signed all of it: Launchpad
        does not know whom to tell then.
        """
        done = subprocess.run(
            [*self._command(), "--status-fd", "2", "--output", "-", "--decrypt", str(signed)],
            capture_output=True,
            timeout=60,
            check=False,
        )
        words = [line.split() for line in done.stderr.decode(errors="replace").splitlines()]
        told = {word[1]: word for word in words if word[:1] == ["[GNUPG:]"]}
        if "GOODSIG" not in told or "VALIDSIG" not in told:
            return "", b""
        primary = told["VALIDSIG"][-1]
        names = [p.name for p in self.people.values() if primary in p.fingerprints]
        return (names[0] if names else ""), done.stdout

    def may_upload(self, person: str, ppa: Ppa) -> bool:
        """Say whether a person has upload rights to a PPA."""
        owner = self.people[ppa.owner]
        return person == owner.name or person in owner.members | ppa.uploaders

    def may_view(self, person: str, ppa: Ppa) -> bool:
        """Say whether a person, or nobody (empty), sees an archive: its own people always do."""
        public = ppa.enabled and not ppa.private
        return public or (bool(person) and self.may_upload(person, ppa))

    def may_take(self, series: Series, ppa: Ppa) -> bool:
        """Say whether a PPA takes uploads for a series: one of the future too."""
        return series.status != "Obsolete" or ppa.permit_obsolete_series_uploads

    def knows(self, name: str) -> bool:
        """Say whether any archive ever had a source package of this name."""
        every = (self.primary, *self.ppas.values())
        return name == "hello" or any(pub.name == name for ppa in every for pub in ppa.sources)

    def tell(self, person: str, subject: str, body: str) -> None:
        """Send a mail."""
        self.mails.append(Mail(to=person, subject=subject, body=body))

    def later(self, delay: timedelta, act: Callable[[], None]) -> None:
        """Let something happen after a while."""
        self.due.append((self.clock.now() + delay, act))

    def advance(self) -> list[Ppa]:
        """Bring everything to the clock's moment; return the PPAs with something published."""
        with self.lock:
            now = self.clock.now()
            ready = [act for moment, act in self.due if moment <= now]
            self.due = [pair for pair in self.due if pair[0] > now]
            for act in ready:
                act()
            self.primary.advance(now)
            return [ppa for ppa in self.ppas.values() if ppa.advance(now)]

    def _gpg(self, *words: str) -> str:
        command = [*self._command(), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def _command(self) -> list[str]:
        return ["gpg", "--homedir", str(self.home), "--batch", "--no-tty", "--no-autostart"]
