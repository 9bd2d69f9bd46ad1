"""Be a worker of a fleet: open what its tasks need, and take tasks until stopped."""

from __future__ import annotations

from collections.abc import Sequence

from toolsync.build.chroot import Chroots, chroot_folder
from toolsync.config.settings import Config
from toolsync.fleet.broker import make_app
from toolsync.fleet.worker import builder, name_of_this, offer, serve
from toolsync.pipeline.context import store_of
from toolsync.pipeline.places import most_builds
from toolsync.system.clock import SystemClock
from toolsync.system.lock import exclusive
from toolsync.system.run import run
from toolsync.system.work import Workshop


def work(config: Config, queues: Sequence[str], at_once: int, name: str) -> None:
    """Do what these queues ask for; without any, builds for this machine's architecture.

    The state folder is this worker's alone: it holds the store's cache and the work.
    """
    clock, name = SystemClock(), name or name_of_this()
    if not queues:
        queues = [f"build.{run('dpkg', '--print-architecture', timeout=60).out.strip()}"]
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
        app = make_app(config.fleet.broker, config.fleet.seconds + 600)
        offer(app, name, builder(config.build, store, workshop, chroots), clock)
        serve(app, name, queues, at_once or config.build.at_once or most_builds(config))
