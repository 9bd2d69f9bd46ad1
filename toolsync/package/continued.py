"""Go on with packaging that another maintainer wrote: its changelog, its Maintainer, its version.

Packaging is another's where it has a debian/changelog: for its own tools toolsync writes one anew.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from toolsync.config.later import without_suffix
from toolsync.config.series import full_version, is_backport, series_tag
from toolsync.model.errors import PackageFailed
from toolsync.model.versions import sort_key

_HEAD = re.compile(r"^[a-z0-9][a-z0-9+.-]+ \(([^()\s]+)\)", re.MULTILINE)
_TRAILER = re.compile(r"^ -- .*?>  (.+)$", re.MULTILINE)
_UBUNTUS = re.compile(r"(?<=\d)(?:ubuntu|build)\d[^-]*$")
"""What Ubuntu puts behind the version that it has from Debian."""
_FIELD = r"(?m)^{}:[ \t]*(.*(?:\n[ \t].*)*)\n"
_ARMOR = b"-----BEGIN PGP SIGNATURE-----"
_SIGNATURE_PACKETS = (0x88, 0x89, 0x8A, 0xC2)
"""First bytes of a bare OpenPGP signature: a packet of type 2, in old and new form (RFC 4880)."""


def former_changelog(debian: Path) -> str:
    """Return the debian/changelog that the packaging came with; empty where it is our own."""
    path = debian / "changelog"
    return path.read_text(encoding="utf-8", errors="surrogateescape") if path.is_file() else ""


def former_date(log: str) -> datetime:
    """Return when the newest entry of a changelog was written; 1970 where it does not tell."""
    found = _TRAILER.search(log)
    try:
        when = parsedate_to_datetime(found[1]) if found else None
    except ValueError:
        when = None
    return when.astimezone(UTC) if when else datetime.fromtimestamp(0, UTC)


def version_over(
    log: str, upstream: str, series: str, revision: int, epoch: int, *, origin: str = ""
) -> str:
    """Return the Debian version of a release whose packaging had the versions of ``log`` before.

    It is above the newest of these. Where that is of the same upstream version, ours is just above
    it and below the distribution's next: ``2.9-1+~ppa1~deb12.1`` stands before ``2.9-1+deb12u1``.
    Packaging from ``origin``, a later series or another distribution's, is a backport: ours is
    below that series' own, which is to take over when a machine comes there:
    ``2.9-1~ppa1~deb12.1``. Ubuntu's own marks are left out of Debian's: that has ``2.9-1`` next.
    Raises PackageFailed where the packaging is of a newer upstream version.
    """
    ours = full_version(upstream, series, revision, epoch)
    found = _HEAD.search(log)
    if not found or sort_key(found[1]) < sort_key(ours):
        return ours
    mark = "~" if is_backport(origin, series) else "+~"
    there = found[1].rpartition(":")[2].rpartition("-")[0]
    if there == upstream:
        distribution, _ = series_tag(series)
        with_marks = mark == "+~" or distribution != "debian"
        base = found[1] if with_marks else _UBUNTUS.sub("", found[1])
        return f"{base}{mark}ppa{revision}~{series_tag(series)[1]}.1"
    if mark == "~" and without_suffix(there) == without_suffix(upstream):
        return ours  # its orig tarball was repacked, and ours is not, or under another name
    raise PackageFailed(
        f"the packaging is of {found[1]}, which is newer than this release, {upstream}",
        resolution="Take packaging of an older version, or let the watch file see the newer release"
        " (epoch and uversionmangle must give versions that go on from debian/changelog's).",
    )


def take_over(debian: Path, maintainer: str) -> None:
    """Put ``maintainer`` in place of the packaging's own, which is kept beside it.

    That is what update-maintainer(1) of Ubuntu does, to debian/control and what that is made of.
    """
    for name in ("control", "control.in"):
        path = debian / name
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            path.write_text(taken_over(text, maintainer), "utf-8", "surrogateescape")


def taken_over(control: str, maintainer: str) -> str:
    """Return a debian/control whose first paragraph names ``maintainer``, once."""
    head, blank, rest = control.partition("\n\n")
    head += "\n"
    found = re.search(_FIELD.format("Maintainer"), head, re.IGNORECASE)
    if not found or found[1].strip() == maintainer:
        return control
    fields = f"Maintainer: {maintainer}\n"
    if not re.search(_FIELD.format("XSBC-Original-Maintainer"), head, re.IGNORECASE):
        fields += f"XSBC-Original-Maintainer: {found[1].strip()}\n"
    head = head[: found.start()] + fields + head[found.end() :]
    return head[:-1] + blank + rest


def armored(signature: bytes) -> bytes | None:
    """Return a detached OpenPGP signature as text, as dpkg-source(1) wants it; None for others."""
    if signature.lstrip().startswith(_ARMOR):
        return signature
    if signature[:1] and signature[0] in _SIGNATURE_PACKETS:
        text = base64.encodebytes(signature)  # lines of 76, RFC 4880 section 6.3
        check = base64.b64encode(_crc24(signature).to_bytes(3, "big"))
        return _ARMOR + b"\n\n" + text + b"=" + check + b"\n-----END PGP SIGNATURE-----\n"
    return None


def _crc24(data: bytes) -> int:
    """Return the checksum of an armor (RFC 4880 section 6.1)."""
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc
