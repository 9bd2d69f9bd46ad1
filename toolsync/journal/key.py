"""By what results, judgments and lines of the log are found: a stage of a release."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Which stage of which release; ``scope`` is empty, or ``SERIES/REVISION[@TARGET]``."""

    tool: str
    version: str
    stage: str
    scope: str = ""
