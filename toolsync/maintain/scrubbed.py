"""What the last scrub came to, as a file beside the store.

It lies there and not in the journal, so that `doctor` reads it without opening that, and since a
journal that is restored from another day says nothing of what this disk has lost since.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from toolsync.model.values import dump, load
from toolsync.system.store import replace_file

_NAME = "scrub.json"
_FORM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A file of store or archive that is not as it must be, or was not."""

    place: str
    """``store`` or ``archive``."""
    path: str
    sha256: str
    """What it must have; empty where that is not known."""
    message: str
    """What was found."""
    users: tuple[str, ...]
    """``TOOL VERSION: STAGE`` each, of what uses it."""
    mended: str = ""
    """Where its bytes came from; empty while they are lost."""
    resolution: str = ""

    @property
    def text(self) -> str:
        """All of it in a sentence."""
        users = f", used by {', '.join(self.users)}" if self.users else ""
        done = f"; mended: {self.mended}" if self.mended else ""
        return f"{self.path} {self.message}{users}{done}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed:
    """How far scrubs have come."""

    form: int = _FORM
    cursor: str = ""
    """What was looked at last in the round that is under way; empty between rounds."""
    finished: str = ""
    """When a round last came to its end; empty before the first."""
    files: int = 0
    """How many files that round, or the one under way, has digested."""
    size: int = 0
    """Bytes of them."""
    lost: tuple[Damage, ...] = ()
    """What is damaged and could not be mended yet."""

    @property
    def told(self) -> str:
        """When all was last looked at, in a phrase."""
        return f"last scrubbed on {self.finished}" if self.finished else "never scrubbed to its end"


def read_scrubbed(state: Path) -> Scrubbed:
    """Return how far scrubs have come; as before the first where that cannot be read."""
    try:
        found = load(Scrubbed, json.loads((state / "store" / _NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return Scrubbed()
    return found if found.form == _FORM else Scrubbed()


def write_scrubbed(state: Path, found: Scrubbed) -> None:
    """Write it down."""
    replace_file(state / "store" / _NAME, (json.dumps(dump(found), indent=1) + "\n").encode())
