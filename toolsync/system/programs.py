"""The programs of others that toolsync runs, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping

PACKAGES: Mapping[str, str] = {
    "apt-cache": "apt",
    "apt-get": "apt",
    "autopkgtest": "autopkgtest",
    "bwrap": "bubblewrap",
    "dpkg-buildpackage": "dpkg-dev",
    "dh": "debhelper",
    "dput": "dput",
    "dpkg": "dpkg",
    "dpkg-deb": "dpkg",
    "dpkg-genchanges": "dpkg-dev",
    "dpkg-source": "dpkg-dev",
    "git": "git",
    "gpg": "gpg",
    "gpg-agent": "gpg-agent",
    "gpgconf": "gpgconf",
    "gpgv": "gpgv",
    "licensecheck": "licensecheck",
    "lintian": "lintian",
    "minisign": "minisign",
    "mmdebstrap": "mmdebstrap",
    "newgidmap": "uidmap",
    "newuidmap": "uidmap",
    "prlimit": "util-linux",
    "reprepro": "reprepro",
    "sendmail": "default-mta",
    "sbuild": "sbuild",
    "sftp": "openssh-client",
    "signify-openbsd": "signify-openbsd",
    "setpriv": "util-linux",
    "ssh-keygen": "openssh-client",
    "tar": "tar",
    "unshare": "util-linux",
    "xz": "xz-utils",
    "zstd": "zstd",
}
"""Which Debian package carries each program that toolsync runs."""
