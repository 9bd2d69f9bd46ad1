"""What a way of proving a release must bring: its record, and what its function is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from toolsync.config.definition import Tool, Verify
from toolsync.config.record import Needs, PageKind, Schema, Table
from toolsync.config.settings import Limits
from toolsync.model.plan import DIGEST, Plan
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


def _none(_policy: Verify) -> tuple[str, ...]:
    return ()


def _unknown(_proof: bytes) -> bool:
    return False


def _never(_tool: Tool, _release: Release) -> bool:
    return False


def _nothing_wrong(_watch: Table, _kind: PageKind) -> Iterator[str]:
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way of proving where a release comes from."""

    name: str
    """Its word in ``verify.method``."""
    about: str
    """What proves a release, in a phrase for the docs."""
    verify: Callable[[Given], Verified]
    """Returns the release as proved; raises Unverified, or SetupError for the tool's own faults."""
    plan: Callable[[Tool, Release], Plan] = _nothing
    """Says which files the method needs beside the release's main tarball."""
    needs: Needs = ()
    """Keys of [verify] without which it means nothing."""
    settings: Schema = field(default_factory=dict)
    """Keys of [verify] that no other method has, each with its JSON Schema; it finds them in
    ``tool.verify.own``. What of them changes makes fetch and verify run again."""
    signers: tuple[str, ...] = ()
    """Keys of [verify] that pin who must have signed, such as ``keys``."""
    programs: Callable[[Verify], tuple[str, ...]] = _none
    """What must be on this machine, by the names of `system.programs.PACKAGES`."""
    faults: Callable[[Table, PageKind], Iterator[str]] = _nothing_wrong
    """Gives why it cannot prove what a [watch] section of a kind brings (`over_a_file`)."""
    endings: tuple[str, ...] = ()
    """What the name of its signature adds to that of the file beside which it lies."""
    knows: Callable[[bytes], bool] = _unknown
    """Says by its first bytes whether a signature is of its kind, where an ending does not."""
    waits: Callable[[Tool, Release], bool] = _never
    """Says whether only the definition can help a release that it refused: then upstream is not
    asked again."""


def over_a_file(watch: Table, _kind: PageKind) -> Iterator[str]:
    """Give a fault where a release is no file, beside which something could lie."""
    if is_tree(watch):
        yield "verify.method: a git tag's own tree has nothing beside it; use tag or pins"


def is_tree(watch: Table) -> bool:
    """Say whether a [watch] section means the tree of a git tag."""
    return watch["kind"] == "git" and "file_url" not in watch


def words_of(release: Release) -> dict[str, str]:
    """Return what addresses in [verify] may hold in braces, as ``{url}.asc``.

    What is known only when the file is there stays in its braces, for whoever fetches it.
    """
    return {
        "url": release.url,
        "dir": release.url.rpartition("/")[0],
        "version": release.raw_version,
        "tag": release.tag,
        "filename": release.filename,
        "sha256": DIGEST,
    }
