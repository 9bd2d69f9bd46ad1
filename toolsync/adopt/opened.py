"""The archives of series, each opened once and only where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from toolsync.build.archives import Archive, open_archive, series_of
from toolsync.model.errors import SetupError, ToolsyncError
from toolsync.pipeline.context import Context
from toolsync.system.distro import supported


class Opened:
    """Those of the set-up, and of later series."""

    def __init__(self, context: Context, tell: Callable[[str], None]) -> None:
        self._context, self._tell = context, tell
        self._known: dict[str, Archive] = {}
        named: tuple[str, ...] = ()
        with suppress(SetupError):  # told where the archive itself is asked for
            named = series_of(context.config.build)
        self.series = tuple(dict.fromkeys((*context.config.series, *named)))

    def __call__(self, series: str) -> Archive:
        """Return the archive of a series; raises what `open_archive` raises."""
        if series not in self._known:
            self._tell(f"looking into the archive of {series}")
            folder = self._context.config.state / "apt" / series
            now = self._context.clock.now()
            self._known[series] = open_archive(series, self._context.config.build, folder, now)
        return self._known[series]

    def all(self, faults: list[str]) -> list[Archive]:
        """Return those of the set-up that answer; what the others say goes into ``faults``."""
        return self._answering(self.series, faults)

    def newer(self, faults: list[str]) -> list[Archive]:
        """Return those of later series, whose maintainers may have taken newer releases."""
        config, day = self._context.config, self._context.clock.now().date()
        if config.build.sources:
            return []
        later = supported(config.distribution, day)
        return self._answering([name for name in later if name not in self.series], faults)

    def _answering(self, names: Sequence[str], faults: list[str]) -> list[Archive]:
        found = []
        for series in names:
            try:
                found.append(self(series))
            except ToolsyncError as error:
                faults.append(f"the archive of {series} is not known: {error}")
        return found
