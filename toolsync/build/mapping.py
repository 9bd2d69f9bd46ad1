"""Whether this machine lets its user be many: what clean chroots need."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from toolsync.model.errors import SetupError
from toolsync.system.run import run


def require_mapping() -> None:
    """Raise SetupError unless this user has 65536 user and group ids to map (subuid(5))."""
    uid = os.geteuid()
    name = pwd.getpwuid(uid).pw_name
    missing = [
        path for path in ("/etc/subuid", "/etc/subgid") if not _has_range(Path(path), name, uid)
    ]
    if missing:
        raise SetupError(
            f"{' and '.join(missing)} give {name} no ids to build with, wanted 65536 of them",
            resolution="Give them with: "
            + "; ".join(f"echo {name}:100000:65536 >> {path}" for path in missing),
        )


def can_map() -> bool:
    """Try whether this machine lets us make the namespaces that a chroot needs."""
    words = ("--map-root-user", "--map-auto", "--pid", "--fork", "--mount-proc", "true")
    return run("unshare", *words, timeout=60, ok=range(256)).code == 0


def _has_range(path: Path, name: str, uid: int) -> bool:
    if not path.exists():
        return False
    entries = (line.split(":") for line in path.read_text(encoding="utf-8").splitlines())
    return any(
        len(entry) == 3 and entry[0] in (name, str(uid)) and int(entry[2] or 0) >= 65536
        for entry in entries
    )
