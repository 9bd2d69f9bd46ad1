"""A clock that a test drives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

TODAY = datetime(2026, 11, 21, 12, tzinfo=UTC)


class DrivenClock:
    """Shows the time that a test has set."""

    def __init__(self, now: datetime = TODAY) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
