"""What each part of the journal may use of the whole: transactions, questions, the time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any

from toolsync.journal.records import Key
from toolsync.system.clock import Clock


class Book(ABC):
    """A part of `journal.Journal`, which alone knows what is behind these."""

    _clock: Clock
    _db: Any
    """The connection; only `journal` knows of what kind."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[None]: ...

    @abstractmethod
    def _put(self, sql: str, *values: object) -> None: ...

    @abstractmethod
    def _one(self, sql: str, *values: object) -> dict[str, Any] | None: ...

    @abstractmethod
    def _all(self, sql: str, *values: object) -> list[dict[str, Any]]: ...

    @abstractmethod
    def _log(self, key: Key, event: str, message: str, now: str) -> None: ...
