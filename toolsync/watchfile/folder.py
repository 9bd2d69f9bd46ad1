"""A folder with debian/watch as a tool: everything that it needs follows from debian/.

Name and current version come from debian/changelog, upstream's keys from debian/upstream. What
is wrong with these files is told when the tool is looked at, so one folder's faults never
keep the others from being looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from toolsync.config.definition import CompatPolicy, Tool, Verify, Watch
from toolsync.config.licensing import LicensePolicy
from toolsync.config.packaging import require_plain
from toolsync.model.errors import SetupError
from toolsync.model.versions import sort_key
from toolsync.watchfile.parse import parse
from toolsync.watchfile.rules import mangled
from toolsync.watchfile.source import Source, WatchFile

_HEAD = re.compile(r"(?P<name>[a-z0-9][a-z0-9.+-]+) \((?P<version>[^()\s]+)\)(?:\s|$)")
_VERSION = re.compile(r"(?:(\d+):)?(\d[A-Za-z0-9.+:~-]*)")
_COMPONENT = re.compile(r"[0-9A-Za-z-]*")
_STATED_IN = {"nodejs": "package.json", "perl": "META.json"}
_STATED_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What debian/changelog says of the source package."""

    name: str
    version: str
    """The full Debian version."""

    @property
    def epoch(self) -> int:
        """Its epoch, 0 where it has none."""
        head = self.version.partition(":")[0] if ":" in self.version else "0"
        return int(head)

    @property
    def upstream(self) -> str:
        """Its upstream version: without epoch and revision."""
        rest = self.version.partition(":")[2] if ":" in self.version else self.version
        return rest.rpartition("-")[0] if "-" in rest else rest


def load_folder(folder: Path) -> Tool:
    """Return the tool that a folder with ``debian/watch`` defines; raises nothing."""
    try:
        path = require_plain(folder / "debian" / "watch")
        text = path.read_text(encoding="utf-8", errors="replace")
    except (OSError, SetupError):
        text = ""
    try:
        package = package_of(folder)
        name, epoch = package.name, package.epoch
    except SetupError:
        name, epoch = folder.name, 0
    agent = re.search(r"(?im)^user-?agent:[ \t]*(\S.*)$|\buser-?agent=([^\"\n]*)", text)
    return Tool(
        name=name,
        folder=folder,
        summary="",
        homepage="",
        watch=Watch(
            kind="watch",
            url=_asked(folder, text, name),
            text=text,
            user_agent=_agent(agent[1] or agent[2]) if agent else "",
            prereleases=True,
        ),
        verify=Verify(method="watch"),
        license=LicensePolicy(),
        compat=CompatPolicy(),
        source=name,
        series=(),
        epoch=epoch,
    )


def package_of(folder: Path) -> Package:
    """Return name and version from a debian/changelog; raises SetupError."""
    path = f"{folder}/debian/changelog"
    try:
        require_plain(Path(path))
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 (asked for often)
            first = next((line.strip("\n") for line in file if line.strip()), "")
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read ({error.strerror}); it names package and current version",
            resolution="Write one with dch --create.",
        ) from error
    match = _HEAD.match(first)
    if not match or not _VERSION.fullmatch(match["version"]):
        raise SetupError(
            f"{path} begins with {first[:80]!r}; wanted: NAME (VERSION) with a version that"
            " Debian Policy 5.6.12 knows",
            resolution="Mend the first line of debian/changelog.",
        )
    sort_key(match["version"])
    return Package(name=match["name"], version=match["version"])


def watch_file(tool: Tool) -> WatchFile:
    """Return the tool's watch file, read; raises SetupError for a fault in it."""
    if not tool.watch.text:
        raise SetupError(
            f"{tool.debian / 'watch'} is empty or cannot be read; wanted: a watch file",
            resolution="Write one; uscan(1) tells how.",
        )
    return _parsed(tool.folder, tool.watch.text, package_of(tool.folder).name)


