"""Judge terms by the policy: allowed, accepted for this tool, approved earlier, or neither."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from toolsync.config.licensing import Accepted, Bundled, Classes, LicensePolicy
from toolsync.license import hints, spdx
from toolsync.license.change import BLOCK, REVIEW, SILENT, Change, listed
from toolsync.license.compare import metadata_disagrees, problems
from toolsync.license.terms import LicenseText, Terms

_ALLOWED, _NEEDS, _UNKNOWN, _DENIED = range(4)
"""Mildest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One tool's policy within the operator's, and what people approved earlier."""

    tool: LicensePolicy
    classes: Classes
    approved: frozenset[str] = frozenset()

    def grade(self, expression: str) -> int:
        """Return the class of an SPDX expression: of AND the gravest part, of OR the mildest."""
        return spdx.graded(expression, self._grade_of, _UNKNOWN)

    def grade_of_text(self, text: LicenseText) -> int:
        """Return the class of a license text: where its choice may mean all, the gravest part."""
        if not text.id:
            return _UNKNOWN
        if text.said:
            return max(map(self._grade_of, spdx.names(text.id)), default=_UNKNOWN)
        return self.grade(text.id)

    def _grade_of(self, name: str) -> int:
        for grade, listing in (
            (_DENIED, self.classes.denied),
            (_NEEDS, self.classes.needs_acceptance),
            (_ALLOWED, self.classes.passing),
        ):
            if any(spdx.base(name) == spdx.base(item) for item in listing):
                return grade
        return _UNKNOWN

    def known_to_main(self, old: Terms) -> frozenset[str]:
        """Return the texts of what a distribution has in main that have no class here.

        Its archive's own review has let them in. What is denied here, or must be accepted by a
        person, stays so.
        """
        texts = (*old.mains, *old.nested)
        unknown = (text.fingerprint for text in texts if self.grade_of_text(text) == _UNKNOWN)
        none = (change.key for change in problems(old) if change.code == "no-license-file")
        return frozenset((*unknown, *none))

    def acceptance(self, text: LicenseText) -> Accepted | None:
        """Return the entry of tool.toml that covers a main text."""
        for entry in self.tool.accepted:
            if text.fingerprint in entry.fingerprints:
                return entry
            if not entry.fingerprints and text.id:
                bases = {spdx.base(name) for name in spdx.names(entry.expression)}
                held = {spdx.base(name) for name in spdx.names(text.id)} or {text.id}
                if held <= bases or text.id == entry.expression:
                    return entry
        return None

    def allows(self, expression: str) -> bool:
        """Say whether an expression is allowed, or accepted for this tool."""
        return self.grade(expression) == _ALLOWED or self.allows_as_accepted(expression)

    def allows_as_accepted(self, expression: str) -> bool:
        """Say whether exactly this expression was accepted for this tool."""
        return any(expression == entry.expression for entry in self.tool.accepted)

    def component(self, path: str, digests: Iterable[str] = ()) -> Bundled | None:
        """Return the entry of tool.toml that covers a part of the tree."""
        digests = tuple(digests)
        for entry in self.tool.component:
            below = entry.path.strip("/")
            if below and (path == below or path.startswith(f"{below}/")):
                return entry
            if entry.sha256 and entry.sha256 in digests:
                return entry
        return None


def check_main_texts(terms: Terms, policy: Policy) -> Iterator[Change]:
    """Judge the main texts: none passes unless its license is allowed, accepted or approved."""
    for text in terms.mains:
        if text.fingerprint in policy.approved:
            continue
        entry = policy.acceptance(text)
        grade = policy.grade_of_text(text)
        if entry is not None:
            yield _accepted(text, entry)
        elif grade != _ALLOWED:
            yield _not_allowed(text, grade, terms)
    there = {file.path for file in terms.files}
    for path in policy.tool.must_ship:
        if path not in there:
            yield Change(
                code="must-ship-missing",
                verdict=REVIEW,
                message=f"{path} must be in every package, says tool.toml, but is not in the tree",
                about=(path,),
            )
    if policy.tool.never_auto:
        yield Change(
            code="never-automatic",
            verdict=REVIEW,
            message="tool.toml wants a person to look at every release (never_auto)",
            about=(terms.digest,),
        )


def _accepted(text: LicenseText, entry: Accepted) -> Change:
    field = f"; use only: {entry.field_of_use}" if entry.field_of_use else ""
    share = "" if entry.redistributable else "; it may not be passed on"
    return Change(
        code="accepted",
        verdict=SILENT,
        message=f"{text.path} ({entry.expression}) was accepted for this tool by {entry.by} on "
        f"{entry.when}: {entry.why}{field}{share}",
        about=(text.fingerprint,),
    )


def _not_allowed(text: LicenseText, grade: int, terms: Terms) -> Change:
    """Return the change of a text whose license is denied, needs acceptance, or is unknown."""
    about = (text.fingerprint,)
    if grade == _DENIED:
        return Change(
            code="denied",
            verdict=BLOCK,
            message=f"{text.path} is {_named(text)}, which toolsync.toml denies",
            about=about,
        )
    if grade == _NEEDS:
        message = f"{text.path} is {_named(text)}, which must be accepted for each tool by a person"
        return Change(code="needs-acceptance", verdict=REVIEW, message=message, about=about)
    what = (
        f"is {_named(text)}, which is in no class of toolsync.toml"
        if text.id
        else (f"holds terms that are not known{_guess(text, terms)}")
    )
    return Change(
        code="unknown-terms",
        verdict=REVIEW,
        message=f"{text.path} {what}; fingerprint {text.fingerprint}",
        about=about,
        unknown=True,
    )


def _guess(text: LicenseText, terms: Terms) -> str:
    """Return what an unknown text speaks of, and licensecheck's opinion where it differs."""
    found = hints.ids(text.words[: hints.HEAD_BYTES].encode())
    parts = [f"they speak of {listed(found)}"] if found else []
    opinion = terms.opinion(text)
    if opinion and set(opinion) != set(found):
        parts.append(f"licensecheck takes them for {listed(opinion)}")
    return f" ({'; '.join(parts)})" if parts else ""


