"""The table of targets: configuration names one, and chooses no code by that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from toolsync.model.errors import SetupError
from toolsync.publish.kind import Opening, TargetKind
from toolsync.publish.openlocal import LOCAL
from toolsync.publish.openppa import PPA

if TYPE_CHECKING:
    from toolsync.config.settings import Config
    from toolsync.http.client import Http
    from toolsync.publish.target import Target
    from toolsync.system.clock import Clock
    from toolsync.system.store import Store
    from toolsync.system.work import Workshop

TARGETS: Mapping[str, TargetKind] = {kind.name: kind for kind in (LOCAL, PPA)}


def target_kind(name: str, targets: Mapping[str, TargetKind] = TARGETS) -> TargetKind:
    """Return the record of the target called ``name``; raise SetupError where there is none."""
    kind = name.partition(":")[0]
    if kind not in targets:
        raise SetupError(
            f"there is no target {name!r}; there are: {', '.join(sorted(targets))}",
            resolution="Mend `target` in toolsync.toml, or name one of these with --target.",
        )
    return targets[kind]


def open_target(
    name: str,
    config: Config,
    store: Store,
    workshop: Workshop,
    clock: Clock,
    http: Http,
    targets: Mapping[str, TargetKind] = TARGETS,
) -> Target:
    """Return the target called ``name``; raise SetupError when there is none of that kind.

    Nothing is written or connected to before the target is first used; ``http`` is open as long.
    """
    given = Opening(
        rest=name.partition(":")[2],
        config=config,
        store=store,
        workshop=workshop,
        clock=clock,
        http=http,
    )
    return target_kind(name, targets).open(given)
