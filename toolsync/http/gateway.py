"""Open the HTTP client with the limits of the settings."""

from __future__ import annotations

from toolsync.config.settings import Config
from toolsync.http.client import Http
from toolsync.system.clock import Clock


def open_http(config: Config, clock: Clock) -> Http:
    """Return a client with the limits of ``config``; nothing is requested yet."""
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
