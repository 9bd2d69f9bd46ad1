"""A tool's definition: what its folder says, checked, as frozen values.

A tool's name is its folder's; of two with one name the operator's wins.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolsync.config.consistency import tool_faults
from toolsync.config.licensing import LicensePolicy, license_policy
from toolsync.config.schema import read_toml
from toolsync.config.settings import Config
from toolsync.model.errors import SetupError, UsageError

NOT_PACKAGING = ("watch", "changelog", "*~", ".*")
"""What in a tool's debian/ is not part of the source package: toolsync writes the changelog."""

_UPSTREAM_KEYS = (
    "upstream/signing-key.asc",
    "upstream/signing-key.pgp",
    "upstream-signing-key.pgp",
)
"""Where debian/ holds upstream's keys (uscan(1))."""

_LISTS = dict.fromkeys(("feed", "github", "gitlab", "forgejo"), "latest")
"""Kinds of pages that list the latest releases only, or of which only the first are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Where releases appear."""

    kind: str
    url: str = ""
    project: str = ""
    pattern: str = ""
    xpath: str = ""
    path: str = ""
    """A JMESPath expression, for a page of kind json."""
    member: str = ""
    """For kind probe: the member that names the version, empty for the top folder."""
    file_url: str = ""
    releases: str = "tags"
    prereleases: bool = False
    mangle: tuple[str, ...] = ()
    backlog: int = 1
    min_age: float = 0
    """Days that a release must have been out before it is taken."""
    ignore: Mapping[str, str] = field(default_factory=dict)
    """Versions that are never taken, each with the reason."""
    branch: str = ""
    """The only series of versions to follow, such as ``1.5``; empty for all."""
    lists: str = ""
    """``all`` or ``latest``: what the page lists; empty for what its kind does."""
    user_agent: str = ""
    """Sent to this page instead of our own; empty for our own."""
    text: str = ""
    """The debian/watch of a tool that is defined by one."""

    @property
    def rolls(self) -> bool:
        """Whether old releases leave the page as new ones come, so that one may be gone fairly."""
        return (self.lists or _LISTS.get(self.kind, "all")) == "latest"

    @property
    def is_folder(self) -> bool:
        """Whether a folder with debian/watch says all that there is to say."""
        return self.kind == "watch"

    @property
    def is_tree(self) -> bool:
        """Whether a release is the tree of a git tag, which no address leads to."""
        return self.kind == "git" and not self.file_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """How a release's origin is proved; an empty method means that nothing is declared."""

    method: str = ""
    signature: str = ""
    checksums: str = ""
    checksums_signature: str = ""
    keys: tuple[str, ...] = ()
    keys_url: str = ""
    """Where upstream publishes its keys; they are compared with ours, never taken from there."""
    pins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatPolicy:
    """What users of a tool care about, and what else may change without a person's word."""

    commands: tuple[str, ...] = ()
    """Patterns (fnmatch) of the commands that matter; empty for all."""
    services: tuple[str, ...] = ()
    """Likewise of a cloud's services, by their names in its models."""
    risky: str = "hold"
    """What becomes of risky changes: ``hold`` or ``pass``."""
    unknown: str = "hold"
    """What becomes of what could not be examined: ``hold`` or ``pass``."""
    first: str = "pass"
    """What becomes of a tool's first release, which nothing can be compared with."""
    waive: tuple[str, ...] = ()
    """Kinds of changes that pass where they are risky, such as ``dependency``."""
    probe: bool = True
    """Whether its commands are run in a sandbox."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """How a tool is published to a PPA."""

    copy: bool = False
    """Whether newer series get copies of what was built for the oldest (Architecture: all)."""
    channel: str = "stable"
    """``staging``: first to the staging PPA."""
    promote_after: int = 3 * 86400
    """Seconds in staging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One folder under conf/tools: everything particular to one tool."""

    name: str
    folder: Path
    summary: str
    homepage: str
    watch: Watch
    verify: Verify
    license: LicensePolicy
    compat: CompatPolicy
    source: str
    """The source package's name."""
    series: tuple[str, ...]
    """The series that it can be built for; empty for any."""
    epoch: int = 0
    """Of its Debian versions (Debian Policy 5.6.12)."""
    publish: Publish = Publish()

    @property
    def debian(self) -> Path:
        """Its packaging."""
        return self.folder / "debian"

    @property
    def keyring(self) -> tuple[Path, ...]:
        """The upstream's signing keys: of keys/, or of a folder with debian/watch its own."""
        if self.watch.is_folder:
            files = (self.debian / name for name in _UPSTREAM_KEYS)
            return tuple(file for file in files if file.is_file())
        return tuple(sorted((self.folder / "keys").glob("*.asc")))

    def packaging_digest(self) -> str:
        """Return a digest over names, executable bits and contents of debian/."""
        hasher = hashlib.sha256()
        for path in sorted(self.debian.rglob("*")):
            if path.is_file() and not any(map(path.match, NOT_PACKAGING)):
                mode = "x" if os.access(path, os.X_OK) else "-"
                name = path.relative_to(self.debian).as_posix()
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                hasher.update(f"{name}\0{mode}\0{content}\n".encode())
        return hasher.hexdigest()


