"""The journal: one class for each group of tables, over one database.

`Journal` holds them and does what concerns all of them; it knows no table itself. Every method of
a group is one transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

from toolsync.gate.gates import GATES, Gates
from toolsync.journal.accounts import Accounts
from toolsync.journal.ahead import Ahead
from toolsync.journal.database import Database
from toolsync.journal.decisions import Decisions
from toolsync.journal.evidence import Evidence
from toolsync.journal.followed import Followed
from toolsync.journal.identity import Identity
from toolsync.journal.imports import Imports
from toolsync.journal.judgments import Judgments
from toolsync.journal.keydates import KeyDates
from toolsync.journal.leases import Leases
from toolsync.journal.leaves import Leaves
from toolsync.journal.log import Log
from toolsync.journal.messages import Messages
from toolsync.journal.origins import Origins
from toolsync.journal.pages import Pages
from toolsync.journal.publications import Publications
from toolsync.journal.redate import redate
from toolsync.journal.releases import Releases
from toolsync.journal.results import Results
from toolsync.journal.runs import Runs
from toolsync.journal.sqlite import SqliteDatabase
from toolsync.journal.states import States
from toolsync.journal.statuses import Statuses
from toolsync.journal.uploads import Uploads
from toolsync.system.clock import Clock


def opened(place: Path | str, *, reading: bool = False) -> Database:
    """Open or make a database; what one for a fleet needs is loaded only for that."""
    if isinstance(place, Path):
        return SqliteDatabase(place, reading=reading)
    from toolsync.journal.postgres import PostgresDatabase

    return PostgresDatabase(place, reading=reading)


SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
"""A digest in a text."""
_RUNS = re.compile(r"[0-9a-f]{64,}")
"""The same, or something longer: found in half of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The state of all tools, in one database."""

    database: Database
    clock: Clock
    pages: Pages
    releases: Releases
    origins: Origins
    results: Results
    log: Log
    judgments: Judgments
    decisions: Decisions
    evidence: Evidence
    leaves: Leaves
    uploads: Uploads
    publications: Publications
    runs: Runs
    statuses: Statuses
    messages: Messages
    keydates: KeyDates
    identity: Identity
    followed: Followed
    states: States
    accounts: Accounts
    leases: Leases
    imports: Imports

    @classmethod
    def open(
        cls, place: Path | str, clock: Clock, gates: Gates = GATES, *, reading: bool = False
    ) -> Self:
        """Open or make the journal; raise SetupError when it is not ours to read.

        ``place`` is SQLite's file, or PostgreSQL's address. The order of the stages follows from
        ``gates``. Where it is only for ``reading`` nothing is made, and nothing can be written.
        """
        return cls.over(opened(place, reading=reading), clock, gates.stages, gates.names)

    def ahead(self, tools: Iterable[str]) -> Self:
        """Return the same journal, which reads what it is asked of these tools for all at once.

        It is for lists of very many. Close the one that it was made of.
        """
        return self.by(Ahead(self.database, tools), self.clock)

    def by(self, database: Database, clock: Clock) -> Self:
        """Return the same journal, read by another database that has its tables."""
        return self.over(database, clock, self.results.stages, self.judgments.gates)

    @classmethod
    def over(
        cls, database: Database, clock: Clock, stages: tuple[str, ...], gates: tuple[str, ...]
    ) -> Self:
        """Return the journal that lies in a database."""
        return cls(
            database=database,
            clock=clock,
            pages=Pages(database, clock),
            releases=Releases(database, clock),
            origins=Origins(database),
            results=Results(database, clock, stages),
            log=Log(database, clock),
            judgments=Judgments(database, clock, gates),
            decisions=Decisions(database, clock),
            evidence=Evidence(database, clock),
            leaves=Leaves(database),
            uploads=Uploads(database, clock),
            publications=Publications(database),
            runs=Runs(database, clock),
            statuses=Statuses(database, clock),
            messages=Messages(database, clock),
            keydates=KeyDates(database, clock),
            identity=Identity(database),
            followed=Followed(database, clock),
            states=States(database, clock),
            accounts=Accounts(database, clock),
            leases=Leases(database),
            imports=Imports(database, clock),
        )

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def digests(self) -> set[str]:
        """Return every SHA-256 that is named anywhere in here."""
        found: set[str] = set()
        texts = iter(self.database.texts(64))
        # A thousand at once: of a million, half of the time would be the calls.
        while some := "\n".join(islice(texts, 1000)):
            found.update(_RUNS.findall(some))
        return {run for run in found if len(run) == 64}

    def copy_to(self, path: Path) -> None:
        """Write a copy as of one moment, which another process may go on changing."""
        self.database.copy_to(path)

    def redate(self) -> str:
        """Date now what lies in the future; return the latest such moment, empty if none does."""
        return redate(self.database, self.clock)

    def one_moment(self) -> AbstractContextManager[None]:
        """For the block, let all that is read be of one moment; nothing can be written in it."""
        return self.database.snapshot()
