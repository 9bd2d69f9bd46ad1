"""A release of a watch file with everything that belongs to it, ready to be fetched.

What is new in a folder, and what an orig tarball is called there, follows uscan(1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from toolsync.config.definition import Tool
from toolsync.config.packaging import require_plain
from toolsync.config.settings import Limits
from toolsync.http.answer import Page
from toolsync.http.client import Http
from toolsync.model.engine import LOOK_SECONDS
from toolsync.model.errors import Hostile, SetupError
from toolsync.model.release import Part, Release
from toolsync.model.text import name_fault
from toolsync.model.versions import upstream_key
from toolsync.system.effort import Effort
from toolsync.watch.named import named_by
from toolsync.watchfile.bundle import Bundle, gather, orig_version, signature_url
from toolsync.watchfile.bundle import Part as Found
from toolsync.watchfile.folder import current
from toolsync.watchfile.plans import names_of_sums, plan_of
from toolsync.watchfile.source import Source

_PAGES = 200
"""Pages that one watch file may make us read."""
_UNZIP_AS_WE_DO = frozenset(("-b", "-n", "-o", "-q", "-qq", "-X", "-UU"))
"""Options of unzip(1) without effect on what comes out here: as bytes, quietly, once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A release that was found, and what the folder's own version makes of it."""

    tool: Tool
    bundle: Bundle
    named: frozenset[str]
    """Names on the pages that may be those of checksum files."""
    status: str
    """``new``, ``up-to-date`` or ``recalled``, compared with debian/changelog."""

    @property
    def newest(self) -> str:
        """The newest version there is, when another one was asked for."""
        return self.bundle.newest

    @property
    def release(self) -> Release:
        """The release by its main tarball alone."""
        return self.bundle.main.release._replace(version=self.bundle.version)

    def whole(self) -> Release:
        """Return the release with all its parts.

        Raises SetupError for what would give a tarball other contents than ours, Hostile for
        names that no file may have.
        """
        parts = tuple(
            _part(self.tool, self.bundle, found, self.named) for found in self.bundle.parts
        )
        return self.release._replace(filename=parts[0].filename, parts=parts)


def locate(tool: Tool, *, http: Http, limits: Limits, wanted: str = "") -> Located:
    """Return the newest release of a watch file, or version ``wanted``.

    Raises UsageError when there is no such version, and what reading a page raises.
    """
    asked = iter(range(_PAGES))
    dressed = http.dressed(user_agent=tool.watch.user_agent, named=lambda: named_by(tool))
    sums: set[str] = set()

    def ask(url: str, accept: str) -> Page:
        if next(asked, None) is None:
            raise Hostile(f"debian/watch makes us read more than {_PAGES} pages, the limit")
        page = dressed.page(
            url, limit=limits.page_bytes, seconds=limits.page_seconds, accept=accept
        )
        sums.update(names_of_sums(page.body or b""))
        return page

    with Effort(LOOK_SECONDS):
        bundle = gather(tool, ask, wanted)
        status = _status(tool, bundle)
    return Located(tool=tool, bundle=bundle, named=frozenset(sums), status=status)


def _status(tool: Tool, bundle: Bundle) -> str:
    have = current(tool)
    if have is None or upstream_key(bundle.newest) > upstream_key(have):
        return "new"
    if upstream_key(bundle.newest) < upstream_key(have):
        return "recalled"
    return "new" if bundle.has_news(tool) else "up-to-date"


def _part(tool: Tool, bundle: Bundle, found: Found, named: frozenset[str]) -> Part:
    source, release = found.source, found.release
    _refuse_unheeded(found)
    _refuse_component(source.component)
    filename = _confined(release)
    if source.is_git:
        filename = filename.removesuffix(".xz")
    alone = _takes_gz_alone(tool)
    suffix = bundle.main.source.words["repacksuffix"]
    return Part(
        component=source.component,
        version=release.version,
        url=release.url,
        filename=filename,
        page=release.page,
        tag=release.tag,
        git=_git(source),
        plan=plan_of(source, release, signature_url(found), keys=bool(tool.keyring), named=named),
        compression=_compression(source.words["compression"], gz=alone),
        repack="repack" in source.flags or alone,
        wrap=False,
        orig_version=orig_version(bundle),
        repacked_version=orig_version(bundle, suffix) if suffix else "",
    )


def _git(source: Source) -> tuple[str, ...]:
    """Return how a tarball is made of a ref; empty for what is no repository."""
    if not source.is_git:
        return ()
    full = ("full",) if source.words["gitmode"] == "full" else ()
    everything = ("all",) if source.words["gitexport"] == "all" else ()
    return ("git", *full, *everything)


def _refuse_unheeded(found: Found) -> None:
    """Raise SetupError for an option that would give the tarball other contents than ours."""
    words = found.source.words
    if found.source.is_git and words["gitmodules"]:
        raise SetupError(
            f"debian/watch has gitmodules={words['gitmodules']!r}, but submodules are not fetched:"
            " the tarball would lack their files",
            resolution="Watch each of them as a component of its own.",
        )
    others = set(words["unzipopt"].split()) - _UNZIP_AS_WE_DO
    if others and found.release.filename.lower().endswith((".zip", ".jar", ".xpi")):
        raise SetupError(
            f"debian/watch has unzipopt={words['unzipopt']!r}, but members of a zip are taken as"
            f" they are, which {' '.join(sorted(others))} would change",
            resolution="Leave it out; change files in debian/rules or a patch.",
        )


def _refuse_component(name: str) -> None:
    """Raise SetupError for a component that no orig tarball can be named after (dpkg-source(1))."""
    if name and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,60}[A-Za-z0-9])?", name):
        raise SetupError(
            f"debian/watch names a component {name[:80]!r}; wanted were letters, digits and"
            " hyphens, which neither begin nor end it",
            resolution="Rename the component in debian/watch.",
        )


def _confined(release: Release) -> str:
    name = release.filename
    if why := name_fault(name):
        raise Hostile(
            f"debian/watch names the download {name[:200]!r}, {why}: it is no plain file name",
            resolution="Mend filenamemangle in debian/watch.",
        )
    return name


def _compression(asked: str, *, gz: bool) -> str:
    """Return how to compress: as asked, else as the source format takes it (mk-origtargz(1))."""
    if asked not in ("", "default"):
        return asked
    return "gz" if gz else "xz"


def _takes_gz_alone(tool: Tool) -> bool:
    """Say whether the source format is 1.0, which has no orig tarball but in gzip's form."""
    try:
        path = require_plain(tool.debian / "source" / "format")
        form = path.read_text(encoding="utf-8").strip()
    except (OSError, SetupError):
        return True
    return form == "1.0"
