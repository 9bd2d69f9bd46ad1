"""Host names and a certificate authority for one measurement: nothing outlives it.

The names stand in a hosts file of their own, which one program sees instead of /etc/hosts (in
mount and user namespaces of its own), so that no program needs an option that others lack.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

DOMAIN = "vendors.test"
"""Of all names; ``test`` belongs to nobody (RFC 6761)."""

_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


class Names:
    """N host names on loopback, and certificates that prove them."""

    def __init__(self, folder: Path, hosts: Sequence[str]) -> None:
        """Write hosts file, certificate and CA bundle into ``folder``.

        The bundle holds what the machine trusts and the new authority, so reading it costs as
        much as it costs anywhere.
        """
        folder.mkdir()
        self._hosts = folder / "hosts"
        lines = ["127.0.0.1 localhost", *(f"127.0.0.1 {host}" for host in hosts)]
        self._hosts.write_text("\n".join(lines) + "\n")
        # Some resolvers ask a name server for a name's other addresses, and wait for an answer.
        self._order = folder / "nsswitch.conf"
        self._order.write_text("hosts: files\n")
        self.certificate = _certified(folder)
        self.bundle = folder / "bundle.pem"
        trusted = _BUNDLE.read_bytes() if _BUNDLE.exists() else b""
        self.authority = folder / "ca.pem"
        self.bundle.write_bytes(self.authority.read_bytes() + trusted)

    def seen_by(self, argv: list[str]) -> list[str]:
        """Return the command line under which a program finds the hosts by their names."""
        user = [] if os.geteuid() == 0 else ["--map-root-user"]
        mount = f'mount --bind "{self._hosts}" /etc/hosts && '
        mount += f'mount --bind "{self._order}" /etc/nsswitch.conf && exec "$@"'
        return ["unshare", *user, "--mount", "sh", "-c", mount, "sh", *argv]

    @property
    def environment(self) -> dict[str, str]:
        """What names the bundle to OpenSSL, and to what is built on it."""
        return {"SSL_CERT_FILE": str(self.bundle)}


def _certified(folder: Path) -> Path:
    """Make an authority, and one certificate for all names with its key behind it."""
    new = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    new += ["-noenc", "-batch"]
    ca = ["-x509", "-days", "2", "-subj", "/CN=A measurement", "-out", "ca.pem"]
    _run([*new, *ca, "-keyout", "ca.key"], folder)
    request = ["-subj", f"/CN={DOMAIN}", "-addext", f"subjectAltName=DNS:*.{DOMAIN}"]
    _run([*new, *request, "-keyout", "vendor.key", "-out", "vendor.csr"], folder)
    sign = ["openssl", "x509", "-req", "-in", "vendor.csr", "-copy_extensions", "copyall"]
    sign += ["-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2", "-out", "vendor.crt"]
    _run(sign, folder)
    chain = folder / "vendor.pem"
    chain.write_bytes((folder / "vendor.crt").read_bytes() + (folder / "vendor.key").read_bytes())
    return chain


def _run(argv: list[str], folder: Path) -> None:
    subprocess.run(argv, cwd=folder, check=True, capture_output=True)
