"""The text of a merge request: what was released, how it is proved, and what the gates found.

What upstream has written stands in code spans of one line each: so it calls nobody, links to
nothing, and is no command to the forge (GitLab runs lines that begin with a slash). What waits for
a person stands first and whole; where it does not fit the text says that a merge approves nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from toolsync.model.judgment import Judgment
from toolsync.model.release import SourcePackage
from toolsync.model.text import escaped
from toolsync.model.values import Finding

_MOST = 60
"""Findings of a gate that lets the release pass that are shown."""
_LONGEST = 300
_LONGEST_HELD = 4000
"""Characters of one finding of a gate that holds it."""
_ROOM = 60_000
"""Characters of the whole text: GitHub takes 65,536."""
_ORDER = ("breaking", "risky", "unknown", "additive", "info")
_UNCHANGED = (
    " Where the packaging needs a change, change the tool's: what is merged must be what was"
    " proposed."
)


def request_title(source: SourcePackage) -> str:
    """Return the title of the request for a package."""
    return f"{source.name} {source.version}"[:200]


def request_text(
    source: SourcePackage, judgments: Sequence[Judgment], target: str
) -> tuple[str, bool]:
    """Return the text, in Markdown, and whether it shows all of what waits for a person."""
    head, whole = "\n".join(_head(source)), True
    room = _ROOM - len(head) - len(_foot(source, target, whole=False))
    shown: list[str] = []
    for said in sorted(judgments, key=lambda one: one.passes):
        section, all_of_it = _section(said, room)
        shown.append(section)
        room -= len(section)
        whole = whole and (all_of_it or said.passes)
    return head + "".join(shown) + _foot(source, target, whole=whole), whole


def text_digest(text: str) -> str:
    """Return what is the same for a text however a forge ends its lines: a SHA-256, in hex."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()


def _head(source: SourcePackage) -> list[str]:
    release, unpacked = source.release, source.licensed.unpacked
    return [
        f"Upstream has released {_code(release.raw_version)}, found on {_code(release.page)}.",
        "",
        f"- Proof: {_code(unpacked.verified.statement)}",
        *(f"- {_code(orig.name)}: sha256 {_code(orig.sha256)}" for orig in unpacked.origs[:_MOST]),
        "",
        "",
    ]


def _foot(source: SourcePackage, target: str, *, whole: bool) -> str:
    """Return what a merge means, at most as long as where not all is shown."""
    tool, version = source.release.tool, source.release.version
    merging = f"To merge this unchanged has it published to {_code(target)} by the next run"
    if whole:
        means = f"{merging}, and approves what waits above. To close it rejects it.{_UNCHANGED}"
    else:
        means = (
            "**Not all that waits fits in here, so to merge this approves none of it.** Look at it"
            f" with {_code(f'toolsync review {tool}')} and decide by"
            f" {_code(f'toolsync approve {tool} {version} --reason TEXT')}. {merging} once that is"
            f" said. To close it rejects it.{_UNCHANGED}"
        )
    mark = f"<!-- toolsync {source.name} {source.version} {source.files[0].sha256} -->"
    return f"{means}\n\n{mark}\n"


def _section(said: Judgment, room: int) -> tuple[str, bool]:
    """Return what a gate has found in at most ``room`` characters, and whether that is all."""
    longest, most = (_LONGEST, _MOST) if said.passes else (_LONGEST_HELD, len(said.findings))
    word = "passes" if said.passes else "**waits for a person**"
    title = f"### {said.stage}: {said.verdict}, {word}\n\n{_code(said.summary, longest)}\n\n"
    rest = "- and {} more\n\n"
    room -= len(title) + len(rest) + len(str(len(said.findings)))
    if room < 0:
        return "", False
    shown = ""
    found = sorted(said.findings, key=_gravity)
    for place, one in enumerate(found):
        line = f"- {one.severity}: {_code(one.message, longest)}\n"
        if place == most or len(shown) + len(line) > room:
            return title + shown + rest.format(len(found) - place), False
        shown += line
    cut = [text for text in (said.summary, *(one.message for one in found)) if len(text) > longest]
    return f"{title}{shown}\n", not cut


def _gravity(found: Finding) -> int:
    return _ORDER.index(found.severity) if found.severity in _ORDER else 0


def _code(text: str, longest: int = _LONGEST) -> str:
    """Return a text as a code span of one line."""
    line = escaped(" ".join(text.split())).replace("`", "'")
    return f"`{line[:longest]}{'…' if len(line) > longest else ''}`"
