"""Read toolsync.toml and the tools' folders: all faults at once, then frozen values.

TOML is checked against a JSON Schema (``config.schema.json``, ``tool.schema.json``), so a typing
error in a key is a fault and never silently a default. A tool's name is its folder's.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from toolsync.errors import SetupError, UsageError

_NAME = re.compile(r"[a-z0-9][a-z0-9.+-]+")
"""A source package's name (Debian Policy 5.6.1); also keeps a name from being a path."""


_SERIES = ("bookworm",)

NOT_PACKAGING = ("watch", "changelog", "*~", ".*")
"""What in a tool's debian/ is not part of the source package: toolsync writes the changelog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Where releases appear."""

    kind: str
    url: str = ""
    project: str = ""
    pattern: str = ""
    xpath: str = ""
    file_url: str = ""
    releases: str = "tags"
    prereleases: bool = False
    mangle: tuple[str, ...] = ()
    backlog: int = 1
    user_agent: str = ""
    """Sent to this page instead of our own; empty for our own."""
    text: str = ""
    """The debian/watch of a tool that is defined by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """How a release's origin is proved; an empty method means that nothing is declared."""

    method: str = ""
    signature: str = ""
    checksums: str = ""
    checksums_signature: str = ""
    keys: tuple[str, ...] = ()
    pins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a gate that has not examined anything may do: ``hold`` or ``allow``."""

    unexamined: str = "hold"
    reason: str = ""
    expression: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One folder under conf/tools: everything particular to one tool."""

    name: str
    folder: Path
    summary: str
    homepage: str
    watch: Watch
    verify: Verify
    license: Gate
    compat: Gate
    source: str
    """The source package's name."""
    series: tuple[str, ...]
    """The series that it can be built for; empty for any."""
    epoch: int = 0
    """Of its Debian versions (Debian Policy 5.6.12)."""

    @property
    def debian(self) -> Path:
        """Its packaging."""
        return self.folder / "debian"

    @property
    def keyring(self) -> tuple[Path, ...]:
        """The upstream's signing keys, armored."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a stranger's server or archive may cost us."""

    page_bytes: int = 64 * 1024 * 1024
    file_bytes: int = 2 * 1024 * 1024 * 1024
    seconds: int = 1800
    page_seconds: int = 120
    members: int = 200_000
    unpacked_bytes: int = 4 * 1024 * 1024 * 1024
    ratio: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How binaries are made."""

    backend: str = "sbuild"
    tests: bool = True
    lint: bool = True
    chroot_days: int = 14
    mirror: str = ""
    seconds: int = 3600
    work: str = ""
    chroots: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """The local archive."""

    path: str = ""
    url: str = ""
    origin: str = "toolsync"
    label: str = "toolsync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole set-up: toolsync.toml, where state lives, and where tools are found."""

    file: Path
    state: Path
    tool_folders: tuple[Path, ...]
    """Searched in order: the operator's first, then the shipped ones."""
    target: str = "local"
    series: tuple[str, ...] = _SERIES
    maintainer: str = "toolsync archive <toolsync@toolsync.invalid>"
    user_agent: str = "toolsync (https://launchpad.net/toolsync)"
    timeout: int = 20
    retries: int = 3
    jobs: int = 16
    per_host: int = 4
    """Requests at once to one host."""
    interval: float = 0.0
    """Seconds between the starts of two requests to one host."""
    mirrors: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    build: Build = Build()
    local: Local = Local()

    @property
    def archive(self) -> Path:
        """Where the local archive lies."""
        return Path(self.local.path) if self.local.path else self.state / "archive"


_HTTP = ("timeout", "retries", "user_agent", "per_host", "interval")


def load_config(file: Path | None, state: Path | None) -> Config:
    """Return the set-up, from ``file`` or the place where it is looked for.

    Raises SetupError with every fault found.
    """
    path = file or default_file()
    raw = _read(path, "config.schema.json")
    http = raw.get("http", {})
    folders = [Path(folder).expanduser() for folder in raw.get("tool_folders", [])]
    folders += [path.parent / "tools", shipped() / "tools"]
    return Config(
        file=path,
        state=(state or Path(raw.get("state", default_state()))).expanduser().absolute(),
        tool_folders=tuple(dict.fromkeys(folders)),
        **{key: raw[key] for key in ("target", "maintainer", "mirrors", "jobs") if key in raw},
        series=tuple(raw.get("series", _SERIES)),
        **{key: http[key] for key in _HTTP if key in http},
        limits=Limits(**raw.get("limits", {})),
        build=Build(**raw.get("build", {})),
        local=Local(**raw.get("local", {})),
    )


def load_tools(
    config: Config, names: tuple[str, ...] = ()
) -> tuple[tuple[Tool, ...], dict[str, SetupError]]:
    """Return the named tools, or all, by name; and the faults of those that cannot be read.

    One tool's faults never keep the others from their work. Raises UsageError for a name that
    no folder has.
    """
    found = dict(_tool_folders(config))
    missing = [name for name in names if name not in found]
    if missing:
        raise UsageError(
            f"there is no tool named {', '.join(missing)}; there are: {', '.join(sorted(found))}",
            resolution="Name one of these, or write a new one; README.md tells how.",
        )
    tools, faults = [], {}
    for name in names or sorted(found):
        try:
            tools.append(load_tool(found[name]))
        except SetupError as error:
            faults[name] = error
    return tuple(tools), faults


