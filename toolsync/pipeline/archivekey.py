"""The keys of a set-up's archive, for those who work with everything opened.

Before a run changes anything the promised keys are here, or it ends: a key that is lost is never
replaced in silence, neither by what publishes nor by what signs evidence.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from toolsync.config.settings import Config
from toolsync.model.errors import SetupError
from toolsync.pipeline.context import Context
from toolsync.publish.archivekeys import WAY_BACK, ArchiveKeys
from toolsync.system.clock import Clock
from toolsync.system.gpg import SigningHome
from toolsync.system.work import Workshop


@runtime_checkable
class Keyed(Protocol):
    """A target that is signed here."""

    def settle(self) -> bool:
        """Serve what is promised and set up; say whether anything had to be changed."""
        ...


def archive_keys(config: Config, workshop: Workshop, clock: Clock) -> ArchiveKeys:
    """Return the keys of a set-up's archive, whatever the target is: evidence is signed by them."""
    return ArchiveKeys(config.archive, SigningHome(config.state / "gnupg"), workshop, clock)


def settle_keys(context: Context) -> None:
    """See that the promised keys are here, let those end whose time is over, and serve that.

    The caller holds the state's lock. Raises SetupError where a key is lost.
    """
    keys = archive_keys(context.config, context.workshop, context.clock)
    if keys.promised() is None:
        _require_never_signed(context, keys)
    if isinstance(context.target, Keyed):
        context.target.settle()


def evidence_key(context: Context) -> str:
    """Return the fingerprint of the key that signs evidence; made where nothing was ever signed.

    While two keys sign, that is the older one, which everybody knows. Raises SetupError where it
    is lost.
    """
    keys = archive_keys(context.config, context.workshop, context.clock)
    if keys.promised() is None:
        _require_never_signed(context, keys)
    return keys.settled(context.config.maintainer, archive=False).signing[0]


def _require_never_signed(context: Context, keys: ArchiveKeys) -> None:
    """See that there is a key, or that none was ever needed: from before promises."""
    if not keys.key_infos() and context.journal.evidence.all():
        raise SetupError(
            f"evidence was signed here, and the key is gone from {context.config.state / 'gnupg'}",
            resolution=WAY_BACK,
        )
