"""The table of targets: configuration names one, and chooses no code by that.

A PPA (``ppa:OWNER/NAME``) takes its place in `TARGETS` under the word before the colon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from toolsync.config import Config
from toolsync.errors import SetupError
from toolsync.publish.local import LocalArchive
from toolsync.publish.target import Target
from toolsync.system.gpg import SigningHome
from toolsync.system.store import Store
from toolsync.system.work import Workshop

Opener = Callable[[str, Config, Store, Workshop], Target]
"""Takes what stands after the colon, the set-up, and where files are."""


def _local(_rest: str, config: Config, store: Store, workshop: Workshop) -> Target:
    return LocalArchive(
        config.archive,
        settings=config.local,
        series=config.series,
        owner=config.maintainer,
        store=store,
        workshop=workshop,
        signing=SigningHome(config.state / "gnupg"),
    )


TARGETS: Mapping[str, Opener] = {"local": _local}


def open_target(name: str, config: Config, store: Store, workshop: Workshop) -> Target:
    """Return the target called ``name``; raise SetupError when there is none of that kind.

    Nothing is written or connected to before the target is first used.
    """
    kind, _, rest = name.partition(":")
    if kind not in TARGETS:
        raise SetupError(
            f"there is no target {name!r}; there are: {', '.join(sorted(TARGETS))}",
            resolution="Mend `target` in toolsync.toml, or name one of these with --target.",
        )
    return TARGETS[kind](rest, config, store, workshop)
