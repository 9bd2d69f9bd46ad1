"""What can go wrong with a request, as errors of toolsync; `translation` makes them of others."""

from __future__ import annotations

from toolsync.model.errors import Hostile, Unreachable
from toolsync.system.headers import bare


class Transient(Unreachable):
    """A failure that may be gone at the next try; ``retry_after`` is in seconds."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message, resolution="Nothing to do: the next run tries again.")
        self.retry_after = retry_after


class Limited(Transient):
    """A server that limits how often it is asked; it says so, and when that ends, if known."""


class ProxyFailed(Transient):
    """The proxy that the environment names did not do its part."""

    def __init__(self, proxy: str, url: str, why: str) -> None:
        super().__init__(f"the proxy {bare(proxy)} could not be used for {bare(url)}: {why}")
        self.resolution = "See http_proxy, https_proxy and no_proxy in the environment."


def broken_off(url: str, done: int, total: int) -> Transient:
    """Return the error for a body of another length than was promised."""
    return Transient(f"{bare(url)} broke off: {done} bytes came, {total - done} are missing")


def too_large(url: str, limit: int) -> Hostile:
    """Return the error for a body that passes its limit."""
    return Hostile(
        f"{bare(url)} sends more than {limit} bytes, the limit",
        resolution="Raise [limits] in toolsync.toml if the file is rightly that large.",
    )
