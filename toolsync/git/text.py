"""The text of a merge request: what was released, how it is proved, and what the gates found.

What upstream has written stands in code spans of one line each: so it calls nobody, links to
nothing, and is no command to the forge (GitLab runs lines that begin with a slash).
"""

from __future__ import annotations

from collections.abc import Sequence

from toolsync.model.judgment import Judgment
from toolsync.model.release import SourcePackage
from toolsync.model.text import escaped

_MOST = 60
"""Findings of one gate that are shown."""
_LONGEST = 300


def request_title(source: SourcePackage) -> str:
    """Return the title of the request for a package."""
    return f"{source.name} {source.version}"


def request_text(source: SourcePackage, judgments: Sequence[Judgment], target: str) -> str:
    """Return the text, in Markdown."""
    release, unpacked = source.release, source.licensed.unpacked
    lines = [
        f"Upstream has released {_code(release.raw_version)}, found on {_code(release.page)}.",
        "",
        f"- Proof: {_code(unpacked.verified.statement)}",
        *(f"- {_code(orig.name)}: sha256 {_code(orig.sha256)}" for orig in unpacked.origs),
        "",
    ]
    for said in judgments:
        word = "passes" if said.passes else "**waits for a person**"
        lines += [f"### {said.stage}: {said.verdict}, {word}", "", _code(said.summary), ""]
        lines += [f"- {found.severity}: {_code(found.message)}" for found in said.findings[:_MOST]]
        left = len(said.findings) - _MOST
        lines += [f"- and {left} more", ""] if left > 0 else [""]
    lines += [
        f"To merge this unchanged has it published to {_code(target)} by the next run, and approves"
        " what waits above. To close it rejects it. Where the packaging needs a change, change the"
        " tool's: what is merged must be what was proposed.",
        "",
        f"<!-- toolsync {source.name} {source.version} {source.files[0].sha256} -->",
    ]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    """Return a text as a code span of one line."""
    line = escaped(" ".join(text.split())).replace("`", "'")
    return f"`{line[:_LONGEST]}{'…' if len(line) > _LONGEST else ''}`"
