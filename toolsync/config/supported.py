"""Follow a distribution's supported series: those that end drop out, new ones are proposed.

``series = "supported"`` means the series that were supported when they were first asked for
and still are. What was asked for is kept in the state folder (``series.json``, by
distribution); a new series joins when a person says so, since users of it must be wanted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from toolsync.model.errors import SetupError, UsageError
from toolsync.system.distro import supported
from toolsync.system.store import replace_file

FOLLOW = "supported"


def followed(state: Path, distribution: str, day: date) -> tuple[str, ...]:
    """Return the series that are adopted and supported on ``day``, oldest first."""
    known = _read(state).get(distribution)
    alive = supported(distribution, day)
    return alive if known is None else tuple(name for name in alive if name in known)


def proposed(state: Path, distribution: str, day: date) -> tuple[str, ...]:
    """Return the series that are supported and not adopted."""
    mine = followed(state, distribution, day)
    return tuple(name for name in supported(distribution, day) if name not in mine)


def keep(state: Path, distribution: str, day: date) -> None:
    """Remember what is supported now as adopted, where nothing is remembered yet."""
    known = _read(state)
    if distribution not in known:
        _write(state, {**known, distribution: list(supported(distribution, day))})


def adopt(state: Path, distribution: str, names: Sequence[str], day: date) -> None:
    """Add series to those that are followed; raise UsageError for one that is not supported."""
    alive = supported(distribution, day)
    wrong = [name for name in names if name not in alive]
    if wrong:
        raise UsageError(
            f"{', '.join(wrong)} is not among {distribution}'s supported series: "
            + ", ".join(alive),
            resolution="Name one of these; for a brand new one: apt install distro-info-data.",
        )
    mine = followed(state, distribution, day)
    chosen = [name for name in alive if name in mine or name in names]
    _write(state, {**_read(state), distribution: chosen})


def _read(state: Path) -> dict[str, list[str]]:
    path = state / "series.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(key): [str(name) for name in names] for key, names in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise SetupError(
            f"{path} cannot be read: {error}",
            resolution="Remove it: what is supported then counts as wanted; see toolsync series.",
        ) from error


def _write(state: Path, known: dict[str, list[str]]) -> None:
    replace_file(state / "series.json", json.dumps(known, indent=1).encode())
