"""Be a worker of a fleet: open what its tasks need, and take tasks until stopped."""

from __future__ import annotations

from collections.abc import Sequence

from toolsync.build.chroot import Chroots, chroot_folder
from toolsync.config.settings import Config
from toolsync.fleet.broker import make_app
from toolsync.fleet.kind import Machine
from toolsync.fleet.kinds import KINDS, queues_of
from toolsync.fleet.worker import name_of_this, offer, serve
from toolsync.model.errors import SetupError
from toolsync.pipeline.context import open_http, store_of
from toolsync.pipeline.places import most_builds
from toolsync.system.clock import SystemClock
from toolsync.system.lock import exclusive
from toolsync.system.work import Workshop


def work(config: Config, queues: Sequence[str], at_once: int, name: str) -> None:
    """Do what these queues ask for; without any, all that this machine can do.

    The state folder is this worker's alone: it holds the store's cache and the work.
    """
    clock, name = SystemClock(), name or name_of_this()
    if not (queues := queues or queues_of(config)):
        raise SetupError(
            "this machine can do none of a fleet's tasks",
            resolution="Install what they need, such as sbuild and mmdebstrap: toolsync doctor.",
        )
    with exclusive(config.state, "worker"):
        store, workshop = store_of(config), Workshop(config.state, config.build.work)
        workshop.sweep()
        store.sweep()
        chroots = Chroots(
            chroot_folder(config.build.chroots),
            mirror=config.build.mirror,
            days=config.build.chroot_days,
            workshop=workshop,
            clock=clock,
            told=lambda _: None,
        )
        machine = Machine(
            config=config,
            store=store,
            workshop=workshop,
            chroots=chroots,
            http=open_http(config, clock),
        )
        app = make_app(config.fleet.broker, config.fleet.seconds + 600)
        offer(app, name, {kind.name: kind.doer(machine) for kind in KINDS}, clock)
        serve(app, name, queues, at_once or config.build.at_once or most_builds(config))
