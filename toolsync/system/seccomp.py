"""Write the kernel's filter of system calls for a sandbox (seccomp(2)), as bubblewrap reads it.

A program in a sandbox needs no user namespace of its own, where it would be root over parts of the
kernel that it cannot reach otherwise; and it needs no keyring: those are the session's that started
us. Both answer with an error.
"""

from __future__ import annotations

import errno
import struct

_LOAD, _EQUAL, _ANY_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST = 0, 4, 16
"""Offsets in struct seccomp_data; of the first argument its lower half (little-endian)."""
_NEWUSER = 0x10000000
_X32 = 0x40000000

_CALLS = {
    0xC000003E: (56, 272, (308, 248, 249, 250)),  # x86-64
    0xC00000B7: (220, 97, (268, 217, 218, 219)),  # AArch64
    0x40000003: (120, 310, (346, 286, 287, 288)),  # i386, which x86-64 runs too
}
"""By architecture: clone, unshare, and setns, add_key, request_key, keyctl."""
_CLONE3 = 435
"""Its flags lie in memory, where no filter looks; without it, clone is used."""


def closed_filter() -> bytes:
    """Return a filter without user namespaces and keyrings; other machines' are not filtered."""
    words: list[bytes] = []
    for architecture, (clone, unshare, denied) in _CALLS.items():
        block = _block(clone, unshare, denied)
        words += [_word(_LOAD, _ARCHITECTURE), _word(_EQUAL, architecture, no=len(block))]
        words += block
    return b"".join([*words, _word(_RETURN, _ALLOW)])


def _block(clone: int, unshare: int, denied: tuple[int, ...]) -> list[bytes]:
    """Return what is asked on one architecture; each question jumps over its own answer."""
    words = [_word(_LOAD, _NUMBER)]
    words += [_word(_ANY_SET, _X32, no=1), _error(errno.ENOSYS)]
    words += [_word(_EQUAL, _CLONE3, no=1), _error(errno.ENOSYS)]
    for number in denied:
        words += [_word(_EQUAL, number, no=1), _error(errno.EPERM)]
    for number in (clone, unshare):
        words += [_word(_EQUAL, number, no=4), _word(_LOAD, _FIRST)]
        words += [_word(_ANY_SET, _NEWUSER, no=1), _error(errno.EPERM), _word(_RETURN, _ALLOW)]
    return [*words, _word(_RETURN, _ALLOW)]


def _error(number: int) -> bytes:
    return _word(_RETURN, _ERROR | number)


def _word(code: int, value: int, *, no: int = 0) -> bytes:
    """Return one instruction (struct sock_filter); ``no`` is how many to skip if it is not so."""
    return struct.pack("=HBBI", code, 0, no, value)
