"""What a way of proving a release must bring: its record, and what its function is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from toolsync.config.definition import Tool
from toolsync.config.record import Needs
from toolsync.config.settings import Limits
from toolsync.model.plan import Plan
from toolsync.model.release import Fetched, Release, Verified
from toolsync.system.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """All that a method may use; nothing is downloaded while a release is verified."""

    item: Fetched
    tool: Tool
    store: Store
    now: datetime
    """The moment (aware) at which keys must be valid."""
    limits: Limits


def _nothing(_tool: Tool, _release: Release) -> Plan:
    return Plan()


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way of proving where a release comes from."""

    name: str
    """Its word in ``verify.method``."""
    verify: Callable[[Given], Verified]
    """Returns the release as proved; raises Unverified, or SetupError for the tool's own faults."""
    plan: Callable[[Tool, Release], Plan] = _nothing
    """Says which files the method needs beside the release's main tarball."""
    needs: Needs = ()
    """Keys of [verify] without which it means nothing."""
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Keys of [verify] that no other method has, each with its JSON Schema."""
    looks_at_keys: bool = False
    """Whether pinned keys (``verify.keys``) mean something to it."""


def words_of(release: Release) -> dict[str, str]:
    """Return what addresses in [verify] may hold in braces, as ``{url}.asc``."""
    return {
        "url": release.url,
        "dir": release.url.rpartition("/")[0],
        "version": release.raw_version,
        "tag": release.tag,
    }
