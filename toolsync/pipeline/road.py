"""The one road of a release, up to the gates over its files.

    fetch → verify → unpack → binding → license

Whatever defines a tool, and whoever asks (a sync, a person's fetch, a promotion), a release takes
these steps, in this order, as far as it is wanted. Killed anywhere, the next run finds each
finished step in the journal.
"""

from __future__ import annotations

from toolsync.config.definition import Tool
from toolsync.model.release import Fetched, Licensed, Release, Unpacked, Verified
from toolsync.pipeline.context import Context
from toolsync.pipeline.gates import source_cleared, version_cleared
from toolsync.pipeline.memory import P, V
from toolsync.pipeline.stages import FETCH, UNPACK, VERIFY, Stage
from toolsync.pipeline.work import Work, work_on


def fetched(work: Work, release: Release) -> Fetched:
    """Return the release with its bytes in the store."""
    return _taken(work, FETCH, release)


def verified(work: Work, item: Fetched) -> Verified:
    """Return what was fetched as proved."""
    return _taken(work, VERIFY, item)


def unpacked(work: Work, item: Verified) -> Unpacked:
    """Return what was proved with its orig tarballs in the store."""
    return _taken(work, UNPACK, item)


def bound(work: Work, item: Unpacked) -> None:
    """Ask the gate over the version; the bytes are the version's from here on."""
    version_cleared(work, item)
    work.context.memory.accept(item.verified)


def licensed(context: Context, tool: Tool, release: Release) -> Licensed:
    """Return a release as far as the gates over its files let it go; raise what holds it."""
    work = work_on(context, tool, release)
    item = unpacked(work, verified(work, fetched(work, release)))
    bound(work, item)
    return source_cleared(work, item)


def _taken(work: Work, stage: Stage[P, V], before: P) -> V:
    """Take one step: remembered if it can be, else done."""
    return work.context.memory.do(
        stage,
        work.key(stage.name),
        before,
        lambda: stage.inputs(work, before),
        lambda: stage.act(work, before),
        fresh=stage.fresh(work, before),
    )
