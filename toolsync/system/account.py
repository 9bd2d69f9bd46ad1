"""Find the account that a decision is recorded under."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

_NOBODY = 2**32 - 1
"""What Linux gives as login id where nobody has logged in: a service, a container."""


def account() -> str:
    """Return the account's name, and in brackets as whom it acts where that is another.

    The kernel's login id (``/proc/self/loginuid``) stays through su and sudo and counts first;
    then what sudo says, where name and number agree; else the account itself.
    """
    acting = _name(os.geteuid())
    real = _login() or _by_sudo() or _name(os.getuid())
    return real if real == acting else f"{real} (as {acting})"


def _login() -> str:
    try:
        uid = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return ""
    return "" if uid == _NOBODY else _name(uid)


def _by_sudo() -> str:
    name, uid = os.environ.get("SUDO_USER", ""), os.environ.get("SUDO_UID", "")
    return name if uid.isdecimal() and name and _name(int(uid)) == name else ""


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return f"uid {uid}"
