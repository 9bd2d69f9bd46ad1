"""The package toolsync-archive-keyring: it brings an archive's keys to instances by upgrades.

An instance begins with a stanza that holds the key itself (`archive sources`), which no upgrade
can change. The package keeps the keys in a file, and lets the stanza name that instead; when it
is removed, the stanza gets the keys back.
"""

from __future__ import annotations

from pathlib import Path

from toolsync.publish import index
from toolsync.system.clock import parsed
from toolsync.system.gpg import SigningHome
from toolsync.system.promise import Promise
from toolsync.system.run import run

NAME = "toolsync-archive-keyring"
KEYRING = f"/usr/share/keyrings/{NAME}.asc"
"""Where an instance has the keys; apt reads an armored file by the ending of its name."""
STANZA = "/etc/apt/sources.list.d/toolsync.sources"

_CONTROL = """\
Package: {name}
Version: {version}
Architecture: all
Maintainer: {maintainer}
Section: misc
Priority: optional
Description: keys of this archive
 The keys by which this archive is signed, now and next. While it is installed,
 {stanza} names its file.
"""

_POSTINST = f"""\
#!/bin/sh
# Let a stanza that holds a key name the file instead, which upgrades keep up to date.
set -e
stanza={STANZA}
[ "$1" = configure ] && [ -f "$stanza" ] || exit 0
grep -q '^ -----BEGIN PGP PUBLIC KEY BLOCK-----' "$stanza" || exit 0
if [ "$(grep -c '^URIs:' "$stanza")" != 1 ]; then
    echo "{NAME}: $stanza holds several stanzas; write Signed-By: {KEYRING} where it belongs" >&2
    exit 0
fi
sed -e '/^ /d' -e '/^$/d' -e 's|^Signed-By:.*|Signed-By: {KEYRING}|' "$stanza" > "$stanza.new"
chmod 644 "$stanza.new"
mv "$stanza.new" "$stanza"
"""

_PRERM = f"""\
#!/bin/sh
# The file goes: the stanza gets its keys.
set -e
stanza={STANZA}
[ "$1" = remove ] && [ -f "$stanza" ] && [ -f {KEYRING} ] || exit 0
grep -q '^Signed-By: {KEYRING}$' "$stanza" || exit 0
{{
    sed -e '/^$/d' -e '/^Signed-By:/d' "$stanza"
    echo Signed-By:
    sed -e 's/^$/./' -e 's/^/ /' {KEYRING}
}} > "$stanza.new"
chmod 644 "$stanza.new"
mv "$stanza.new" "$stanza"
"""


def serves(root: Path, series: str, promise: Promise) -> bool:
    """Say whether a series serves the package that is promised, if any is."""
    if not promise.package:
        return True
    return _file_name(promise) in index.served(root, series)


def build(home: SigningHome, promise: Promise, maintainer: str, folder: Path) -> Path:
    """Return the package of what is promised: the same bytes for the same promise and keys."""
    tree = folder / "tree"
    control = _CONTROL.format(
        name=NAME,
        version=promise.package,
        maintainer=maintainer,
        stanza=STANZA,
    )
    files = {
        "DEBIAN/control": (control, 0o644),
        "DEBIAN/postinst": (_POSTINST, 0o755),
        "DEBIAN/prerm": (_PRERM, 0o755),
        KEYRING[1:]: (home.public_key(*promise.signing), 0o644),
    }
    for file, (text, mode) in files.items():
        place = tree / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        place.chmod(mode)
    for path in (tree, *(found for found in tree.rglob("*") if found.is_dir())):
        path.chmod(0o755)
    deb = folder / _file_name(promise)
    made = int(parsed(promise.keys[-1].since).timestamp())
    run(
        *("dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, deb),
        env={"SOURCE_DATE_EPOCH": str(made)},
        timeout=120,
    )
    return deb


def _file_name(promise: Promise) -> str:
    return f"{NAME}_{promise.package}_all.deb"
