"""One license text of a tree: whether the file is one, and what it says."""

from __future__ import annotations

from dataclasses import replace

from toolsync.license import hints, known, names, normalise
from toolsync.license.found import MAX_TEXT_BYTES, Found
from toolsync.license.identify import identify
from toolsync.license.machinereadable import Stated, is_machine_readable
from toolsync.license.machinereadable import stated as machine_readable
from toolsync.license.terms import KEPT_WORDS, LicenseText


def take_text(
    found: Found, named: tuple[str, str, str], kind: str, data: bytes, size: int, *, certain: bool
) -> None:
    """Add a license text, if the content is one where the name is not certain."""
    canonical, path, digest = named
    found.text_count += 1
    found.text_bytes += len(data)
    if found.text_bytes > MAX_TEXT_BYTES:
        found.trouble(
            path,
            f"is past {MAX_TEXT_BYTES} bytes of license files; not looked at (SHA-256 {digest})",
        )
        return
    text = normalise.read(data)
    if not certain and not text.problem and not normalise.is_legible(text.words):
        text = replace(text, problem=normalise.NOT_LEGIBLE)
    unread = text.problem and text.problem != normalise.NO_WORDS
    if not certain and not (unread or hints.states_terms(text.words)):
        return
    if unread:
        # An approval is for these bytes: what could not be read may differ from release to release.
        found.trouble(path, f"{text.problem} (SHA-256 {digest})")
    elif text.problem and kind != names.NOTICE:
        found.trouble(path, text.problem)
    raw = normalise.decode(data[: normalise.TEXT_BYTES]) or ""
    whole = known.identify(text.words, known.first_words(raw))
    stated = Stated(expression=whole.id) if whole.id else _stated(raw, text.words, found)
    parts = normalise.sections(raw) if not text.problem else ()
    found.texts[kind].append(
        LicenseText(
            path=canonical,
            file=path,
            fingerprint=normalise.fingerprint(whole.words),
            id=stated.expression,
            said=stated.said,
            parts=tuple(known.part(part) for part in parts) if len(parts) > 1 else (),
            words=whole.words[:KEPT_WORDS],
            size=size,
        )
    )


def _stated(raw: str, words: str, found: Found) -> Stated:
    """Return what a text that is not known by its fingerprint is; the same words are read once."""
    if words not in found.stated:
        readable = is_machine_readable(raw)
        found.stated[words] = (
            machine_readable(raw, work=found.own)
            if readable
            else Stated(expression=identify(raw, work=found.own))
        )
    return found.stated[words]
