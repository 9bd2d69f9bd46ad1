"""The life of the archive's key: shown, announced, both sign, the old one ends; extended; told of.

Every step is written down before it shows (`system.promise`), so that a kill at any moment and the
same command again come to the same end. A new key is made in a home of its own beside the other
one and is taken over when it is whole, so there is never a third.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from toolsync.config.settings import Config
from toolsync.model.errors import ToolsyncError, UsageError
from toolsync.pipeline.archivekey import Keyed, archive_keys
from toolsync.pipeline.context import Context
from toolsync.publish.archivekeys import ArchiveKeys, dead
from toolsync.system.clock import Clock, parsed, stamp
from toolsync.system.gpg import KeyInfo, SigningHome
from toolsync.system.lock import archive_held
from toolsync.system.promise import Promise, first_promise
from toolsync.system.work import Workshop

OVERLAP = timedelta(days=90)
"""How long both keys sign if nothing else is said."""
_STEPS = (7, 30, 90)
"""Days before its end at which a key is told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """One key of the archive, as it stands."""

    fingerprint: str
    state: str
    """``signing``, ``ending`` while another follows it, ``ended``, ``lost`` or ``dead``."""
    since: str
    ends: str
    """When it signs no longer: as announced, or by its own date; empty for never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWarning:
    """What is to be said of a key that ends soon."""

    fingerprint: str
    step: str
    """What has been reached: ``90``, ``30`` or ``7`` days, or ``ended``, and the day of the end."""
    text: str


def key_rows(config: Config, workshop: Workshop, clock: Clock) -> tuple[KeyRow, ...]:
    """Return the keys that were ever promised, oldest first; raises SetupError as `promised`."""
    keys = archive_keys(config, workshop, clock)
    promise = keys.written() or keys.promised()
    return tuple(_rows(promise, keys.key_infos(), clock.now())) if promise else ()


def _rows(promise: Promise, here: Mapping[str, KeyInfo], now: datetime) -> Iterator[KeyRow]:
    for key in promise.keys:
        info = here.get(key.fingerprint)
        expires = stamp(info.expires) if info and info.expires else ""
        state = "ending" if key.until else "signing"
        if key.ended:
            state = "ended"
        elif info is None:
            state = "lost"
        elif dead(info, now):
            state = "dead"
        ends = min(filter(None, (key.until, expires)), default="")
        yield KeyRow(fingerprint=key.fingerprint, state=state, since=key.since, ends=ends)


def key_warnings(rows: Sequence[KeyRow], now: datetime) -> tuple[KeyWarning, ...]:
    """Return a sentence for each key that still signs and ends within 90 days, or has ended."""
    return tuple(_warnings(rows, now))


def known_rows(context: Context) -> tuple[KeyRow, ...]:
    """Return `key_rows`, none where they cannot be told: whoever signs says why."""
    try:
        return key_rows(context.config, context.workshop, context.clock)
    except ToolsyncError:
        return ()


def _warnings(rows: Sequence[KeyRow], now: datetime) -> Iterator[KeyWarning]:
    for row in rows:
        if not row.ends or row.state == "ended":
            continue
        left = parsed(row.ends) - now
        step = next((str(n) for n in _STEPS if left <= timedelta(days=n)), "")
        if left <= timedelta(0):
            step = "ended"
        if not step:
            continue
        day, days = row.ends[:10], max(0, left.days)
        what = f"the archive's key {row.fingerprint} ends on {day}, in {days} days"
        if step == "ended":
            what = f"the archive's key {row.fingerprint} ended on {day}"
        then = "toolsync key extend, or toolsync key rotate"
        if row.state == "ending":
            then = "instances without toolsync-archive-keyring need the new stanza by then"
        yield KeyWarning(fingerprint=row.fingerprint, step=f"{step} {day}", text=f"{what}: {then}")


def rotate(context: Context, overlap: timedelta) -> bool:
    """Announce a new key: both sign for ``overlap``, then the old one ends.

    Keys that are lost or dead end at once: for instances there is only the new stanza then. Say
    whether a key was announced; while both sign, nothing more is done. The caller holds the
    state's lock.
    """
    keys, now = archive_keys(context.config, context.workshop, context.clock), context.clock.now()
    promise = keys.last()
    if promise is None and (keys.key_infos() or not context.journal.evidence.all()):
        raise UsageError(
            "nothing was signed yet, so there is no key that another could follow",
            resolution="The first toolsync sync makes the archive and its key.",
        )
    home = SigningHome(context.config.state / "gnupg")
    here = keys.key_infos()
    able = {name for name, info in here.items() if not dead(info, now)}
    whole = promise is not None and set(promise.at(now).signing) <= able
    under_way = whole and promise is not None and promise.at(now).is_changing
    beside = home.beside()
    done = promise is not None and beside.usable_key() in promise.known
    if not under_way and not done:
        promise = _announced(keys, home, promise, able, context, overlap)
    beside.remove()
    _show(context)
    return not under_way and not done


def _announced(
    keys: ArchiveKeys,
    home: SigningHome,
    promise: Promise | None,
    able: set[str],
    context: Context,
    overlap: timedelta,
) -> Promise:
    """Make the new key, take it over, and promise it."""
    now = context.clock.now()
    beside = home.successor(context.config.maintainer)
    fresh = beside.usable_key()
    home.take(beside)
    if promise is None:
        return _kept(context, keys, first_promise(fresh, now))
    present = promise.at(now)
    ends = [info.expires for name, info in keys.key_infos().items() if name in present.signing]
    until = min([now + overlap, *filter(None, ends)])
    gone = tuple(
        replace(k, ended=True, until=k.until or stamp(now)) if k.fingerprint not in able else k
        for k in present.keys
    )
    return _kept(context, keys, replace(present, keys=gone).succeeded(fresh, now, until))


def extend(context: Context, ends: datetime | None) -> str:
    """Let the newest key end at ``ends``, or never, and bring that to instances; return its name.

    Raises SetupError where it is lost. The caller holds the state's lock.
    """
    keys = archive_keys(context.config, context.workshop, context.clock)
    promise = keys.written() or keys.promised()
    if promise is None:
        raise UsageError(
            "there is no key to extend", resolution="The first toolsync sync makes the archive's."
        )
    name = promise.signing[-1]
    keys.require_here(name)
    home = SigningHome(context.config.state / "gnupg")
    home.set_end(name, f"{ends:%Y%m%dT%H%M%S}" if ends else "0")
    publish_package(context, anew=True)
    return name


def publish_package(context: Context, *, anew: bool = False) -> None:
    """Serve toolsync-archive-keyring; with ``anew`` another version of it, since a key changed."""
    keys = archive_keys(context.config, context.workshop, context.clock)
    promise = keys.promised()
    if promise is not None and (anew or not promise.package):
        _kept(context, keys, replace(promise.changed(promise.keys), package=promise.serial + 1))
    _show(context)


def _kept(context: Context, keys: ArchiveKeys, promise: Promise) -> Promise:
    with ExitStack() as stack:
        if keys.exists():
            stack.enter_context(archive_held(context.config.archive))
        return keys.keep(promise, archive=False)


def _show(context: Context) -> None:
    if isinstance(context.target, Keyed):
        context.target.settle()


def exported(context: Context) -> str:
    """Return the public keys that sign now; raises UsageError where nothing was signed yet."""
    promise = archive_keys(context.config, context.workshop, context.clock).promised()
    if promise is None:
        raise UsageError(
            "nothing was signed yet, so there is no key",
            resolution="The first toolsync sync makes the archive and its key.",
        )
    return SigningHome(context.config.state / "gnupg").public_key(*promise.signing)
