"""Prove where a release's bytes come from, by the method that its tool declares.

No method declared is a hold, never a shrug. Whatever the method, the bytes in the store are
digested again (a bare file is never trusted), and a digest that the release page states must
be theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from toolsync.config.definition import Tool
from toolsync.model.errors import SetupError, Unverified
from toolsync.model.release import Fetched, Verified
from toolsync.system.store import Store, digest_of
from toolsync.verify import checksum, openpgp, pins, tag

Method = Callable[[Fetched, Tool, Store, datetime], Verified]

METHODS: Mapping[str, Method] = {
    "openpgp": openpgp.verify,
    "checksums": checksum.verify,
    "pins": pins.verify_pinned,
    "index": pins.verify_index,
    "tag": tag.verify,
}

_SIGNED = ("openpgp", "checksums", "tag")
"""Methods that look at keys."""


def verify(item: Fetched, *, tool: Tool, store: Store, now: datetime) -> Verified:
    """Return ``item`` as verified by the tool's method.

    ``now`` (aware) is the moment at which keys must be valid. Raises Unverified when the proof
    is bad or missing or no method is declared, SetupError when a pinned key is not in keys/.
    """
    method = METHODS.get(tool.verify.method)
    if method is None:
        raise _undeclared(item, tool)
    if tool.verify.keys and tool.verify.method not in _SIGNED:
        raise SetupError(
            f"{tool.name} pins keys, but its method {tool.verify.method} looks at no signature",
            resolution='Set method = "openpgp" (or "checksums") in [verify], or remove the keys.',
        )
    _check_bytes(item, store)
    if item.release.sha256 and item.release.sha256.lower() != item.archive.sha256:
        raise pins.not_as_stated(item)
    return method(item, tool, store, now)


def _check_bytes(item: Fetched, store: Store) -> None:
    """Raise Unverified unless every file in the store is still what its name says."""
    for blob in (item.archive, *item.extras):
        path = store.path(blob)
        found = digest_of(path)[0] if path.is_file() else "none"
        if found != blob.sha256:
            raise Unverified(
                f"the stored copy of {blob.name} was changed or lost: its sha256 is {found},"
                f" wanted {blob.sha256}",
                resolution=f"Remove {path} if it is there, and run again to fetch it anew.",
            )


def _undeclared(item: Fetched, tool: Tool) -> Unverified:
    line = pins.pin_line(item.release.version, item.archive.sha256)
    return Unverified(
        f"{tool.name} declares no method of verification, so nothing proves where"
        f" {item.archive.name} comes from; wanted: one of {', '.join(METHODS)}",
        resolution=f"Declare one in {tool.folder / 'tool.toml'}. Best is upstream's signature:\n"
        '[verify]\nmethod = "openpgp"\nsignature = "{url}.asc"\n'
        'keys = ["FULL FINGERPRINT"]\n'
        "with the key in keys/NAME.asc; or, once somebody has checked this file:\n"
        f'[verify]\nmethod = "pins"\n[verify.pins]\n{line}',
    )
