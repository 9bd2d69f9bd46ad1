"""Read the tags of a git repository as its web server advertises them.

One GET of ``info/refs`` tells all: a smart server answers in pkt-lines (gitprotocol-http(5),
gitprotocol-pack(5), version 0), a dumb one with the plain file that ``git update-server-info``
writes. So a look costs one bounded request and no repository; the dumb one's is conditional. Tags
are the whole listing, and a tag's object is kept as the release's ``etag``: a tag that was
moved is another release.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolsync.config.definition import Tool
from toolsync.http.answer import Page
from toolsync.model.errors import SetupError, ToolsyncError
from toolsync.model.patterns import LONGEST_SUBJECT, version_pattern
from toolsync.model.release import Release
from toolsync.system.git import ADVERTISED, moved
from toolsync.watch.addresses import filled, http_address, leaf
from toolsync.watch.candidates import Candidate, mangled
from toolsync.watch.kind import FILE_URL, PATTERN, URL, Clue, Kind, Likely, Seen
from toolsync.watch.naming import families
from toolsync.watch.reading import Found, Get, body_of, drifted, is_html, media_type

_SMART = "application/x-git-upload-pack-advertisement"
_REF = re.compile(r"(?P<object>[0-9a-f]{40}|[0-9a-f]{64})[ \t](?P<name>refs/[^\0\n]+)")
_TAGS = "refs/tags/"


def read(tool: Tool, get: Get) -> list[Release]:
    """Return the tags that ``watch.pattern`` fits as a whole.

    Without ``watch.file_url`` the release is the tag's own tree: its address is the repository's.
    """
    watch = tool.watch
    pattern = version_pattern(watch.pattern)
    root = watch.url.rstrip("/")
    page = _asked(root, get)
    name = leaf(root).removesuffix(".git") or tool.name
    found = Found(tool, page)
    for tag, target in _tags(page):
        found.look_at(tag)
        match = pattern.fullmatch(tag) if len(tag) <= LONGEST_SUBJECT else None
        if not match or not match["version"]:
            continue
        raw = match["version"]
        if watch.file_url:
            url, filename = filled(watch.file_url, {"version": raw, "tag": tag}), ""
        else:
            url, filename = root, re.sub(r"[^A-Za-z0-9.+~_-]", "_", f"{name}-{raw}.tar")[-200:]
        found.add(raw, url, filename=filename, tag=tag, etag=target)
    return found.releases(f"tag that matches {watch.pattern}")


def tags_at(root: str, get: Get) -> list[str]:
    """Return the names of a repository's tags; raises Drifted where there is no repository."""
    return [tag for tag, _ in _tags(_asked(root, get))]


def _asked(root: str, get: Get) -> Page:
    return get(f"{root}{ADVERTISED}", f"{_SMART}, text/plain;q=0.9")


def place_of(url: str, get: Get) -> str:
    """Return where a repository lies after redirects, which the program git does not follow."""
    root = url.rstrip("/")
    return moved(url, _asked(root, get).url) if http_address(url) else url


def _tags(page: Page) -> Iterator[tuple[str, str]]:
    """Yield name and object of each tag, not of what annotated ones lead to."""
    for ref, target in _refs(page):
        if ref.startswith(_TAGS) and not ref.endswith("^{}"):
            yield ref.removeprefix(_TAGS), target


def _refs(page: Page) -> Iterator[tuple[str, str]]:
    """Yield name and object of each ref; raises Drifted where the page is no list of refs."""
    body = body_of(page)
    if is_html(page):
        raise drifted(page.url, "answered with an HTML page; a git repository's refs were wanted")
    smart = media_type(page) == _SMART or body.startswith(b"001e# service=")
    for line in _packets(page, body) if smart else body.split(b"\n"):
        text = line.partition(b"\0")[0].rstrip(b"\n").decode("utf-8", "replace")
        match = _REF.fullmatch(text)
        if match:
            yield match["name"], match["object"]
        elif text.startswith("ERR "):
            raise drifted(page.url, f"answered with git's error {text[4:200]!r}")
        elif text.startswith("version 2"):
            raise SetupError(
                f"{page.url} speaks version 2 of git's protocol unasked",
                resolution="Watch another address of the repository in tool.toml.",
            )
        elif not smart and text:
            raise drifted(page.url, f"is no list of refs: it has a line {text[:60]!r}")


def _packets(page: Page, body: bytes) -> Iterator[bytes]:
    """Yield the pkt-lines: four hex digits that count themselves, then the rest; 0000 is empty."""
    at = 0
    while at < len(body):
        head = body[at : at + 4]
        size = int(head, 16) if re.fullmatch(rb"[0-9a-fA-F]{4}", head) else -1
        if size == 0:
            at += 4
            continue
        if size < 4 or at + size > len(body):
            raise drifted(
                page.url, f"breaks git's protocol at byte {at}: {head!r} is no line's length"
            )
        yield body[at + 4 : at + size]
        at += size


def _answers(at: Seen) -> Iterator[Candidate]:
    """Give the candidate for a git repository, if there is one at the address."""
    root = at.url.partition("?")[0].rstrip("/")
    at.tell(f"asking whether {root} is a git repository")
    try:
        tags = tags_at(root, at.pages)
    except ToolsyncError:
        return
    found = families(tags, files=False)
    if found:
        yield Candidate(
            watch={"kind": "git", "url": root, "pattern": found[0].pattern, **mangled(found[0])},
            name=leaf(root).removesuffix(".git"),
        )


GIT = Kind(
    name="git",
    about="a git repository's tags; without `file_url` a tag's own tree is the release",
    read=read,
    settings={**URL, **PATTERN, **FILE_URL},
    needs=("url", "pattern"),
    clues=(Clue(likely=Likely.ASKED, give=_answers),),
)
