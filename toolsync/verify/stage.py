"""Prove where a release's bytes come from, by the method that its tool declares.

Without a method the release is held. Whatever the method, the bytes in the store are digested
again (a bare file is never trusted), and a digest that the release page states must be theirs.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from toolsync.config.definition import Tool
from toolsync.config.record import listing
from toolsync.config.settings import Limits
from toolsync.model.errors import SetupError, Unproved, Unverified
from toolsync.model.release import Fetched, Verified
from toolsync.system.store import Store, digest_of
from toolsync.verify import pins
from toolsync.verify.method import Given, Method
from toolsync.verify.methods import METHODS, method_of
from toolsync.verify.watch import WATCH


def verify(
    item: Fetched,
    *,
    tool: Tool,
    store: Store,
    now: datetime,
    limits: Limits,
    unproved: bool = False,
) -> Verified:
    """Return ``item`` as verified by the tool's method.

    ``now`` (aware) is the moment at which keys must be valid. With ``unproved`` a release passes
    of which nothing can be checked, with the verdict ``unchecked``: for a person's own use.
    Raises Unverified when the proof is bad or missing or no method is declared, SetupError when
    a pinned key is not in keys/.
    """
    method = method_of(tool.verify)
    if method is None:
        raise _undeclared(item, tool)
    _check_keys(tool, method)
    _check_bytes(item, store)
    if item.release.sha256 and item.release.sha256.lower() != item.archive.sha256:
        raise pins.not_as_stated(item)
    if item.release.sha512:
        pins.check_sha512(item, store)
    found = method.verify(Given(item=item, tool=tool, store=store, now=now, limits=limits))
    if not unproved and method.name == WATCH.name and not _is_proved(found, tool):
        raise _unchecked(found, tool)
    return replace(found, method=method.name)


def _check_keys(tool: Tool, method: Method) -> None:
    """Raise SetupError where something is pinned that the method would not look at."""
    if tool.verify.keys and "keys" not in method.signers:
        raise SetupError(
            f"{tool.name} pins keys, but its method {method.name} looks at no signature",
            resolution='Set method = "openpgp" (or "checksums") in [verify], or remove the keys.',
        )
    for key in tool.verify.own:
        if key not in method.settings:
            readers = [one.name for one in METHODS.values() if key in one.settings]
            raise SetupError(
                f"{tool.name} sets verify.{key}, at which its method {method.name} does not look",
                resolution=f"Set method = {listing(readers) or 'another'} in [verify], or remove"
                f" `{key}` there.",
            )


def _is_proved(found: Verified, tool: Tool) -> bool:
    """Say whether a key, or a pin, stands behind all of a watch file's tarballs.

    A list of checksums that nobody has signed lies beside the file, and says no more than that.
    """
    pin = tool.verify.pins.get(found.release.version) == found.fetched.archive.sha256
    proofs = (found.fingerprint or pin, *(proof.fingerprint for proof in found.components))
    return found.verdict == "good" and all(proofs)


def _check_bytes(item: Fetched, store: Store) -> None:
    """Raise Unverified unless every file in the store is still what its name says."""
    blobs = (blob for part in item.parts for blob in (part.archive, *part.extras))
    for blob in blobs:
        path = store.path(blob)
        found = digest_of(path)[0] if path.is_file() else "none"
        if found != blob.sha256:
            raise Unverified(
                f"the stored copy of {blob.name} was changed or lost: its sha256 is {found},"
                f" wanted {blob.sha256}",
                resolution=f"Remove {path} if it is there, and run again to fetch it anew.",
            )


def _unchecked(found: Verified, tool: Tool) -> Unproved:
    return Unproved(
        f"nothing proves where {tool.name} {found.release.version} comes from: {found.statement}",
        resolution="Put upstream's signing key, once its fingerprint was compared with a second"
        f" source, into {tool.debian / 'upstream' / 'signing-key.asc'}, and let debian/watch say"
        " where the signature lies (pgpsigurlmangle).",
    )


def _undeclared(item: Fetched, tool: Tool) -> Unproved:
    line = pins.pin_line(item.release.version, item.archive.sha256)
    names = ", ".join(name for name in METHODS if name != WATCH.name)
    return Unproved(
        f"{tool.name} declares no method of verification, so nothing proves where"
        f" {item.archive.name} comes from; wanted: one of {names}",
        resolution=f"Declare one in {tool.editable}. Best is upstream's signature:\n"
        '[verify]\nmethod = "openpgp"\nsignature = "{url}.asc"\n'
        'keys = ["FULL FINGERPRINT"]\n'
        "with the key in keys/NAME.asc; or, once somebody has checked this file:\n"
        f'[verify]\nmethod = "pins"\n[verify.pins]\n{line}',
    )
