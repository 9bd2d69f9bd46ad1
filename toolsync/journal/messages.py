"""Messages of reports: who was told what, and what waits to be sent.

A message and the note of what it tells are written in one transaction, so that nothing is noted
as told which no message says; the message stays until the other side has taken it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolsync.journal.database import Database
from toolsync.system.clock import Clock, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something to be told on one channel: kept until it was sent, under one id for ever."""

    id: str
    channel: str
    data: Mapping[str, Any]
    made: str
    tries: int
    error: str
    """What the last try ended with."""


@dataclass(frozen=True, slots=True)
class Messages:
    """The tables ``letter``, one row a message, and ``told``."""

    database: Database
    clock: Clock

    def told(self, channel: str) -> dict[str, str]:
        """Return what a channel was last told, by subject."""
        rows = self.database.all("SELECT subject, state FROM told WHERE channel=?", channel)
        return {row.text("subject"): row.text("state") for row in rows}

    def tell(
        self, channel: str, states: Mapping[str, str], name: str, data: Mapping[str, object] | None
    ) -> None:
        """Note what a channel is told, and keep the message (``name`` is its id) that tells it.

        An empty state means that there is nothing more to say of its subject.
        """
        now = stamp(self.clock.now())
        with self.database.transaction():
            self.database.execute_many(
                "INSERT INTO told (channel, subject, state, at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (channel, subject) DO UPDATE SET state=excluded.state,"
                " at=excluded.at",
                [(channel, subject, state, now) for subject, state in states.items()],
            )
            if data is not None:
                self.database.execute(
                    "INSERT INTO letter (id, channel, data, made) VALUES (?, ?, ?, ?)",
                    *(name, channel, json.dumps(data), now),
                )

    def unsent(self, channel: str) -> list[Message]:
        """Return the messages that a channel has not taken yet, oldest first."""
        rows = self.database.all(
            "SELECT id, channel, data, made, tries, error FROM letter"
            " WHERE channel=? AND sent='' ORDER BY rowid",
            channel,
        )
        return [row.read(Message, data=row.table("data")) for row in rows]

    def sent(self, message: Message) -> None:
        """Note that a message was taken by the other side."""
        self.database.write(
            "UPDATE letter SET sent=?, tries=tries+1, error='' WHERE id=?",
            *(stamp(self.clock.now()), message.id),
        )

    def not_sent(self, message: Message, error: str) -> None:
        """Note why a message could not be sent; it stays to be sent."""
        self.database.write(
            "UPDATE letter SET tries=tries+1, error=? WHERE id=?", error, message.id
        )
