"""Architectures: which there are, which is this machine's, and which it can run.

dpkg's own tables say which there are and what a word of a .dsc's Architecture stands for
(dpkg-architecture(1), Debian Policy 5.6.8). What a machine can run is measured by arch-test(1),
which mmdebstrap asks, too: it runs a small program of the architecture.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from toolsync.system.run import run

ALL = "all"
"""What Architecture says of packages that are the same everywhere."""

_SECONDS = 60
_RUNS = 0


@cache
def own() -> str:
    """Return this machine's architecture, as dpkg calls it."""
    return run("dpkg", "--print-architecture", timeout=_SECONDS).out.strip()


@cache
def known() -> frozenset[str]:
    """Return all architectures that dpkg knows."""
    return frozenset(run("dpkg-architecture", "-L", timeout=_SECONDS).out.split())


@cache
def bits(architecture: str) -> int:
    """Return how many bits an address has on an architecture."""
    words = (f"-a{architecture}", "-qDEB_HOST_ARCH_BITS")
    return int(run("dpkg-architecture", *words, timeout=_SECONDS).out)


def permits(words: Collection[str], architecture: str) -> bool:
    """Say whether packages of these words of Architecture are built anew on an architecture.

    ``all`` alone is no reason: such a package is made once, wherever that is.
    """
    return any(falls_under(architecture, word) for word in words if word != ALL)


@cache
def falls_under(architecture: str, word: str) -> bool:
    """Say whether an architecture is, or falls under, a word such as ``linux-any``."""
    if word in ("any", architecture):
        return True
    if "any" not in word.split("-"):
        return False
    words = (f"-a{architecture}", f"-i{word}")
    return run("dpkg-architecture", *words, timeout=_SECONDS, ok=(0, 1)).code == 0


@cache
def runs(architecture: str) -> bool:
    """Say whether this machine runs programs of an architecture, by itself or by qemu-user.

    Raises ProgramMissing where there is no arch-test. One that arch-test does not know is none.
    """
    return run("arch-test", architecture, timeout=_SECONDS, ok=range(256)).code == _RUNS


@cache
def native() -> tuple[str, ...]:
    """Return the architectures whose programs this machine's processor runs, its own first.

    Raises ProgramMissing where there is no arch-test.
    """
    found = run("arch-test", "-n", timeout=_SECONDS).out.split()
    return (own(), *(name for name in found if name != own()))
