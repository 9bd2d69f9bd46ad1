"""What can go wrong with a request, as errors of toolsync; `translation` makes them of others."""

from __future__ import annotations

from toolsync.model.errors import Hostile, Unreachable
from toolsync.system.headers import bare, plain


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


def coded_as(encoding: str, body: bytes) -> bool:
    """Say whether a body is still in a code that is not understood, by what the server calls it."""
    names = {name.strip().lower() for name in encoding.split(",")}
    if not names & {"br", "zstd", "compress", "x-compress", "dcb", "dcz"}:
        return False
    try:
        return "\0" in body.decode("utf-8")
    except UnicodeDecodeError:
        return True


def in_other_code(url: str, encoding: str) -> Unreachable:
    """Return the error for a page in a code that was not asked for."""
    return Unreachable(
        f"{bare(url)} is sent in a code that was not asked for: {plain(encoding, 40)}; wanted:"
        " gzip, deflate, or as it is",
        resolution="Ask the server's owner; it does not heed Accept-Encoding.",
    )


def too_large(url: str, limit: int) -> Hostile:
    """Return the error for a body that passes its limit."""
    return Hostile(
        f"{bare(url)} sends more than {limit} bytes, the limit",
        resolution="Raise [limits] in toolsync.toml if the file is rightly that large.",
    )
