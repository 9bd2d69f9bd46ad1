"""Accounts: who may read and who may decide in a browser, and tokens for programs.

What is kept of a password is scrypt's answer, of a token its SHA-256: neither can be read here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from toolsync.journal.database import Database
from toolsync.system.clock import Clock, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person who may log in."""

    name: str
    role: str
    """``reader`` or ``reviewer``."""
    secret: str
    """What a password is compared with."""
    changed: str
    """When role or password were set last: a session from before has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a program shows instead of a password."""

    name: str
    digest: str
    """SHA-256 of the token, in hex."""
    account: str
    """On whose behalf it acts."""
    role: str
    """What it may do at most: ``reader`` or ``reviewer``."""
    made: str
    ends: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """The tables ``account`` and ``token``."""

    database: Database
    clock: Clock

    def all(self) -> list[Account]:
        """Return every account, by name."""
        rows = self.database.all("SELECT * FROM account ORDER BY name")
        return [row.read(Account) for row in rows]

    def get(self, name: str) -> Account | None:
        """Return one account, if it is there."""
        row = self.database.one("SELECT * FROM account WHERE name=?", name)
        return None if row is None else row.read(Account)

    def keep(self, name: str, role: str, secret: str) -> None:
        """Make an account, or give it another role or password."""
        changed = stamp(self.clock.now())
        account = Account(name=name, role=role, secret=secret, changed=changed)
        with self.database.transaction():
            self.database.replace("account", ("name",), asdict(account))

    def remove(self, name: str) -> None:
        """Remove an account, with all of its tokens."""
        with self.database.transaction():
            self.database.execute("DELETE FROM token WHERE account=?", name)
            self.database.execute("DELETE FROM account WHERE name=?", name)

    def tokens(self) -> list[Token]:
        """Return every token, by name."""
        rows = self.database.all("SELECT * FROM token ORDER BY name")
        return [row.read(Token) for row in rows]

    def token(self, digest: str) -> Token | None:
        """Return the token of this digest, if there is one, whether it has ended or not."""
        row = self.database.one("SELECT * FROM token WHERE digest=?", digest)
        return None if row is None else row.read(Token)

    def keep_token(self, token: Token) -> None:
        """Keep a token; one of the same name is replaced."""
        with self.database.transaction():
            self.database.replace("token", ("name",), asdict(token))

    def remove_token(self, name: str) -> bool:
        """Remove a token; say whether there was one."""
        with self.database.transaction():
            return self.database.execute("DELETE FROM token WHERE name=?", name) > 0
