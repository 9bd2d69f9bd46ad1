"""Drop root's rights, so that the state of the service's user stays that user's."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from toolsync.model.errors import SetupError
from toolsync.system.account import keep_person


def become_owner(folder: Path) -> bool:
    """Give up being root for ever, for the owner of ``folder``; say whether that was done.

    Files that root made there would lock the owner out of its own state. Nothing is done when
    we are not root, when root owns the folder, or when it is not there. Raises SetupError when
    the owner is no user of this machine.
    """
    if os.geteuid() != 0 or not folder.exists() or folder.stat().st_uid == 0:
        return False
    uid = folder.stat().st_uid
    try:
        owner = pwd.getpwuid(uid)
    except KeyError:
        raise SetupError(
            f"{folder} belongs to user {uid}, whom this machine does not know",
            resolution=f"Give it to the user who is to run toolsync: chown -R USER {folder}",
        ) from None
    keep_person()
    os.initgroups(owner.pw_name, owner.pw_gid)
    os.setgid(owner.pw_gid)
    os.setuid(uid)
    os.environ |= {"HOME": owner.pw_dir, "USER": owner.pw_name, "LOGNAME": owner.pw_name}
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "GNUPGHOME"):
        os.environ.pop(name, None)
    if not os.access(".", os.X_OK):  # root's home, most of the time
        os.chdir(folder)
    return True
