"""Find the account that a decision is recorded under."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

_kept: list[str] = []
"""Who acted before this process became another user's; empty while it has not."""
_DEEPEST = 64
"""Processes above this one that are looked at."""
_NOBODY = 2**32 - 1
"""What Linux gives as login id where nobody has logged in: a service, a container."""


def account() -> str:
    """Return the account's name, and in brackets as whom it acts where that is another.

    The kernel's login id (``/proc/self/loginuid``) stays through su and sudo and counts first;
    then what sudo says, where name and number agree with the account whose process became root
    above this one; else the account itself.
    """
    acting = _name(os.geteuid())
    real = _kept[0] if _kept else _person()
    return real if real == acting else f"{real} (as {acting})"


def keep_person() -> None:
    """Remember who acts, before this process becomes another user's."""
    _kept[:] = [_person()]


def _person() -> str:
    return _login() or _by_sudo() or _name(os.getuid())


def _login() -> str:
    try:
        uid = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return ""
    return "" if uid == _NOBODY else _name(uid)


def _by_sudo() -> str:
    name, uid = os.environ.get("SUDO_USER", ""), os.environ.get("SUDO_UID", "")
    if not (uid.isdecimal() and name and _name(int(uid)) == name):
        return ""
    return name if _who_became_root() == int(uid) else ""


def _who_became_root() -> int | None:
    """Return the uid of the nearest process above root's, None where root had it all along.

    The environment is anybody's to write. The kernel's tree is not: sudo runs as root, and its
    parent belongs to whoever called it.
    """
    pid, met_root = os.getpid(), False
    for _ in range(_DEEPEST):
        try:
            text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        fields = dict(line.partition(":")[::2] for line in text.splitlines())
        real, effective = (int(word) for word in fields["Uid"].split()[:2])
        if met_root and effective != 0:
            return real
        met_root = met_root or effective == 0
        pid = int(fields["PPid"])
        if pid == 0:
            return None
    return None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return f"uid {uid}"