def load_tool(folder: Path) -> Tool:
    """Return the tool that ``folder`` defines; raise SetupError with every fault in it."""
    path = folder / "tool.toml"
    raw = _read(path, "tool.schema.json")
    faults = list(_tool_faults(folder, raw))
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
        license=Gate(**raw.get("license", {})),
        compat=Gate(**raw.get("compat", {})),
        source=package.get("source", folder.name),
        series=tuple(package.get("series", [])),
        epoch=package.get("epoch", 0),
    )


def shipped() -> Path:
    """Return the folder of shipped configuration: a checkout's, a wheel's or the .deb's."""
    places = (
        Path(__file__).parent.parent / "conf",
        Path(sys.prefix) / "share" / "toolsync",
        Path("/usr/share/toolsync"),
    )
    return next((place for place in places if (place / "tools").is_dir()), places[-1])


def default_file() -> Path:
    """Return the operator's toolsync.toml where there is one, else the shipped one."""
    places = [Path("/etc/toolsync")]
    if not _is_service():
        home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        places.insert(0, Path(home) / "toolsync")
    files = [place / "toolsync.toml" for place in places]
    return next((file for file in files if file.is_file()), shipped() / "toolsync.toml")


def default_state() -> Path:
    """Return /var/lib/toolsync for the service and for root, an XDG folder for a person."""
    if _is_service():
        return Path(os.environ.get("STATE_DIRECTORY", "/var/lib/toolsync"))
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "toolsync"


def _is_service() -> bool:
    return os.geteuid() == 0 or "STATE_DIRECTORY" in os.environ


def _tool_folders(config: Config) -> Iterator[tuple[str, Path]]:
    """Give name and folder of every tool; of two with one name, the operator's comes last."""
    for place in reversed(config.tool_folders):
        if place.is_dir():
            for folder in sorted(place.iterdir()):
                if (folder / "tool.toml").is_file():
                    yield folder.name, folder


def _read(path: Path, schema: str) -> dict[str, Any]:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read: {error.strerror}",
            resolution="Name a readable file with --config, or mend its permissions.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError.listing(str(path), [f"not TOML: {error}"]) from error
    faults = [
        f"{'.'.join(map(str, error.absolute_path)) or 'top level'}: {_in_words(error)}"
        for error in sorted(_validator(schema).iter_errors(raw), key=lambda e: str(e.json_path))
    ]
    if faults:
        raise SetupError.listing(str(path), faults)
    return raw


def _in_words(error: Any) -> str:
    """Return a schema's complaint as found and wanted."""
    message = str(error.message)
    described = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    if error.validator == "additionalProperties":
        known = ", ".join(sorted(error.schema.get("properties", {})))
        return f"{message}; the keys here are: {known}"
    return f"{message}; wanted: {described}" if described else message


@cache
def _validator(schema: str) -> Any:
    # A heavy import, so it is made where a file is really read.
    from jsonschema import Draft202012Validator

    text = resources.files("toolsync").joinpath(schema).read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def _squeezed(keys: list[str]) -> list[str]:
    return [key.replace(" ", "").upper() for key in keys]


_NEEDS = {
    "index": ("project",),
    "s3": ("url", "pattern"),
    "html": ("url",),
    "text": ("url", "pattern", "file_url"),
    "github": ("url", "pattern"),
}
"""What each kind of release page must be told."""

_PROOFS = {"openpgp": ("signature", "keys"), "checksums": ("checksums",)}
"""What each method of verification must be told."""


def _tool_faults(folder: Path, raw: dict[str, Any]) -> Iterator[str]:
    """Give the faults that a schema cannot see."""
    watch, verify = raw["watch"], raw.get("verify", {})
    if not _NAME.fullmatch(folder.name):
        yield f"the folder's name {folder.name!r} is no source package's name"
    for key in _NEEDS[watch["kind"]]:
        if key not in watch:
            yield f"watch.{key}: missing; a page of kind {watch['kind']} needs it"
    if watch["kind"] == "html" and not {"pattern", "xpath"} & set(watch):
        yield "watch.pattern: missing; a page of kind html needs it, or watch.xpath"
    yield from _pattern_faults(watch)
    for key in _PROOFS.get(verify.get("method", ""), ()):
        if key not in verify:
            yield f"verify.{key}: missing; the method {verify['method']} needs it"
    if not (folder / "debian" / "control").is_file():
        yield "debian/control: missing; a tool carries its packaging beside tool.toml"


def _pattern_faults(watch: dict[str, Any]) -> Iterator[str]:
    pattern = watch.get("pattern")
    if pattern is None:
        return
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        yield f"watch.pattern: {pattern!r} is no regular expression: {error}"
        return
    if "version" not in compiled.groupindex:
        yield f"watch.pattern: {pattern!r} has no group (?P<version>…)"
