"""Look at very many pages with all processors: each process takes its share of the tools."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

from toolsync.config.settings import Config
from toolsync.model.errors import ToolsyncError
from toolsync.model.release import Outcome
from toolsync.pipeline.belonging import open_journal
from toolsync.pipeline.status import faulty
from toolsync.system.clock import SystemClock
from toolsync.system.forks import side_by_side

_LEAST = 200
"""Tools for which another process pays: it takes as long to begin as some dozen looks."""
_THREADS = 8
"""Looks at once that each process should have at least."""

Check = Callable[[Config, Mapping[str, Path]], list[Outcome]]
"""Looks at the tools that are there, by a set-up; opens what it works with itself."""


def shared(config: Config, places: Mapping[str, Path], check: Check) -> list[Outcome]:
    """Return where each tool stands, in the order of ``places``; ``check`` looks at a share.

    ``places`` say where each tool is, by its name.

    The limits on requests at once, in all and for one host, hold for the processes together; with
    pauses between requests to a host there is one process, for only that can keep them.
    """
    count = processes_for(config, len(places))
    if count == 1:
        return check(config, places)
    part = replace(config, jobs=config.jobs // count, per_host=config.per_host // count)
    shares = [dict(islice(places.items(), n, None, count)) for n in range(count)]
    with closing(open_journal(config, SystemClock())):
        pass  # made or brought up to date by one, before many open it
    from toolsync.http import redirects, transport  # noqa: F401 (loaded once, and not by each)

    works = [lambda share=share: check(part, share) for share in shares]
    found: list[Outcome] = []
    for share, answer in zip(shares, side_by_side(works), strict=True):
        lost = isinstance(answer, ToolsyncError)
        found += [faulty(name, answer) for name in share] if lost else answer  # type: ignore[arg-type]
    order = {name: n for n, name in enumerate(places)}
    return sorted(found, key=lambda outcome: order.get(outcome.tool, len(order)))


def processes(tools: int) -> int:
    """Return among how many processes so many tools are best shared."""
    return max(1, min(len(os.sched_getaffinity(0)), tools // _LEAST))


def processes_for(config: Config, tools: int) -> int:
    """Return among how many processes looks are shared, so that all limits can be kept."""
    if config.interval:
        return 1
    return max(1, min(processes(tools), config.per_host, config.jobs // _THREADS))
