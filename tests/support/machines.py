"""A machine of another architecture, as far as packages without compiled code can tell.

Its dpkg and its compiler, which dpkg-architecture(1) asks, call themselves of that architecture.
"""

from __future__ import annotations

from pathlib import Path

_PROGRAMS = {
    "dpkg": '[ "$*" = --print-architecture ] && echo {dpkg} && exit\nexec /usr/bin/dpkg "$@"\n',
    "gcc": "echo {gnu}\n",
    # What is installed here is of this machine's own.
    "dpkg-checkbuilddeps": "exit 0\n",
}


def as_machine(folder: Path, dpkg: str, gnu: str) -> str:
    """Return the PATH of such a machine; its programs are put into a new folder.

    The architecture is named as dpkg does (``arm64``), and by its GNU triplet.
    """
    folder.mkdir()
    for name, text in _PROGRAMS.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{text.format(dpkg=dpkg, gnu=gnu)}")
        path.chmod(0o755)
    return f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin"
