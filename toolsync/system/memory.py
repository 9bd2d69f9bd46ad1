"""Tune the C library's allocator and the garbage collector for many pages in many threads."""

from __future__ import annotations

import gc

_COLLECT = 20_000
"""Objects made between two garbage collections; a page makes many, and none is in a cycle."""
_M_TRIM_THRESHOLD, _M_ARENA_MAX = -1, -8
"""mallopt(3) of the GNU C library."""


def for_a_start() -> None:
    """Let the garbage collector wait: what a start makes stays, and is looked through in vain."""
    gc.set_threshold(_COLLECT, 20, 50)


def for_long_lists() -> None:
    """Let the garbage collector wait for longer: of very many rows and tools none is in a cycle."""
    gc.set_threshold(10 * _COLLECT, 20, 50)


def for_many_pages(arenas: int = 2, kept: int = 32 * 1024 * 1024) -> None:
    """Prepare for many threads that each parse one page after the other.

    They share ``arenas`` arenas instead of eight for each core, since each arena keeps the memory
    of its largest page. ``kept`` bytes of free memory stay with the program between two pages,
    instead of going back to the system. Without effect on other C libraries. The garbage
    collector runs less often, and not over the objects that exist now.
    """
    import ctypes  # no other command needs it

    gc.freeze()
    for_a_start()
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, arenas)
        mallopt(_M_TRIM_THRESHOLD, kept)
