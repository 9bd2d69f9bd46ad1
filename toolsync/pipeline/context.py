"""Everything that a run works with, opened once and closed at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from toolsync.build.chroot import Chroots, chroot_folder
from toolsync.config import supported
from toolsync.config.settings import Config
from toolsync.gate.gates import GATES, Gates
from toolsync.http.client import Http
from toolsync.http.download import Progress
from toolsync.journal.journal import Journal
from toolsync.pipeline.belonging import journal_to_read, open_journal, require_together
from toolsync.pipeline.memory import Event, Memory, Remembers, Tell
from toolsync.pipeline.places import Places, places_of
from toolsync.publish.kind import TargetKind
from toolsync.publish.target import Target
from toolsync.publish.targets import TARGETS, open_target
from toolsync.system.clock import Clock
from toolsync.system.gpg import SigningHome
from toolsync.system.lock import exclusive, require_whole
from toolsync.system.store import Store
from toolsync.system.work import Workshop

if TYPE_CHECKING:
    from toolsync.fleet.coordinator import Coordinator
    from toolsync.fleet.politeness import Bucket
    from toolsync.pipeline.leasing import Leasing


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything that a run works with."""

    config: Config
    journal: Journal
    store: Store
    http: Http
    workshop: Workshop
    chroots: Chroots
    target: Target
    staging: Target | None
    """The PPA that tools of the channel ``staging`` go to first, where one is set up."""
    clock: Clock
    gates: Gates
    """What is asked about every release."""
    memory: Remembers
    """Where the stages' results are kept, or nowhere."""
    progress: Callable[[str], Progress]
    """Gives, for a file's name, who is told how far its download has come."""
    fleet: Coordinator | None = None
    """Who has work done by workers, where there are some."""
    places: Places
    """How much goes on at the same time."""


def store_of(config: Config, *, reading: bool = False) -> Store:
    """Return the store of a set-up; for ``reading`` alone, no more of a fleet's than its cache."""
    shared = config.shared
    if not shared.url:
        return Store(config.state / "store")
    if reading:
        from toolsync.system.cachestore import CacheStore

        return CacheStore(config.state / "store")
    from toolsync.system.fleetstore import open_store

    return open_store(config.state / "store", shared.url, shared.endpoint, shared.cache)


@contextmanager
def opened(
    config: Config,
    *,
    tell: Tell,
    progress: Callable[[str], Progress],
    clock: Clock,
    purpose: str = "",
    reading: bool = False,
    targets: Mapping[str, TargetKind] = TARGETS,
    gates: Gates = GATES,
) -> Iterator[Context]:
    """Open journal, store, network and target for the block; the tables are all there is.

    With ``purpose`` the state folder is held alone for that, and what a killed run has left is
    cleared away; raises Busy when another toolsync holds it. ``reading`` is for a user who may read
    the state and no more. Raises SetupError where journal, store and archive do not belong
    together.
    """

    def told(line: str) -> None:
        tell(Event(tool="", version="", stage="", scope="", text=line))

    def place(name: str) -> Target:
        return open_target(name, config, store, workshop, clock, http, targets)

    require_whole(config.state)
    store = store_of(config, reading=reading)
    workshop = Workshop(config.state, "" if reading else config.build.work)
    http = open_http(config, clock)
    journal = (journal_to_read if reading else open_journal)(config, clock, gates)
    with closing(journal), closing(http), ExitStack() as stack:
        if purpose:
            stack.enter_context(exclusive(config.state, purpose))
        require_together(config, journal, begin=purpose not in ("", "backup"))
        leasing = _leasing(config, journal, clock, stack)
        if purpose:
            workshop.sweep()
            store.sweep()
            _settle(config, journal, clock, told)
        yield Context(
            config=config,
            journal=journal,
            store=store,
            http=http,
            workshop=workshop,
            chroots=_chroots(config, workshop, clock, told),
            target=place(config.target),
            staging=place(staging) if (staging := _staging(config)) else None,
            clock=clock,
            gates=gates,
            memory=Memory(journal, store, clock, tell),
            progress=progress,
            places=places_of(config, leasing),
            fleet=_fleet(config, store, clock, told, urgent=purpose != "run"),
        )


def _leasing(config: Config, journal: Journal, clock: Clock, stack: ExitStack) -> Leasing | None:
    """Return the leases that coordinators of one journal work by, None where it is one's own."""
    if not config.journal_url:
        return None
    from toolsync.pipeline.leasing import Leasing

    leasing = Leasing(journal.leases, clock, config.lease_seconds)
    stack.callback(leasing.close)
    return leasing


def _chroots(
    config: Config, workshop: Workshop, clock: Clock, told: Callable[[str], None]
) -> Chroots:
    return Chroots(
        chroot_folder(config.build.chroots),
        mirror=config.build.mirror,
        days=config.build.chroot_days,
        workshop=workshop,
        clock=clock,
        told=told,
    )


def _settle(config: Config, journal: Journal, clock: Clock, told: Callable[[str], None]) -> None:
    """Put in order what a killed run, or a clock that was wrong, has left in the state."""
    if future := journal.redate():
        told(
            f"the clock was ahead, or is behind now: something is dated {future};"
            " it counts as of now. See that this machine's time is kept: timedatectl"
        )
    SigningHome(config.state / "gnupg").sweep()
    if config.follows:
        supported.keep(config.state, config.distribution, clock.now().date())


def _fleet(
    config: Config, store: Store, clock: Clock, tell: Callable[[str], None], *, urgent: bool
) -> Coordinator | None:
    """Return the coordinator's side of a fleet; what that needs is loaded only here.

    A timer's run is not ``urgent``: what people ask for by hand goes before it.
    """
    if not config.fleet.broker:
        return None
    from toolsync.fleet.coordinator import Coordinator, Patience

    fleet = config.fleet
    patience = Patience(seconds=fleet.seconds, waiting=fleet.waiting, tries=fleet.tries)
    return Coordinator(fleet.broker, store, clock, patience, tell, config.limits, urgent=urgent)


def _staging(config: Config) -> str:
    """Return the name of the PPA for tools of the channel ``staging``; empty for none."""
    name = config.ppa.staging
    return name if name != config.target and config.target.startswith("ppa:") else ""


def open_http(config: Config, clock: Clock) -> Http:
    """Return a gateway that keeps the set-up's limits; nothing is asked yet."""
    return Http(
        user_agent=config.user_agent,
        timeout=config.timeout,
        retries=config.retries,
        mirrors=config.mirrors,
        per_host=config.per_host,
        interval=config.interval,
        hosts=2 * config.jobs,
        clock=clock,
        elsewhere=_politeness(config),
    )


def _politeness(config: Config) -> Callable[[str], float] | None:
    """Return what reserves requests among those of a fleet; it is loaded when first asked."""
    fleet = config.fleet
    if not fleet.broker or not fleet.host_interval:
        return None

    @cache
    def bucket() -> Bucket:
        from toolsync.fleet.politeness import bucket_of

        return bucket_of(fleet.broker, fleet.host_interval, config.per_host)

    return lambda host: bucket().wait(host)
