"""One unattended run: what a timer or cron starts and nobody watches.

A run that ended is a row in the journal (the heartbeat), so that one that did not happen can be
seen: by the next one, and by whoever reads the metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolsync.bench import Bench
from toolsync.definition import Tool
from toolsync.errors import gravest
from toolsync.model import Outcome
from toolsync.pipeline import sync


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one run came to."""

    outcomes: tuple[Outcome, ...]
    """Of every tool that it took."""
    exit_status: int


def run_once(bench: Bench, tools: Sequence[Tool], faulty: Sequence[Outcome] = ()) -> Round:
    """Sync ``tools``, remember where they and the ``faulty`` ones stand, and say that we ran.

    The caller holds the state's lock.
    """
    number = bench.journal.begin_run()
    outcomes = (*sync(bench, tools, bench.config.jobs, dry_run=False), *faulty)
    bench.journal.keep_standings(outcomes)
    status = gravest(outcome.exit_status for outcome in outcomes)
    bench.journal.end_run(number, status)
    return Round(outcomes=outcomes, exit_status=status)
