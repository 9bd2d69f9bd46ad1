"""What one request works with: the opened context, and who asks. Opened when first wanted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial

from flask import current_app, g

from toolsync.config.definition import Tool
from toolsync.config.settings import Config
from toolsync.maintain.overview import Defined, Plan
from toolsync.pipeline.context import Context, opened
from toolsync.system.clock import Clock
from toolsync.web.acting import Acting
from toolsync.web.comparing import Comparing
from toolsync.web.doctoring import Doctor
from toolsync.web.errands import Errands
from toolsync.web.hearing import Hearing
from toolsync.web.people import Person, Tries
from toolsync.web.problems import Refused
from toolsync.web.setup import Setup

_PATIENCE = 2.0
"""Seconds that a request waits while another process writes the journal."""
_KEY = "toolsync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all requests of one server share."""

    setup: Setup
    clock: Clock
    plan: Plan
    tries: Tries
    hearing: Hearing
    comparing: Comparing
    doctor: Doctor
    errands: Errands
    acting: Acting


def share(extensions: dict[str, object], shared: Shared) -> None:
    """Keep what is shared with an application's extensions, where Flask has its place for it."""
    extensions[_KEY] = shared


def shared() -> Shared:
    """Return what all requests share."""
    found = current_app.extensions[_KEY]
    assert isinstance(found, Shared)
    return found


def config() -> Config:
    """Return the set-up as its file says now."""
    if "config" not in g:
        g.config = shared().setup.load()
    found = g.config
    assert isinstance(found, Config)
    return found


def context() -> Context:
    """Return the context of this request; raises what `pipeline.context.opened` raises."""
    if "context" not in g:
        g.stack = ExitStack()
        g.context = g.stack.enter_context(context_of(config(), shared()))
        g.context.journal.database.patience(_PATIENCE)
    found = g.context
    assert isinstance(found, Context)
    return found


def another() -> Callable[[], AbstractContextManager[Context]]:
    """Return what opens a context of its own, for a thread that outlives the request."""
    return partial(context_of, config(), shared())


def context_of(config: Config, shared: Shared) -> AbstractContextManager[Context]:
    """Give a context, of a reader's rights where the server has no others."""
    return opened(
        config,
        tell=_say,
        progress=lambda _: _show,
        clock=shared.clock,
        reading=shared.acting.reads,
    )


def close(_: BaseException | None = None) -> None:
    """Close what this request has opened."""
    stack = g.pop("stack", None)
    g.pop("context", None)
    if isinstance(stack, ExitStack):
        stack.close()


def followed(name: str) -> Defined:
    """Return a tool, or what is wrong with its definition; raises Refused for none."""
    found = shared().plan.one(config(), name)
    if found is None:
        raise Refused(404, f"no tool of the name {name[:80]!r} is followed", "")
    return found.found


def tool_named(name: str) -> Tool:
    """Return a tool that is followed; raises Refused for none, SetupError for a faulty one."""
    found = followed(name)
    if not isinstance(found, Tool):
        raise found
    return found


def person() -> Person:
    """Return who asks."""
    found = g.person
    assert isinstance(found, Person)
    return found


def _say(_: object) -> None:
    """Tell nobody of events: a request does no stage's work."""


def _show(done: int, total: int | None) -> None:
    """Show no progress."""
