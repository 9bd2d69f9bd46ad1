"""A PPA to publish to: Launchpad on the loopback, a key, and dput's place taken or not.

`Goods` are made once for many tests (a signed upload costs a second); a `Yard` is one
Launchpad with one PPA, in front of which tests put what dput does and says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.servers.launchpad import LaunchpadServer
from tests.servers.launchpad_world import Series
from tests.support.keys import Keys
from tests.support.tiny_packages import Context, make_source
from toolsync.config.settings import Limits
from toolsync.config.settings import Ppa as Settings
from toolsync.http.client import Http
from toolsync.model.release import Compatible, Receipt, SourcePackage
from toolsync.publish.openppa import fetcher
from toolsync.publish.ppa import PpaTarget
from toolsync.publish.sourceupload import prepare
from toolsync.publish.target import Ledger
from toolsync.system.dput import Sent, Server
from toolsync.system.gpg import SigningHome
from toolsync.system.launchpad import Launchpad
from toolsync.system.signing import Signer
from toolsync.system.store import Store
from toolsync.system.work import Workshop

SERIES = ("jammy", "noble", "resolute")
PLACE = "~maker/ubuntu/stable"
REFERENCE = "~maker/+archive/ubuntu/stable"


class Row:
    """A ledger as the journal keeps one, without the journal."""

    def __init__(self, yard: Yard, detail: Mapping[str, Any] | None = None) -> None:
        self._yard = yard
        self.state, self.since = "claimed", yard.server.clock.now()
        self.detail: dict[str, Any] = dict(detail or {})
        self.again = False
        self.elsewhere: dict[str, datetime] = {}
        self.states = ["claimed"]

    def note(self, state: str, **detail: Any) -> None:
        if state != self.state:
            self.state, self.since = state, self._yard.server.clock.now()
            self.states.append(state)
        self.detail |= detail


class Goods:
    """A key, and signed source packages for three series, made once."""

    def __init__(self, root: Path, keys: Keys, key: str = "") -> None:
        root.chmod(0o755)
        self.root, self.keys = root, keys
        self.store, self.workshop = Store(root / "store"), Workshop(root, root / "work")
        self.key = key or keys.make("Maker")
        self.public = keys.export(root / "maker.asc", self.key)
        self.archive_key = key or keys.make("Launchpad PPA for maker")
        self.archive_public = keys.export(root / "ppa.asc", self.archive_key).read_text()
        self.signer = Signer(SigningHome(root / "none"), keyring=str(keys.home), key=self.key)
        self._made: dict[tuple[Any, ...], tuple[SourcePackage, dict[str, Any]]] = {}

    def source(self, series: str = "noble", **words: Any) -> SourcePackage:
        """Return a source package; the same one for the same words."""
        return self._goods(series, words)[0]

    def detail(self, series: str = "noble", **words: Any) -> dict[str, Any]:
        """Return what a ledger knows of a package that is signed and not yet sent."""
        return self._goods(series, words)[1]

    def _goods(self, series: str, words: dict[str, Any]) -> tuple[SourcePackage, dict[str, Any]]:
        key = (series, *sorted(words.items()))
        if key not in self._made:
            folder = self.root / f"source-{len(self._made)}"
            source = make_source(folder, self.store, series=series, **words)
            with self.signer.opened() as env:
                shipment = prepare(
                    source, signer=self.signer, env=env, store=self.store, shop=self.workshop
                )
            self._made[key] = source, shipment.noted()
        return self._made[key]


def write_token(path: Path) -> None:
    """Write the token that `World.add_token` makes valid, as a login does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "[1]\nconsumer_key = toolsync\nconsumer_secret =\n"
        "access_token = token\naccess_secret = secret\n"
    )
    path.chmod(0o600)


