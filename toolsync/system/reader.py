"""Whether the pages' user may read a file, by its mode and those of the folders above it.

What access control lists (acl(5)) give beside that is not looked at.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from toolsync.system.private import for_readers

NOBODY = -1
"""The number of a user that this machine does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A user, by number, with all groups."""

    uid: int
    gids: Collection[int]

    def reads(self, path: Path) -> bool:
        """Say whether this user can open a file; raises OSError where we cannot look ourselves."""
        real = path.resolve()
        above = all(self._may(folder, stat.S_IXOTH) for folder in real.parents)
        return above and self._may(real, stat.S_IROTH)

    def _may(self, path: Path, bit: int) -> bool:
        found = path.stat()
        if self.uid == 0:
            return True
        owner, group = found.st_uid == self.uid, found.st_gid in self.gids
        return bool(found.st_mode & (bit << 6 if owner else bit << 3 if group else bit))


def pages_reader(state: Path, name: str) -> Reader | None:
    """Return the pages' user of a state, ``name``; None where no other user reads the state.

    The state's group is one of its groups: toolsync-web.service gives it that
    (``SupplementaryGroups=``), whatever /etc/group says.
    """
    if not for_readers(state):
        return None
    group = state.stat().st_gid
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return Reader(uid=NOBODY, gids=frozenset({group}))
    gids = os.getgrouplist(name, user.pw_gid)
    return Reader(uid=user.pw_uid, gids=frozenset({group, *gids}))
