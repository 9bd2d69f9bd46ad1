"""A world of apt's own in one folder: neither the machine's sources nor its keys have a say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

DISTRUST = re.compile(r"NO_PUBKEY|not signed|signatures? (?:couldn't|were invalid)|GPG error")
"""What apt says of an index that is not signed by its keys; its status is 100 for everything."""

ABSENT = re.compile(r"(?m)^E: [\w ]+ (\w+:\S+)\s+(?:404 |File not found)")
"""What apt says of a file that its mirror does not have: for our sentence, and no decision."""


def private_apt(folder: Path, stanzas: str, architecture: str = "") -> Mapping[str, str]:
    """Lay apt out in ``folder`` and return the environment that points to it.

    ``stanzas`` are its only sources, of the form of sources.list(5), each with its keys. With
    ``architecture`` it is the apt of such a machine, and not of this one.
    """
    for name in ("lists/partial", "cache/archives/partial", "etc/sources.list.d", "etc/empty"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    (folder / "etc/sources.list.d/toolsync.sources").write_text(stanzas, encoding="utf-8")
    settings = {
        "Dir::State": folder,
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc": folder / "etc",
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": folder / "etc/sources.list.d",
        "Dir::Etc::parts": folder / "etc/empty",
        "Dir::Etc::main": "/dev/null",
        "Dir::Etc::preferencesparts": folder / "etc/empty",
        "Dir::Etc::trusted": "/dev/null",
        "Dir::Etc::trustedparts": folder / "etc/empty",
        "Dir::Log": folder,
        "Acquire::Languages": "none",
        "Acquire::Retries": 2,
        # apt's own user could read neither a private archive nor this folder.
        "APT::Sandbox::User": "root",
    }
    if architecture:
        settings |= {"APT::Architecture": architecture, "APT::Architectures": architecture}
    lines = [f'{name} "{value}";' for name, value in settings.items()]
    (folder / "apt.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"APT_CONFIG": str(folder / "apt.conf"), "HOME": str(folder), "TMPDIR": str(folder)}