def load_tools(
    config: Config, names: tuple[str, ...] = ()
) -> tuple[tuple[Tool, ...], dict[str, SetupError]]:
    """Return the named tools, or all, by name; and the faults of those that cannot be read.

    One tool's faults never keep the others from their work. Raises UsageError for a name that
    no folder has.
    """
    tools: list[Tool] = []
    faults: dict[str, SetupError] = {}
    for name, place in tools_named(config, names).items():
        tool = read_tool(place / name)
        if isinstance(tool, SetupError):
            faults[name] = tool
        else:
            tools.append(tool)
    return tuple(tools), faults


def tools_named(config: Config, names: tuple[str, ...] = ()) -> dict[str, Path]:
    """Return where the folder of each of the named tools lies, or of all, by name.

    Raises UsageError for a name that no folder has; SetupError where it is the settings that
    name it.
    """
    found = dict(tool_places(config))
    missing = [name for name in names or config.tools if name not in found]
    if missing and not names:
        raise SetupError(
            f"{config.file}: `tools` names {', '.join(missing)}, which no folder has;"
            f" there are: {', '.join(sorted(found))}",
            resolution="Mend `tools`, or leave it out to take all.",
        )
    if missing:
        raise UsageError(
            f"there is no tool named {', '.join(missing)}; there are: {', '.join(sorted(found))}",
            resolution="Name one of these, or write a new one; README.md tells how.",
        )
    return {name: found[name] for name in names or config.tools or sorted(found)}


def read_tool(folder: Path) -> Tool | SetupError:
    """Return the tool that a folder defines, or what is wrong with it."""
    try:
        return load_tool(folder)
    except SetupError as error:
        return error


def load_tool(folder: Path) -> Tool:
    """Return the tool that ``folder`` defines; raise SetupError with every fault in it."""
    path = folder / "tool.toml"
    raw = read_toml(path, "tool.schema.json")
    faults = list(tool_faults(folder, raw))
    if faults:
        raise SetupError.listing(str(path), faults)
    package, verify, watch = raw.get("package", {}), raw.get("verify", {}), raw["watch"]
    return Tool(
        name=folder.name,
        folder=folder,
        summary=raw["summary"],
        homepage=raw["homepage"],
        watch=Watch(**{**watch, "mangle": tuple(watch.get("mangle", []))}),
        verify=Verify(**{**verify, "keys": tuple(_squeezed(verify.get("keys", [])))}),
        license=license_policy(raw.get("license", {})),
        compat=_compat(raw.get("compat", {})),
        source=package.get("source", folder.name),
        series=tuple(package.get("series", [])),
        epoch=package.get("epoch", 0),
        publish=_publish(raw.get("publish", {})),
    )


_SECONDS = {"minute": 60, "hour": 3600, "day": 86400, "week": 604800}


def _publish(raw: Mapping[str, Any]) -> Publish:
    number, unit = str(raw.get("promote_after", "3 days")).split()
    return Publish(
        copy=raw.get("copy", False),
        channel=raw.get("channel", "stable"),
        promote_after=int(number) * _SECONDS[unit.rstrip("s")],
    )


def tool_places(config: Config) -> Iterator[tuple[str, Path]]:
    """Yield the name of every tool, which is its folder's, and the folder that this lies in.

    Of two with one name, the operator's comes last.
    """
    for place in reversed(config.tool_folders):
        if place.is_dir():
            for name in sorted(os.listdir(place)):  # noqa: PTH208 (a path of each takes 0.4 kB)
                if os.path.isfile(f"{place}/{name}/tool.toml"):  # noqa: PTH113 (and 10 µs)
                    yield name, place


def _compat(raw: dict[str, Any]) -> CompatPolicy:
    lists = ("commands", "services", "waive")
    return CompatPolicy(**{**raw, **{key: tuple(raw.get(key, ())) for key in lists}})


def _squeezed(keys: list[str]) -> list[str]:
    return [key.replace(" ", "").upper() for key in keys]
