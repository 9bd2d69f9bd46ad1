"""Compare what packages of further architectures install with what those of before did.

The first architecture's are the release's, which are read and run (`gate`). Of the others nothing
is run, since this machine may not be able to; what their commands say is left to the first one's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from toolsync.compat.change import Change
from toolsync.compat.compare import compare
from toolsync.compat.deb import Packages, opened, read_packages
from toolsync.compat.examine import examine
from toolsync.compat.surface import Surface
from toolsync.config.settings import Config
from toolsync.gate.record import Asked
from toolsync.model.errors import TooMuch
from toolsync.model.release import Blob, Built, Package
from toolsync.system.confined import confined

_SAID = ("subcommand", "option", "exit-code", "version-output")
"""Kinds of what commands say of themselves."""


def changes_of(asked: Asked[Package]) -> Mapping[str, tuple[Change, ...]]:
    """Return, by architecture, what changed for users of those that had packages before."""
    item, earlier = asked.item, asked.earlier
    if not isinstance(item, Built) or asked.before is None:
        return {}
    return {
        other.made_for: _changes(asked, earlier[other.made_for], (*other.debs, *item.for_all))
        for other in item.others
        if earlier.get(other.made_for)
    }


def as_told(
    item: Package, first: Sequence[Change], others: Mapping[str, Sequence[Change]]
) -> tuple[Change, ...]:
    """Return the changes of all architectures, each once, with where it is so unless that is all.

    What commands say is told of all: it was looked at on the first one alone.
    """
    if not others or not isinstance(item, Built):
        return tuple(first)
    known = {name: {_key(change) for change in changes} for name, changes in others.items()}
    found = []
    for change in first:
        there = [name for name in others if _key(change) in known[name]]
        everywhere = change.kind in _SAID or len(there) == len(others)
        where = "" if everywhere else " and ".join((item.made_for, *there))
        found.append(replace(change, where=where))
    told = {_key(change) for change in first}
    for change in (change for changes in others.values() for change in changes):
        if _key(change) not in told:
            told.add(_key(change))
            there = [name for name in others if _key(change) in known[name]]
            found.append(replace(change, where=" and ".join(there)))
    return tuple(found)


def _key(change: Change) -> tuple[str, str, str]:
    return change.kind, change.name, change.severity


def _changes(
    asked: Asked[Package], before: Sequence[Blob], now: Sequence[Blob]
) -> tuple[Change, ...]:
    """Compare the packages of one architecture in a process with limits."""
    store, config = asked.store, asked.config
    if gone := [blob.name for blob in before if not store.has(blob)]:
        return (_unknown(f"{gone[0]}, which was accepted, is not in the store any more"),)
    unpacked = partial(opened, store=store, workshop=asked.workshop, limits=config.limits)
    with unpacked(before) as old, unpacked(now) as new:
        try:
            return confined(
                lambda: _compared(_surface(old, config), _surface(new, config)),
                what="reading the packages of another architecture",
                seconds=2 * config.limits.gate_seconds,
                memory=config.limits.gate_memory,
            )
        except TooMuch as error:
            return (_unknown(str(error)),)


def _unknown(proof: str) -> Change:
    return Change(kind="tree", name="surface", severity="unknown", proof=proof)


def _surface(packages: Packages, config: Config) -> Surface:
    release = read_packages(packages.files, packages.root)
    found, _ = examine(release, config.compat, (), probe=False, installed=True)
    return found


def _compared(old: Surface, new: Surface) -> tuple[Change, ...]:
    """Return what changed; that neither has anything to compare is no change."""
    found = compare(old, new)
    nothing = old.is_empty and new.is_empty
    return tuple(
        change
        for change in found
        if change.kind not in _SAID
        and not (nothing and change.gap and (change.kind, change.name) == ("tree", "surface"))
    )