@dataclass
class Dput:
    """Stands where dput stands: says what it is told to say, and carries what it is told to."""

    server: LaunchpadServer
    words: list[str] = field(default_factory=list)
    """For each call: ``sent``, ``not-sent``, ``unknown`` (carried), ``half`` (cut off before the
    .changes and not known), ``drop`` (says sent, carries nothing). ``sent`` when empty."""
    hosts: list[str] = field(default_factory=list)
    carried: list[str] = field(default_factory=list)
    """The names of every .changes that reached Launchpad."""

    def __call__(self, changes: Path, server: Server, env: Mapping[str, str]) -> Sent:
        word = self.words.pop(0) if self.words else "sent"
        self.hosts.append(server.host)
        if word in ("sent", "unknown"):
            self.carried.append(changes.name)
            self.server.receive(changes.parent, server.incoming.rstrip("/"))
        if word == "half":
            names = tuple(p.name for p in changes.parent.iterdir() if p != changes)
            self.server.receive(changes.parent, server.incoming.rstrip("/"), names=names)
        result = {"half": "unknown", "drop": "sent"}.get(word, word)
        return Sent(result=result, said=f"as told: {word}")


class Yard:
    """One Launchpad with the PPA maker/stable."""

    def __init__(
        self, root: Path, goods: Goods, incoming: Path | None = None, **settings: Any
    ) -> None:
        self.root, self.goods = root, goods
        incoming = incoming or root / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        self.server = LaunchpadServer(incoming)
        self.server.__enter__()
        self.server.add_person("maker", goods.public)
        self.ppa = self.server.add_ppa("maker", "stable")
        self.ppa.signing_key = goods.archive_public
        self.ppa.signing_key_fingerprint = goods.archive_key
        for name, version in (("bookworm", "12"), ("trixie", "13")):  # for the contract's sake
            self.server.series[name] = Series(name=name, version=version)
        self.dput = Dput(self.server)
        self.http = Http(user_agent="toolsync-tests", retries=0, clock=self.server.clock)
        self.settings = {"apt": False, "key": goods.key, **settings}

    def close(self) -> None:
        self.http.close()
        self.server.__exit__(None, None, None)

    def log_in(self) -> None:
        """Let toolsync act as the maker."""
        self.server.add_token("maker")
        write_token(self.root / "token")

    def api(self) -> Launchpad:
        """Open Launchpad anew, as every run does."""
        return Launchpad(
            self.server.service_root,
            cache=self.root / "cache",
            token=self.root / "token",
            clock=self.server.clock,
        )

    def target(self, **words: Any) -> PpaTarget:
        """Open the target anew, as every run does."""
        return PpaTarget("maker", "stable", **{**self.words(), **words})

    def words(self) -> dict[str, Any]:
        """Return what a target of this PPA is opened with."""
        goods = self.goods
        return {
            "settings": Settings(**self.settings),
            "api": self.api(),
            "send": self.dput,
            "fetch": fetcher(self.http, goods.store, seconds=Limits().seconds),
            "limits": Limits(),
            "signer": goods.signer,
            "store": goods.store,
            "workshop": goods.workshop,
            "clock": self.server.clock,
            "architecture": "amd64",
        }

    def row(self, series: str = "noble", **words: Any) -> Row:
        """Return a fresh ledger of a package that is signed already."""
        return Row(self, self.goods.detail(series, **words))

    def later(self, **words: float) -> None:
        """Let time pass at Launchpad and here."""
        self.server.tick(**words)

    @property
    def now(self) -> datetime:
        return self.server.clock.now()


class Served(PpaTarget):
    """A PPA whose Launchpad has done its work whenever it is asked: for the targets' contract."""

    keys: Keys
    key: str
    """Made once for all."""

    def __init__(self, context: Context) -> None:
        goods = Goods(context.root, self.keys, key=self.key)
        goods.store, goods.workshop = context.store, context.workshop
        self.yard = Yard(context.root / "yard", goods)
        super().__init__("maker", "stable", **self.yard.words())

    def publish(self, item: Compatible, ledger: Ledger | None = None) -> Receipt:
        receipt = super().publish(item, ledger)
        self.yard.later(hours=1)
        return receipt

    def close(self) -> None:
        self.yard.close()