def _named(text: LicenseText) -> str:
    """Return what a text is, and what in it was read as a choice."""
    return f'{text.id} (reading "{text.said}" as a choice)' if text.said else text.id


def check_first(terms: Terms, policy: Policy) -> Iterator[Change]:
    """Judge a first release, which nothing can be compared with."""
    yield from problems(terms)
    yield from metadata_disagrees(Terms(), terms)
    for text in terms.nested:
        grade = policy.grade_of_text(text)
        allowed = bool(text.id) and (grade == _ALLOWED or policy.allows_as_accepted(text.id))
        known = (policy.approved, *(entry.fingerprints for entry in policy.tool.accepted))
        allowed = allowed or (grade == _UNKNOWN and any(text.fingerprint in one for one in known))
        if policy.component(text.path) is not None or allowed:
            continue
        denied = grade == _DENIED
        yield Change(
            code="bundled-denied" if denied else "bundled-license",
            verdict=BLOCK if denied else REVIEW,
            message=f"the license text {text.path} is "
            + (_named(text) or f"not known{_guess(text, terms)}"),
            about=(text.fingerprint,),
            unknown=not text.id,
            paths=(text.path,),
        )
    parts = {part.name for part in terms.components if part.kind in ("vendored", "package", "jar")}
    if parts:
        yield Change(
            code="carries",
            verdict=SILENT,
            message=f"it carries other people's work: {listed(parts)}",
            about=tuple(parts),
        )


_PARTS = frozenset({"file-license", "notice-changed"})


def apply_policy(change: Change, terms: Terms, policy: Policy) -> Change:
    """Return a change, made silent where the policy or an earlier approval covers it."""
    if change.verdict == SILENT:
        return change
    if change.key in policy.approved or _all_approved(change, policy):
        message = f"{change.message} (approved earlier)"
        return replace(change, verdict=SILENT, message=message, unknown=False)
    if change.code == "unreadable" and (entry := _accepted_empty(change, terms, policy)):
        message = f"{change.message} (accepted by {entry.by} on {entry.when}: {entry.why})"
        return replace(change, verdict=SILENT, message=message, unknown=False)
    if change.code.startswith("bundled-") or change.code in _PARTS:
        covered = [_covered(path, terms, policy) for path in change.paths]
        if covered and all(covered):
            said = listed({entry.expression for entry in covered if entry})
            message = f"{change.message} ({said}, says tool.toml)"
            return replace(change, verdict=SILENT, message=message)
    return change


def _all_approved(change: Change, policy: Policy) -> bool:
    """Say whether all texts that the change is about were approved earlier."""
    texts = change.code in ("main-changed", "main-added", "bundled-in-main-file", "denied")
    return texts and bool(change.about) and set(change.about) <= policy.approved


def _accepted_empty(change: Change, terms: Terms, policy: Policy) -> Accepted | None:
    """Return by what an empty file that is called a license is accepted; none at the top is."""
    tops = {text.file for text in terms.mains}
    for text in terms.nested:
        if (text.file,) == change.paths and text.file not in tops and text.size == 0:
            return policy.acceptance(text)
    return None


def _covered(path: str, terms: Terms, policy: Policy) -> Bundled | None:
    digests = [part.digest for part in terms.components if part.path == path and part.digest]
    entry = policy.component(path, digests)
    return entry if entry is not None and policy.allows(entry.expression) else None


def main_expression(terms: Terms, policy: LicensePolicy) -> str:
    """Return the SPDX expression of the whole: tool.toml's, else that of the main texts."""
    if policy.expression:
        return policy.expression
    return " AND ".join(sorted({text.id for text in terms.mains if text.id}))
