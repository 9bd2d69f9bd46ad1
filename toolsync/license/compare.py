"""Compare the terms of two releases on three levels.

1. The main texts: changed or removed blocks, added wants a review.
2. Files: a content that nobody has seen, under terms that its neighbors do not have.
3. Third-party components: license texts further down, vendored folders, jars, new packages.

Years, holders, layout, encodings, names of files and titles that name the very text below
them are no change: `normalise` has folded them away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from toolsync.license import names, spdx
from toolsync.license.bundled import bundled_changes
from toolsync.license.change import BLOCK, REVIEW, SILENT, Change, listed
from toolsync.license.terms import LicenseText, Terms


def compare(old: Terms, new: Terms) -> tuple[Change, ...]:
    """Return what of ``new`` is not as in ``old``, the gravest first."""
    found = [
        *problems(new),
        *_mains(old, new),
        *_notices(old, new),
        *_nested(old, new),
        *bundled_changes(old, new),
        *_metadata(old, new),
        *_gutted(old, new),
    ]
    return tuple(sorted(found, key=lambda change: -(SILENT, REVIEW, BLOCK).index(change.verdict)))


def problems(new: Terms) -> Iterator[Change]:
    """What could not be read is never taken for unchanged."""
    for problem in new.problems:
        yield Change(
            code="unreadable",
            verdict=REVIEW,
            message=f"{problem.path or 'the tree'} {problem.reason}",
            about=(problem.path, problem.reason),
            unknown=True,
            paths=(problem.path,),
        )
    if not new.mains:
        yield Change(
            code="no-license-file",
            verdict=REVIEW,
            message="no license file at the top: under which terms it may be copied is not known",
            about=("none",),
            unknown=True,
        )


def _mains(old: Terms, new: Terms) -> Iterator[Change]:
    """Yield how the main license texts changed: rewritten, gone, or added."""
    before, after = _by_print(old.mains), _by_print(new.mains)
    everywhere = _by_print(new.texts)
    gone = [text for digest, text in before.items() if digest not in everywhere]
    known_before = _by_print(old.texts)
    come = [text for digest, text in after.items() if digest not in known_before]
    for text in gone:
        other = _successor(text, come)
        if other is not None:
            come.remove(other)
            yield _rewritten(text, other)
        elif _is_gutted(old, new):
            yield Change(
                code="main-gone",
                verdict=REVIEW,
                message=f"{text.path} is gone, with nearly everything else",
                about=(text.fingerprint,),
            )
        else:
            yield Change(
                code="main-removed",
                verdict=BLOCK,
                message=f"the license text {text.path}{_named(text)} is gone",
                about=(text.fingerprint,),
                paths=(text.path,),
            )
    for text in come:
        yield Change(
            code="main-added",
            verdict=REVIEW if before else BLOCK,
            message=f"{text.path}{_named(text)} states terms that were not there before",
            about=(text.fingerprint,),
            paths=(text.path,),
        )
    if not before and not come and new.mains:
        yield Change(code="main-found", verdict=SILENT, message="a license text is there now")


def _successor(text: LicenseText, come: Sequence[LicenseText]) -> LicenseText | None:
    """Return which new text stands in the place of an old one: same path, else alike, else any."""
    stem = text.path.rpartition("/")[2].partition(".")[0].lower()
    return next(
        (
            other
            for test in (
                lambda other: other.path == text.path,
                lambda other: other.path.rpartition("/")[2].partition(".")[0].lower() == stem,
                lambda other: True,
            )
            for other in come
            if test(other)
        ),
        None,
    )


def _rewritten(text: LicenseText, other: LicenseText) -> Change:
    """Return the change of one text into another."""
    about = (other.fingerprint,)
    where = text.path if text.path == other.path else f"{text.path} (now {other.path})"
    if text.id and text.id == other.id and len(other.words) * 4 >= len(text.words):
        message = f"{where} has {text.id} in another wording that is known"
        return Change(code="other-wording", verdict=SILENT, message=message, about=about)
    if len(text.parts) > 1 and len(other.parts) > 1 and text.parts[0] == other.parts[0]:
        fresh = len(set(other.parts) - set(text.parts))
        lost = len(set(text.parts) - set(other.parts))
        return Change(
            code="bundled-in-main-file",
            verdict=REVIEW,
            message=f"{where}: its own terms are as before, but of the parts below them "
            f"{fresh} are new and {lost} gone",
            about=about,
            paths=(other.path,),
        )
    pointer = ""
    if len(other.words) * 4 < len(text.words):
        pointer = f"; it shrank from {len(text.words)} to {len(other.words)} characters"
    return Change(
        code="main-changed",
        verdict=BLOCK,
        message=f"the terms in {where} changed{_named(text, other)}{pointer}",
        about=about,
        paths=(other.path,),
    )


def _named(text: LicenseText, other: LicenseText | None = None) -> str:
    if other is None:
        return f" ({text.id})" if text.id else ""
    if not text.id and not other.id:
        return ""
    return f" from {text.id or 'terms of its own'} to {other.id or 'terms of its own'}"


def _notices(old: Terms, new: Terms) -> Iterator[Change]:
    """Yield NOTICE files that say something else, and those that are gone."""
    before = _by_print(old.texts)
    fresh = [text for text in new.notices if text.fingerprint not in before and text.words]
    gone = {text.path for text in old.notices if text.words} - {text.path for text in new.texts}
    for text in fresh:
        yield Change(
            code="notice-changed",
            verdict=REVIEW,
            message=f"{text.path} says other things than before",
            about=(text.fingerprint,),
            paths=(text.path,),
        )
    for path in sorted(gone):
        yield Change(
            code="notice-removed",
            verdict=REVIEW,
            message=f"{path} is gone; notices must usually be kept",
            about=(path,),
            paths=(path,),
        )


def _nested(old: Terms, new: Terms) -> Iterator[Change]:
    """Yield changes of license texts below the top, which belong to bundled components."""
    before = _by_print(old.texts)
    places = {text.path for text in old.texts}
    homes = {(_home(text.path), text.fingerprint) for text in old.texts}
    for text in new.nested:
        if text.fingerprint in before and (
            text.path in places or (_home(text.path), text.fingerprint) in homes
        ):
            continue
        what = "is new" if text.path not in places else "changed"
        yield Change(
            code="bundled-license",
            verdict=REVIEW,
            message=f"the license text {text.path}{_named(text)} {what}",
            about=(_home(text.path), text.fingerprint),
            paths=(text.path,),
        )
    there = {text.path for text in new.texts}
    kept = {(_home(text.path), text.fingerprint) for text in new.texts}
    folders = {file.path.rpartition("/")[0] for file in new.files}
    for text in old.nested:
        if text.path in there or (_home(text.path), text.fingerprint) in kept:
            continue
        if text.path.rpartition("/")[0] in folders:
            yield Change(
                code="bundled-license-removed",
                verdict=REVIEW,
                message=f"the license text {text.path}{_named(text)} is gone, "
                "but not what lay beside it",
                about=(text.path, text.fingerprint),
                paths=(text.path,),
            )


def _home(path: str) -> str:
    """Return the name of the component that a nested text belongs to."""
    folder = path.rpartition("/")[0]
    folder = folder.removesuffix("/licenses").removesuffix("/LICENSES")
    return names.plain_name(folder.rpartition("/")[2])


def _metadata(old: Terms, new: Terms) -> Iterator[Change]:
    """Tell where metadata changed by themselves, or do not say what the text says."""
    said, says = _declared(old), _declared(new)
    if said and says and said != says:
        yield Change(
            code="metadata-changed",
            verdict=REVIEW,
            message=f"metadata declare {listed(says)}, before it was {listed(said)}",
            about=tuple(says),
        )
    yield from metadata_disagrees(old, new)


def metadata_disagrees(old: Terms, new: Terms) -> Iterator[Change]:
    """Tell where metadata do not say what the text says, unless it was so before."""
    said, says = _declared(old), _declared(new)
    texts = {base for text in new.mains if text.id for base in _bases(text.id)}
    same = {text.fingerprint for text in old.mains} == {text.fingerprint for text in new.mains}
    all_known = bool(new.mains) and all(text.id for text in new.mains)
    changed = bool(old.mains) and not same
    disagree = bool(says) and (not says & texts if all_known else changed)
    if disagree and not (same and said == says):
        what = listed(texts) if all_known else "terms of another kind"
        yield Change(
            code="metadata-disagrees",
            verdict=REVIEW,
            message=f"metadata declare {listed(says)}, but the license text is {what}",
            about=tuple(says),
        )


def _declared(terms: Terms) -> set[str]:
    return {name for item in terms.declared for name in _bases(item.expression)}


def _bases(expression: str) -> frozenset[str]:
    return frozenset(map(spdx.base, spdx.names(expression)))


def _is_gutted(old: Terms, new: Terms) -> bool:
    return new.size * 10 < old.size and len(new.files) * 4 < len(old.files)


def _gutted(old: Terms, new: Terms) -> Iterator[Change]:
    if _is_gutted(old, new):
        yield Change(
            code="gutted",
            verdict=REVIEW,
            message=f"of {len(old.files)} files ({old.size} bytes) "
            f"{len(new.files)} ({new.size} bytes) are left",
            about=("gutted",),
        )


def _by_print(texts: Iterable[LicenseText]) -> dict[str, LicenseText]:
    return {text.fingerprint: text for text in texts if text.words}
