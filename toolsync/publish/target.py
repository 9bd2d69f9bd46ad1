"""What every place to publish to must be able to do.

A target is asked in this order: `newest` to know what it serves, `publish` to bring it a
package, `confirm` to see it as an instance's apt sees it. Every one of these may be repeated
after a kill, at any moment, without harm.

Some targets are done at once (the local archive), others take hours (a PPA builds by itself).
The latter say so with Waiting, and write down how far an upload has come in the ledger that
they are handed, before every act that cannot be undone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias, runtime_checkable

from toolsync.model.errors import Damaged
from toolsync.model.release import Blob, Compatible, Confirmed, Receipt
from toolsync.publish.index import Served


class Ledger(Protocol):
    """What is known of one upload, and where to write what becomes of it."""

    @property
    def state(self) -> str:
        """One of `journal.uploads.UPLOAD_STATES`."""
        ...

    @property
    def since(self) -> datetime:
        """When that state began."""
        ...

    @property
    def detail(self) -> Mapping[str, Any]:
        """What the target noted last, of JSON's types."""
        ...

    @property
    def elsewhere(self) -> Mapping[str, datetime]:
        """Other series for which this version was sent and not seen at the target, since when."""
        ...

    @property
    def again(self) -> bool:
        """Whether a person asks to try again what was given up."""
        ...

    def note(self, state: str, **detail: object) -> None:
        """Write state and details down; when this returns, a kill cannot undo it.

        Details that are not named stay.
        """
        ...


class Memo:
    """A ledger that lives as long as the process."""

    def __init__(self) -> None:
        self.state = "claimed"
        self.since = datetime(1970, 1, 1, tzinfo=UTC)
        self.detail: dict[str, Any] = {}
        self.again = False
        self.elsewhere: dict[str, datetime] = {}

    def note(self, state: str, **detail: object) -> None:
        """Keep state and details."""
        self.state = state
        self.detail |= detail


class Target(Protocol):
    """A place that serves packages to apt."""

    @property
    def name(self) -> str:
        """The word by which configuration and journal know it, such as ``local``."""
        ...

    @property
    def distribution(self) -> str:
        """Whose series it serves: ``debian``, ``ubuntu``, or empty for any."""
        ...

    @property
    def takes_source(self) -> bool:
        """Whether it makes binaries itself, so that a source package is enough."""
        ...

    def state(self, series: str, source: str) -> str:
        """Return a digest that changes whenever what is served of a source package changes.

        It may change for other reasons too. Empty before anything is served for the series.
        """
        ...

    def known_orig(self, source: str, upstream: str, ours: Blob) -> Blob | None:
        """Return the orig tarball to use for ours, where the target has another one for ever.

        That is one of the same source and upstream version with other bytes and the same
        content (`archives.compare`); it is in the store then. None where ours will do, and
        where theirs cannot be used: `publish` refuses other bytes under one name. The
        answer may be as old as the run. Raises TryAgain while nothing can be told.
        """
        ...

    def publish(self, item: Compatible, ledger: Ledger | None = None) -> Receipt:
        """Bring the package to the target.

        The same bytes again are no error. Raises Replaced for other bytes under a version or
        file name that was ever there, and Held for a version older than the series has.
        """
        ...

    def confirm(self, item: Receipt, ledger: Ledger | None = None) -> Confirmed:
        """Fetch the package as an instance would and compare every byte with what was sent.

        Raises Held when something else is served or the target gave up on it, Waiting while
        it works on it, TryAgain when nothing can be told.
        """
        ...

    def newest(self, source: str, series: str) -> str | None:
        """Return the newest Debian version of a source package served for a series."""
        ...

    def stanza(self, series: str) -> str:
        """Return the deb822 stanza by which an instance (apt >= 2.4) installs from here.

        Raises TryAgain while nothing is served for the series.
        """
        ...

    def check(self, series: str, now: datetime) -> str:
        """Look, change nothing, and say in a phrase how a series is served.

        Raises Unverified when apt would not accept its index.
        """
        ...


Looks: TypeAlias = Iterator[tuple[str, Callable[[], str]]]
"""Pairs of a subject and what looks at it: returns a phrase, or raises what is wrong."""


@runtime_checkable
class Examinable(Protocol):
    """A target of which more has to be right than that it serves, before a package is sent."""

    def looks(self, series: Sequence[str]) -> Looks:
        """Give all that `toolsync doctor` looks at, for the series of a set-up."""
        ...


@runtime_checkable
class Inspectable(Protocol):
    """A target whose files lie on our own disk: what instances would get can be looked at."""

    @property
    def name(self) -> str:
        """As `Target.name`."""
        ...

    def fault_of(self, source: str) -> Damaged | None:
        """Return what keeps instances from a source package's files, None if nothing does."""
        ...

    def examine(self) -> str:
        """Digest all that apt may fetch, and say in a phrase what was looked at; raises Damaged."""
        ...

    def offers(self, source: str, series: str) -> bool:
        """Say whether the series' index names any version of a source package."""
        ...


@runtime_checkable
class StateByOtherRules(Protocol):
    """A target whose `Target.state` an older toolsync told by other rules."""

    def older_state(self, series: str, source: str) -> str:
        """Return what `Target.state` was by these rules."""
        ...


@runtime_checkable
class ForArchitectures(Protocol):
    """A target that is given binaries for as many architectures as it is set up for."""

    @property
    def architectures(self) -> tuple[str, ...]:
        """What it serves; the first is built for with what is for all."""
        ...

    @property
    def together(self) -> bool:
        """Whether a release waits for all of them."""
        ...

    def served_architectures(self, source: str, series: str) -> frozenset[str]:
        """Return those that a source package has in a series, of whatever version."""
        ...


@runtime_checkable
class Noticeboard(Protocol):
    """A target that can tell instances more than which packages there are."""

    def recalls(self) -> tuple[str, ...]:
        """Return the versions that it calls recalled, each as ``SOURCE=VERSION``."""
        ...

    def announce(self, recalls: tuple[str, ...]) -> bool:
        """Call these versions recalled, and no others; say whether that changed anything."""
        ...


@runtime_checkable
class Withdrawing(Protocol):
    """A target that shows all that it serves, and from which we can take it."""

    def entries(self) -> Iterator[Served]:
        """Give every package that is served, of all series, those too that are not set up."""
        ...

    def withdraw(self, items: Sequence[Served], sources: Collection[str] = ()) -> None:
        """Serve these no longer, all in one step, and remove their files.

        May be repeated after a kill, at any moment, with what is still served of them: what was
        left of files of these ``sources`` goes too.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """A version that a target still keeps and no longer offers."""

    series: str
    source: str
    version: str
    size: int
    """Bytes of its files."""


@runtime_checkable
class Prunable(Protocol):
    """A target that keeps superseded versions on our own disk."""

    def size(self) -> int:
        """Return the bytes of all packages that it keeps."""
        ...

    def superseded(self) -> list[Old]:
        """Return the versions that a newer one has replaced, oldest first."""
        ...

    def forget(self, old: Old) -> None:
        """Remove such a version; one that is gone already is no error."""
        ...
