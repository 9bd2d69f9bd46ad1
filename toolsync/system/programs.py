"""The programs of others that toolsync runs, and where they come from."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

PACKAGES: Mapping[str, str] = {
    "apt-cache": "apt",
    "apt-get": "apt",
    "arch-test": "arch-test",
    "autopkgtest": "autopkgtest",
    "bwrap": "bubblewrap",
    "diffoscope": "diffoscope-minimal",
    "dpkg-buildpackage": "dpkg-dev",
    "dh": "debhelper",
    "dput": "dput",
    "dpkg": "dpkg",
    "dpkg-architecture": "dpkg-dev",
    "dpkg-deb": "dpkg",
    "dpkg-genchanges": "dpkg-dev",
    "dpkg-source": "dpkg-dev",
    "faketime": "faketime",
    "gbp": "git-buildpackage",
    "git": "git",
    "gpg": "gpg",
    "gpg-agent": "gpg-agent",
    "gpgconf": "gpgconf",
    "gpgv": "gpgv",
    "ip": "iproute2",
    "licensecheck": "licensecheck",
    "lintian": "lintian",
    "minisign": "minisign",
    "mmdebstrap": "mmdebstrap",
    "newgidmap": "uidmap",
    "newuidmap": "uidmap",
    "pristine-tar": "pristine-tar",
    "prlimit": "util-linux",
    "reprepro": "reprepro",
    "sendmail": "default-mta",
    "sbuild": "sbuild",
    "sftp": "openssh-client",
    "signify-openbsd": "signify-openbsd",
    "setpriv": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "tar": "tar",
    "unshare": "util-linux",
    "xz": "xz-utils",
    "zstd": "zstd",
}
"""Which Debian package carries each program that toolsync runs."""

OF_PYTHON: Mapping[str, str] = {
    "sigstore": "pipx install sigstore (for the service: PIPX_HOME=/opt/pipx"
    " PIPX_BIN_DIR=/usr/local/bin pipx install sigstore), or pip install 'toolsync[sigstore]' where"
    " toolsync runs in an environment of its own",
}
"""How to get those that are no Debian package everywhere."""


def find(program: str) -> str | None:
    """Return where a program is: in PATH, or where it is Python's beside our interpreter."""
    beside = str(Path(sys.executable).parent) if program in OF_PYTHON else None
    return shutil.which(program) or (shutil.which(program, path=beside) if beside else None)


def how_to_get(program: str) -> str:
    """Return the command that installs a program."""
    return OF_PYTHON.get(program) or f"apt install {PACKAGES.get(program, program)}"
