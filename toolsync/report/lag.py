"""How long it took from upstream's release until an instance could install it."""

from __future__ import annotations

from datetime import datetime


def lag(released: str, at: str) -> float:
    """Return the seconds between two moments (ISO 8601), never below zero; 0 if one is none."""
    try:
        begun, ended = datetime.fromisoformat(released), datetime.fromisoformat(at)
        return max(0.0, (ended - begun).total_seconds())
    except (ValueError, TypeError):  # the page's date is none, or has no zone
        return 0.0


def in_words(seconds: float) -> str:
    """Return so many seconds as ``3 days 4 h``, ``2 h 10 min``, ``5 min`` or ``12 s``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = ((days, "day" if days == 1 else "days"), (hours, "h"), (minutes, "min"))
    parts = [f"{count} {name}" for count, name in units if count]
    return " ".join(parts[:2]) or f"{rest} s"
