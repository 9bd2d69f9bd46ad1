"""Open the way to other people's servers as the set-up says, the same for all who ask."""

from __future__ import annotations

from toolsync.config.settings import Config
from toolsync.http.client import Http
from toolsync.system.clock import Clock


def open_http(config: Config, clock: Clock) -> Http:
    """Return a gateway that keeps the set-up's limits; nothing is asked yet."""
    return Http(
        user_agent=config.user_agent,
        timeout=config.timeout,
        retries=config.retries,
        mirrors=config.mirrors,
        per_host=config.per_host,
        interval=config.interval,
        hosts=2 * config.jobs,
        clock=clock,
    )
