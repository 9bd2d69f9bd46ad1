"""List where very many tools stand; where nothing has changed, as it was worked out before.

Where a tool stands follows from its definition, the settings, what the journal answers about it,
and for some from the time. What it came to is kept in the state with a digest of all that it
followed from (`standingsfile`); where that is another one, it is worked out anew. What has asked
anything else than the journal about this tool, above all the clock, is not kept, nor is what waits
for a person. What a target on our own disk serves is looked at each time (`as_served`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.journal.noted import Noted, Question
from toolsync.maintain.standingsfile import Kept, Listed, key_of, read_standings, write_standings
from toolsync.model.errors import SetupError
from toolsync.model.release import Outcome
from toolsync.pipeline.asserved import as_served
from toolsync.pipeline.context import Context
from toolsync.pipeline.outcome import journaled_standing
from toolsync.pipeline.status import faulty
from toolsync.report.uploads import newest_uploads, upload_lines
from toolsync.setup.kept import marks_of
from toolsync.system.clock import Clock
from toolsync.system.memory import for_long_lists

_SHARE = 500
"""Tools whose rows are in memory at once."""
_STALE = 0.02
"""Share of the tools that may be worked out anew each time before all are written again."""

Read = Callable[[str], Tool | SetupError]
"""Returns the tool of a name, or what is wrong with its definition."""


class Standings:
    """Where the tools of a set-up stand."""

    def __init__(self, context: Context, *, kept: bool) -> None:
        """Where ``kept`` is wanted, what was worked out before is read, and written by `keep`."""
        if kept:
            for_long_lists()
        config = context.config
        self._context, self._file = context, config.state / "standings"
        self._key = key_of(config) if kept else ""
        self._kept = read_standings(self._file, self._key) if kept else {}
        self._now = int(context.clock.now().timestamp() * 10**9)
        self._overlays = f"{config.file.parent}/tools"
        self._overlaid = _names_in(self._overlays)
        self._found: dict[str, Kept] = {}
        self.faults: dict[str, SetupError] = {}
        """What is wrong with definitions that cannot be read, by the tool's name."""
        self.anew = 0
        """How many were worked out anew."""

    def each(self, places: Mapping[str, Path], read: Read) -> Iterator[tuple[Context, Listed]]:
        """Give where each tool stands, with a context whose journal answers quickly about it.

        ``places`` are as of `tools_named`; folders that are named by paths are among them.
        """
        left = iter(places.items())
        while share := dict(islice(left, _SHARE)):
            asking = _Asking(self._context, share)
            for name, place in share.items():
                listed = self._one(asking, name, f"{place}/{name}", read)
                if listed is None:
                    continue
                if listed.outcome is not None:
                    outcome = as_served(asking.context, listed, listed.outcome)
                    listed = listed._replace(outcome=outcome)
                yield asking.context, listed

    @property
    def faulty(self) -> tuple[Outcome, ...]:
        """Where tools stand whose definitions cannot be read."""
        return tuple(faulty(name, error) for name, error in self.faults.items())

    def keep(self) -> None:
        """Write all anew, where so many were worked out that it pays; it need not succeed."""
        if self._key and self.anew > _STALE * len(self._found):
            write_standings(self._file, self._key, self._found.values())

    def _one(self, asking: _Asking, name: str, folder: str, read: Read) -> Listed | None:
        """Return where a tool stands by the journal, None where its definition cannot be read."""
        marks = self._marks(name, folder)
        kept = self._kept.get(name) if marks else None
        if kept and kept.marks == marks and kept.answers == asking.answers(name, kept.questions):
            self._found[name] = kept
            return kept.listed
        self.anew += 1
        tool = read(name)
        if isinstance(tool, SetupError):
            self.faults[name] = tool
            return None
        asking.begin(name)
        listed = _listed(asking.context, tool)
        if marks and _may_be_kept(tool, listed) and (questions := asking.noted):
            self._found[name] = Kept(marks, questions, asking.answers(name, questions), listed)
        return listed

    def _marks(self, name: str, folder: str) -> str:
        """Return the marks of a tool's files, nothing where it is not kept at all."""
        if not self._key or "/" in name:
            return ""
        file = f"{name}.toml"
        overlay = f"{self._overlays}/{file}" if file in self._overlaid else ""
        return marks_of(folder, overlay, self._now)


class _Asking:
    """A context for a share of the tools that notes what is asked for one of them."""

    def __init__(self, context: Context, names: Mapping[str, Path]) -> None:
        self._database = Noted(context.journal.database, names)
        self._clock = _NotedClock(context.clock)
        journal = context.journal.by(self._database, self._clock)
        self.context = replace(context, journal=journal, clock=self._clock)
        self.answers = self._database.answers

    def begin(self, name: str) -> None:
        """Note from here on what is asked for this tool."""
        self._clock.asked = False
        self._database.note(name)

    @property
    def noted(self) -> tuple[Question, ...] | None:
        """What the journal was asked about it; None where anything else was asked."""
        return None if self._clock.asked else self._database.noted


class _NotedClock:
    """A clock that notes that it was asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self.asked = clock, False

    def now(self) -> datetime:
        self.asked = True
        return self._clock.now()

    def monotonic(self) -> float:
        self.asked = True
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self.asked = True
        self._clock.sleep(seconds)


def _listed(context: Context, tool: Tool) -> Listed:
    """Return where a tool stands as far as the journal tells."""
    uploads = newest_uploads(context.journal.uploads.of(tool.name))
    return Listed(
        name=tool.name,
        source=tool.source,
        series=tool.series,
        outcome=journaled_standing(context, tool),
        unserved=tuple(upload_lines(uploads)),
    )


def _may_be_kept(tool: Tool, listed: Listed) -> bool:
    """Say whether it follows from no other files (debian/watch is one), and waits for nobody."""
    outcome = listed.outcome
    return not tool.watch.is_folder and outcome is not None and not outcome.exit_status


def _names_in(folder: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208 (names are all that is needed)
    except OSError:
        return frozenset()
