"""The rows that the journal gives: what was looked at, done, sent and logged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolsync.model.judgment import Judgment
from toolsync.model.values import Blob

SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
"""A digest in a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Which stage of which release; ``scope`` is empty, or ``SERIES/REVISION[@TARGET]``."""

    tool: str
    version: str
    stage: str
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a stage came to."""

    key: Key
    inputs: str
    """Fingerprint of all that the result depends on."""
    outcome: str
    """``done``, ``held``, or ``skipped`` where the set-up says that it is proved elsewhere."""
    data: Mapping[str, Any]
    message: str
    resolution: str
    kind: str
    """The error's class where it was held."""
    started: str
    finished: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """The last look at a tool's release page."""

    tool: str
    definition: str
    """Fingerprint of the tool's watch policy: another policy, another page."""
    sighting: Mapping[str, Any]
    """The last answer that could be read, empty before the first."""
    status: str
    message: str
    resolution: str
    exit_status: int
    looked: str
    answered: str
    """When the page last gave a usable answer, empty if never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look at a page came to, to be remembered."""

    tool: str
    definition: str
    sighting: Mapping[str, Any] | None
    """None where the page gave nothing new: because it has not changed, or by a failure."""
    answered: bool
    """Whether the page gave a usable answer."""
    status: str
    named: tuple[tuple[str, str], ...] = ()
    """The newest versions of a new sighting, each with its date where the page tells."""
    message: str = ""
    resolution: str = ""
    exit_status: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One source package on its way to, or on, a target."""

    target: str
    source: str
    version: str
    series: str
    tool: str
    upstream: str
    content: str
    revision: int
    dsc: str
    state: str
    """One of `UPLOAD_STATES`."""
    served: str
    """The target's state when it was confirmed."""
    claimed: str
    changed: str
    since: str
    """When the present state began."""
    detail: Mapping[str, Any]
    """What the target noted: attempts, digests as sent, its own records, a sentence."""


UPLOAD_STATES = (
    *("claimed", "sent", "accepted", "building", "published", "confirmed"),
    *("rejected", "lost", "build-failed", "stuck"),
)
"""The way of an upload, then the ways in which it fails; see docs/adr/0008."""
FAILURES = UPLOAD_STATES[6:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the log."""

    at: str
    tool: str
    version: str
    scope: str
    stage: str
    event: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One unattended run: the heartbeat."""

    id: int
    started: str
    finished: str
    """Empty while it runs, and for ever when it was killed."""
    exit_status: int
    """-1 until it has finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a tool stood at the end of the last run, and since when."""

    tool: str
    status: str
    current: str
    """The newest version published, empty before the first."""
    newest: str
    """The newest version that the page names, empty if it could not be told."""
    message: str
    resolution: str
    exit_status: int
    since: str
    """When it came to this status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Something to be told on one channel: kept until it was sent, under one id for ever."""

    id: str
    channel: str
    data: Mapping[str, Any]
    made: str
    tries: int
    error: str
    """What the last try ended with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a gate said of a release when it was last asked."""

    key: Key
    inputs: str
    """Fingerprint of all that it depends on."""
    judgment: Judgment
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided over what a gate said."""

    tool: str
    version: str
    stage: str
    verdict: str
    """``approved`` or ``rejected``."""
    subject: str
    """The judgment's: it holds for nothing else."""
    carries: tuple[str, ...]
    """The judgment's: an approval of these reaches later releases."""
    summary: str
    """What the gate had said."""
    who: str
    """The account's name."""
    at: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The first time that a target was seen to serve a packaging of a release for a series."""

    id: int
    """Grows with time."""
    tool: str
    version: str
    """Upstream's."""
    series: str
    revision: str
    target: str
    at: str
    released: str
    """When upstream published it, or when we first saw it where the page does not tell."""
    dated: bool = True
    """Whether the page tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Evidence of a release, signed and in the store."""

    envelope: Blob
    payload: str
    """SHA-256 of the statement in it, in hex."""
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDate:
    """When a key of a tool's keyring ends."""

    fingerprint: str
    primary: str
    """Of a subkey its primary key's fingerprint; of a primary key its own."""
    ends: str
    """ISO 8601, empty for never."""
    digest: str = ""
    """Over the files that said so."""
    before: str | None = None
    """What it was before it was re-dated, None where it never was."""
    changed: str = ""
    """When that was seen."""
