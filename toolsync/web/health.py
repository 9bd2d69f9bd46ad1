"""Whether all is well with the machine and the set-up: doctor, disks, runs, keys, reports."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from toolsync.config.settings import Config
from toolsync.journal.runs import RunRow
from toolsync.maintain.keylife import KeyRow
from toolsync.maintain.scrubbed import read_scrubbed
from toolsync.report.channels import CHANNELS
from toolsync.system.clock import parsed, stamp
from toolsync.web.request import another, config, context, person, shared

_RUNS, _KEYS, _SOON = 30, 200, timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A file system that something of ours lies on."""

    what: str
    free: int
    """Bytes."""
    total: int

    @property
    def used(self) -> int:
        """How full it is, in hundredths."""
        return 100 - round(100 * self.free / self.total) if self.total else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time in which no run came to its end, though one should have."""

    since: str
    until: str
    """Empty where it lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingKey:
    """A key that ends."""

    whose: str
    fingerprint: str
    ends: str
    over: bool


def page() -> ResponseReturnValue:
    """Show it."""
    doctor, busy = shared().doctor, ask_doctor()
    journal, now = context().journal, context().clock.now()
    runs = journal.runs.last(_RUNS)
    unsent = {name: journal.messages.unsent(name) for name in CHANNELS}
    return render_template(
        "health.html.j2",
        doctor=doctor,
        wrong=[check for check in doctor.said.checks if not check.fine],
        fine=[check for check in doctor.said.checks if check.fine],
        busy=busy,
        disks=disks(config()),
        runs=runs,
        gaps=gaps(runs, now, timedelta(days=config().report.silence_days)),
        keys=[*_own_keys(doctor.said.keys, now), *_tools_keys(now)],
        lost=read_scrubbed(config().state).lost,
        unsent={name: messages for name, messages in unsent.items() if messages},
        may=person().may("reviewer"),
    )


def anew() -> ResponseReturnValue:
    """Have the doctor look now."""
    ask_doctor(anew=True)
    return redirect(url_for("health"), 303)


def ask_doctor(*, anew: bool = False) -> bool:
    """Have the doctor look unless it did so lately; say whether it is at it still."""
    examine = partial(shared().acting.examine, another())
    return shared().doctor.ask(examine, anew=anew)


def disks(config: Config) -> list[Disk]:
    """Return the file systems that the state, the archive and builds lie on, each once."""
    places = {
        "state": config.state,
        "archive": config.archive,
        "builds": Path(config.build.work or "/var/tmp"),  # noqa: S108 (only measured)
    }
    found: dict[int, Disk] = {}
    for what, place in places.items():
        there = next((p for p in (place, *place.absolute().parents) if p.exists()), Path("/"))
        seen, number = os.statvfs(there), there.stat().st_dev
        names = f"{found[number].what}, {what}" if number in found else what
        free, total = seen.f_bavail * seen.f_frsize, seen.f_blocks * seen.f_frsize
        found[number] = Disk(what=names, free=free, total=total)
    return list(found.values())


def gaps(runs: Sequence[RunRow], now: datetime, silence: timedelta) -> list[Gap]:
    """Return the times without a run that are longer than ``silence``; ``runs`` newest first."""
    ends = [run.finished for run in runs if run.finished]
    found = []
    if ends and now - parsed(ends[0]) > silence:
        found.append(Gap(since=ends[0], until=""))
    for later, earlier in pairwise(ends):
        if parsed(later) - parsed(earlier) > silence:
            found.append(Gap(since=earlier, until=later))
    return found


def _own_keys(rows: Sequence[KeyRow], now: datetime) -> list[EndingKey]:
    return [
        EndingKey(
            whose=f"the archive ({row.state})",
            fingerprint=row.fingerprint,
            ends=row.ends,
            over=bool(row.ends) and parsed(row.ends) <= now,
        )
        for row in rows
        if row.state != "ended"
    ]


def _tools_keys(now: datetime) -> list[EndingKey]:
    rows = context().journal.keydates.ending(stamp(now + _SOON), _KEYS)
    return [
        EndingKey(
            whose=tool, fingerprint=key.fingerprint, ends=key.ends, over=parsed(key.ends) <= now
        )
        for tool, key in rows
    ]
