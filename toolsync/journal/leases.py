"""Leases: who of several coordinators works on a tool or changes an archive, and until when.

A lease has a number that rises whenever it is given anew (a *fencing token*): who was suspended
and wakes up late finds another number, and lets be. What counts is the database's clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from toolsync.journal.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What somebody may do alone."""

    name: str
    """Such as ``tool:NAME`` or ``archive:TARGET``."""
    holder: str
    """Empty where it was given back."""
    token: int
    until: int
    """Milliseconds since 1970, by the database's clock."""


@dataclass(frozen=True, slots=True)
class Leases:
    """The table ``lease``."""

    database: Database

    def take(self, name: str, holder: str, seconds: float) -> Lease | None:
        """Return a new lease for so long, None where another holds it still."""
        with self.database.transaction():
            now, known = self.database.moment(), self.of(name)
            if known and known.holder not in ("", holder) and known.until > now:
                return None
            lease = Lease(
                name=name,
                holder=holder,
                token=known.token + 1 if known else 1,
                until=now + int(seconds * 1000),
            )
            row = {"name": name, "holder": holder, "token": lease.token, "until": lease.until}
            self.database.replace("lease", ("name",), row)
        return lease

    def renew(self, lease: Lease, seconds: float) -> bool:
        """Hold a lease for so long from now; say whether it was still ours."""
        with self.database.transaction():
            now = self.database.moment()
            changed = self.database.execute(
                "UPDATE lease SET until=? WHERE name=? AND token=? AND holder=? AND until > ?",
                *(now + int(seconds * 1000), lease.name, lease.token, lease.holder, now),
            )
        return changed > 0

    def holds(self, lease: Lease) -> bool:
        """Say whether a lease is still ours."""
        known = self.of(lease.name)
        return (
            known is not None
            and (known.token, known.holder) == (lease.token, lease.holder)
            and known.until > self.database.moment()
        )

    def give_back(self, lease: Lease) -> None:
        """Let another have it; one that is no longer ours stays as it is."""
        self.database.write(
            "UPDATE lease SET holder='', until=0 WHERE name=? AND token=? AND holder=?",
            *(lease.name, lease.token, lease.holder),
        )

    def of(self, name: str) -> Lease | None:
        """Return who was given a lease last."""
        row = self.database.one("SELECT * FROM lease WHERE name=?", name)
        return None if row is None else row.read(Lease)

    def all(self) -> list[Lease]:
        """Return all leases that are held, by name."""
        now = self.database.moment()
        rows = self.database.all(
            "SELECT * FROM lease WHERE holder != '' AND until > ? ORDER BY name", now
        )
        return [row.read(Lease) for row in rows]
