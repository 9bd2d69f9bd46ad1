"""Who may do what: roles, passwords and tokens. No web framework is needed here."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import deque
from dataclasses import dataclass, field

from toolsync.model.errors import UsageError
from toolsync.system.clock import Clock

ROLES = ("reader", "reviewer")
"""What a person may do; each may do what those before it may."""
LEAST = 12
"""Characters of a password (NIST SP 800-63B asks for eight at least)."""
_MOST = 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_N, _R, _P = 1 << 15, 8, 1
"""scrypt's cost: 32 MB and about a tenth of a second (RFC 7914)."""
_MEMORY = 64 * 1024 * 1024
_NAMES = 10_000
"""Of which failures are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asks for something."""

    name: str
    """Empty for somebody unknown."""
    role: str
    """One of `ROLES`, empty for none."""
    via: str = "web"
    """How the person is known: ``web`` or ``token NAME``."""

    @property
    def told(self) -> str:
        """The name under which a decision is recorded, told apart from the machine's accounts."""
        return f"{self.name} ({self.via})"

    def may(self, role: str) -> bool:
        """Say whether this person has a role, or one above it; an empty one has everybody."""
        return not role or (self.role in ROLES and ROLES.index(self.role) >= ROLES.index(role))


NOBODY = Person(name="", role="")


def checked_name(name: str) -> str:
    """Return an account's or a token's name; raise UsageError where it cannot be one."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name[:80]!r} is no name; wanted: at most 64 letters, digits and ._@+-",
            resolution="Choose another one.",
        )
    return name


def secret_of(password: str) -> str:
    """Return what is kept of a password; raise UsageError where it is too short."""
    if not LEAST <= len(password) <= _MOST:
        raise UsageError(
            f"the password has {len(password)} characters; wanted: {LEAST} to {_MOST}",
            resolution="Take several words, or let a program make one.",
        )
    salt = secrets.token_bytes(16)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${_scrypt(password, salt, _N, _R, _P).hex()}"


def fits(secret: str, password: str) -> bool:
    """Say whether a password is the one that ``secret`` was made of."""
    _, n, r, p, salt, answer = secret.split("$")
    found = _scrypt(password[:_MOST], bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, bytes.fromhex(answer))


NO_SECRET = f"scrypt${_N}${_R}${_P}${'00' * 16}${'00' * 32}"
"""What is compared where there is no such account, so that it takes as long; nothing fits it."""


def new_token() -> str:
    """Return a token for a program: 256 bits that nobody can guess."""
    return f"toolsync_{secrets.token_urlsafe(32)}"


def digest_of(token: str) -> str:
    """Return what is kept of a token. It has no need of scrypt: it was not thought out."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    text = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(text, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


@dataclass(slots=True, kw_only=True)
class Tries:
    """Counts of failures, so that nobody tries on and on."""

    clock: Clock
    seconds: float = 900
    _failed: dict[str, deque[float]] = field(default_factory=dict)

    def wait(self, who: str, most: int) -> float:
        """Return in how many seconds ``who`` may try again: 0 after fewer than ``most``."""
        times = self._failed.get(who, deque())
        now = self.clock.monotonic()
        while times and times[0] <= now - self.seconds:
            times.popleft()
        return times[0] + self.seconds - now if len(times) >= most else 0.0

    def fail(self, *whos: str) -> None:
        """Note a failure of each of these."""
        if len(self._failed) > _NAMES:
            self._failed.clear()  # somebody makes up names: the address's own count begins anew
        for who in whos:
            self._failed.setdefault(who, deque(maxlen=100)).append(self.clock.monotonic())

    def succeed(self, who: str) -> None:
        """Forget the failures of somebody who is let in."""
        self._failed.pop(who, None)