def warnings(tool: Tool) -> tuple[str, ...]:
    """Return what the watch file's maintainer should mend, though it can be read."""
    try:
        return watch_file(tool).warnings
    except SetupError:
        return ()


def _parsed(folder: Path, text: str, name: str) -> WatchFile:
    homepage = _homepage(folder) if "template" in text.lower() else ""
    return parse(text, name, homepage)


def _homepage(folder: Path) -> str:
    """Return what debian/control names as the package's homepage, empty if nothing."""
    try:
        path = require_plain(folder / "debian" / "control")
        control = path.read_text(encoding="utf-8", errors="replace")
    except (OSError, SetupError):
        return ""
    found = re.search(r"(?im)^homepage:[ \t]*(https?://\S+)", control)
    return found[1] if found else ""


def _asked(folder: Path, text: str, name: str) -> str:
    """Return the page that is asked for; of a file that cannot be read the one that it names."""
    try:
        sources = _parsed(folder, text, name).sources
    except SetupError:
        bare = re.sub(r"(?m)^\s*#.*$", "", text).replace("@PACKAGE@", name)
        found = re.search(r"(?:^|[\s])((?:https?|ftp|git|file|ssh)://[^\s\"]+)", bare)
        head = re.split(r"[(@]", found[1])[0] if found else ""
        return head if found and head == found[1] else head[: head.rfind("/") + 1]
    return next((source for source in sources if not source.component), sources[0]).page


def current(tool: Tool) -> str | None:
    """Return the current upstream version as it compares with upstream's; None if unknown."""
    try:
        package, sources = package_of(tool.folder), watch_file(tool).sources
    except SetupError:
        return None
    main = next((source for source in sources if not source.component), sources[0])
    if main.schema[:1].isdigit():
        return main.schema
    return _compared(tool, sources, main, package.upstream)


def _compared(tool: Tool, sources: Sequence[Source], main: Source, version: str) -> str:
    """Return debian/changelog's version, each part of a group's after its own dversionmangle.

    What a source's own folder states counts in place of its part.
    """
    added = [s for s in sources if s.component and s.schema == "checksum"]
    joined = [main, *(s for s in sources if s.component and s.schema == "group")]
    separator = main.words["versionseparator"]
    parts = version.split(separator) if added or joined[1:] else [version]
    for at, part in enumerate(parts):
        source = joined[at] if at < len(joined) else main
        own = stated(tool, source) if at < len(joined) else None
        parts[at] = own or mangled(part, source.mangles["dversionmangle"])
    sums = [stated(tool, source) for source in added]
    if added and all(sums) and parts[-1].startswith("cs"):
        parts[-1] = summed(list(filter(None, sums)))
    return separator.join(parts)


def stated(tool: Tool, source: Source) -> str | None:
    """Return the version that a source's own folder states, as uscan(1) says of ctype.

    None where it has no ctype, or its file is missing, is none that can be read, or is not in
    the folder; the version of debian/changelog counts then.
    """
    name = _STATED_IN.get(source.words["ctype"])
    if name is None or not _COMPONENT.fullmatch(source.component):
        return None
    try:
        with require_plain(tool.folder / source.component / name).open("rb") as file:
            content = json.loads(file.read(_STATED_LIMIT))
    except (OSError, SetupError, ValueError, RecursionError):
        return None
    version = content.get("version") if isinstance(content, dict) else None
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        return None
    return mangled(version, source.mangles["dversionmangle"])


def summed(versions: Sequence[str]) -> str:
    """Return what the versions of checksummed sources add up to, as ``cs4.0.3`` (uscan(1))."""
    rows = [[int(number) for number in re.findall(r"\d+", version)] for version in versions]
    return "cs" + ".".join(str(sum(column)) for column in zip_longest(*rows, fillvalue=0))


def _agent(text: str) -> str:
    """Return the agent up to the option that follows it on a line of version 4."""
    return re.split(r",\s*(?=[a-z][a-z-]*\s*=)", text.strip())[0].strip()
