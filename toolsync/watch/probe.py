"""Watch an archive that has no version in its address: only what is inside tells which it is.

The file is asked for on the condition that it has changed (ETag, Last-Modified; where a server
knows no conditions, its answer's head is compared, the size too, and the rest is not read).
Only then it is downloaded and looked into, no further than needed: the version stands in the name
of its top folder, or in the text of the member that ``watch.member`` names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from toolsync.config import keys
from toolsync.config.definition import Tool
from toolsync.config.settings import Limits
from toolsync.http.answer import Page, Validators
from toolsync.model.errors import Drifted
from toolsync.model.patterns import LONGEST_SUBJECT, Expression, version_pattern
from toolsync.model.release import Release
from toolsync.watch.addresses import filled, leaf
from toolsync.watch.candidates import ENDINGS, Candidate
from toolsync.watch.kind import FILE_URL, PATTERN, URL, Clue, Kind, Likely, Seen
from toolsync.watch.naming import families
from toolsync.watch.pages import Pages
from toolsync.watch.reading import Found, drifted

_MEMBER_BYTES = 64 * 1024
"""Of a member, that are searched for a version."""


def read(tool: Tool, pages: Pages) -> list[Release]:
    """Return the one release that the archive is now; raises what reading an archive raises."""
    watch = tool.watch
    pattern = version_pattern(watch.pattern)
    with pages.file(watch.url) as file:
        text = _told(file.path, watch.member, pages.limits, watch.url)
        match = _match(pattern, text, inside=bool(watch.member))
    found = Found(tool, Page(url=file.url, body=b"", content_type="", validators=Validators()))
    found.look_at(" ".join(text[:200].split()))
    if match and match["version"]:
        raw = match["version"]
        if watch.file_url:
            found.add(raw, filled(watch.file_url, {"version": raw, "tag": raw}))
        else:
            found.add(raw, watch.url, sha256=file.sha256, size=file.size, etag=file.validators.etag)
    where = f"in its member {watch.member}" if watch.member else "in the name of its top folder"
    return found.releases(f"version that matches {watch.pattern} {where}")


def _told(path: Path, member: str, limits: Limits, url: str) -> str:
    """Return the top folder's name, or the wanted member's text."""
    from toolsync.archives import member as archive
    from toolsync.archives.extract import read_members

    seen: list[str] = []
    for item in read_members(path, limits):
        if not member:
            folder, slash, _ = item.path.partition("/")
            if slash or item.kind is archive.Kind.FOLDER:
                return folder
            raise _without(url, f"no top folder, but {item.path[:80]!r} at its top")
        if item.kind is archive.Kind.FILE and PurePosixPath(item.path).match(member):
            return item.data.read(_MEMBER_BYTES).decode("utf-8", "replace")
        seen += [item.path[:80]] if len(seen) < 3 else []
    raise _without(url, f"no member {member!r}; it has {', '.join(seen)}, …")


def _match(pattern: Expression, text: str, *, inside: bool) -> Any:
    """Match a folder's whole name, or the first fitting line of a text."""
    if not inside:
        return pattern.fullmatch(text[:LONGEST_SUBJECT])
    lines = (line.strip()[:LONGEST_SUBJECT] for line in text.splitlines())
    return next((match for line in lines if (match := pattern.search(line))), None)


def _without(url: str, found: str) -> Drifted:
    return drifted(
        url,
        f"is an archive with {found}",
        "Look into the archive, then set watch.member in tool.toml to the member that names the"
        " version.",
    )


def _without_version(at: Seen) -> Iterator[Candidate]:
    yield from without_version(at.url)


def without_version(url: str) -> Iterator[Candidate]:
    """Yield the way to watch an archive whose address has no version; none for other addresses."""
    file = leaf(url)
    if not ENDINGS.search(file) or families([file], files=True):
        return
    yield Candidate(
        watch={
            "kind": "probe",
            "url": url,
            "pattern": r".*?[-_]v?(?P<version>\d+(?:[.-]\d+)*)",
        },
        name=ENDINGS.sub("", file),
        notes=("the address has no version: each change of the file is downloaded to read it",),
    )


PROBE = Kind(
    name="probe",
    about="an archive without a version in its address: what is inside names it",
    read=read,
    settings={
        **URL,
        **PATTERN,
        "member": keys.text(
            "for kind probe: the member, perhaps with wildcards, whose text names the version;"
            " its top folder's name if not given"
        ),
        **FILE_URL,
    },
    needs=("url", "pattern"),
    states_digests=False,
    clues=(Clue(likely=Likely.ADDRESS, give=_without_version),),
)
