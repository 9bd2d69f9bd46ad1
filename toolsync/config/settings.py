"""Read toolsync.toml: all faults at once, then frozen values; and know where things lie."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolsync.config import supported
from toolsync.config.licensing import Classes, license_classes
from toolsync.config.schema import read_toml
from toolsync.system.clock import SystemClock

SERVICE_STATE = Path("/var/lib/toolsync")
SERVICE_CACHE = Path("/var/cache/toolsync")

_SERIES = ("bookworm",)


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
    gate_seconds: int = 900
    gate_memory: int = 2 * 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How binaries are made."""

    backend: str = "sbuild"
    tests: bool = True
    lint: bool = True
    chroot_days: int = 14
    mirror: str = ""
    seconds: int = 3600
    memory: int = 8 * 1024 * 1024 * 1024
    """Bytes, of a build, or of its tests, together."""
    processes: int = 4096
    file_size: int = 16 * 1024 * 1024 * 1024
    """Bytes of the largest file that they may write."""
    test_hosts: tuple[str, ...] = ()
    """Whom tests that need the internet may reach; with none they are skipped."""
    work: str = ""
    chroots: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compat:
    """What a release's commands may use when the compatibility gate runs them."""

    seconds: int = 30
    """Of one run."""
    total_seconds: int = 600
    """Of all runs of a release."""
    memory: int = 1024 * 1024 * 1024
    processes: int = 64
    output: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """The local archive."""

    path: str = ""
    url: str = ""
    origin: str = "toolsync"
    label: str = "toolsync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Who gets mail of what a run changed, and by which way."""

    to: tuple[str, ...] = ()
    sender: str = ""
    """Empty: the set-up's maintainer."""
    server: str = ""
    """``smtp://HOST[:PORT]`` or ``smtps://…``; empty: the machine's own sendmail."""
    user: str = ""
    password_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Who else is told, by HTTP."""

    url: str = ""
    form: str = "json"
    room: str = ""
    token_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a run tells what changed; what is empty is not told there."""

    silence_days: int = 3
    """A page without an answer, or trouble that should pass, is told of after so many days."""
    mail: Mail = Mail()
    webhook: Webhook = Webhook()
    metrics: str = ""
    """The Prometheus text file."""
    page: str = ""
    """The folder of the static site and its feed."""
    page_url: str = ""
    """Where readers find that folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ppa:
    """Launchpad, and how uploads reach it."""

    host: str = "ppa.launchpad.net"
    alternative: str = "upload.ppa.launchpad.net"
    method: str = "ftp"
    login: str = "anonymous"
    known_hosts: str = ""
    identity: str = ""
    seconds: int = 900
    retries: int = 4
    keyring: str = ""
    key: str = ""
    passphrase_file: str = ""
    build_first: bool = True
    staging: str = ""
    api: str = "production"
    archive: str = "https://ppa.launchpadcontent.net"
    apt: bool = True
    accept_minutes: int = 60
    build_hours: int = 48
    publish_hours: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole set-up: toolsync.toml, where state lives, and where tools are found."""

    file: Path
    state: Path
    tool_folders: tuple[Path, ...]
    """Searched in order: the operator's first, then the shipped ones."""
    tools: tuple[str, ...] = ()
    """The tools that are kept in sync where none is named; empty for all that are found."""
    target: str = "local"
    series: tuple[str, ...] = _SERIES
    follows: bool = False
    """Whether the series are the distribution's supported ones (``series = "supported"``)."""
    maintainer: str = "toolsync archive <toolsync@toolsync.invalid>"
    user_agent: str = "toolsync (https://launchpad.net/toolsync)"
    timeout: int = 20
    retries: int = 3
    jobs: int = 16
    per_host: int = 4
    """Requests at once to one host."""
    interval: float = 0.0
    """Seconds between the starts of two requests to one host."""
    store_limit: int = 0
    """Bytes for store and archive together, 0 for any number."""
    mirrors: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    build: Build = Build()
    license: Classes = field(default_factory=Classes)
    compat: Compat = Compat()
    local: Local = Local()
    ppa: Ppa = Ppa()
    report: Report = Report()

    @property
    def archive(self) -> Path:
        """Where the local archive lies."""
        return Path(self.local.path) if self.local.path else self.state / "archive"

    @property
    def licenses(self) -> Path:
        """What a detector said of contents, by digest: a cache."""
        return self.state / "licenses.json"

    def for_target(self, target: str) -> Config:
        """Return the same set-up for another target, whose series may be other ones."""
        series = _followed(self.state, target) if self.follows else self.series
        return replace(self, target=target, series=series)


_HTTP = ("timeout", "retries", "user_agent", "per_host", "interval")


def load_config(file: Path | None, state: Path | None) -> Config:
    """Return the set-up, from ``file`` or the place where it is looked for.

    Raises SetupError with every fault found.
    """
    path = file or default_file()
    raw = read_toml(path, "config.schema.json")
    http = raw.get("http", {})
    folders = [Path(folder).expanduser() for folder in raw.get("tool_folders", [])]
    folders += [path.parent / "tools", shipped() / "tools"]
    state = (state or Path(raw.get("state", default_state()))).expanduser().absolute()
    follows = raw.get("series") == supported.FOLLOW
    target = str(raw.get("target", "local"))
    return Config(
        file=path,
        state=state,
        follows=follows,
        tool_folders=tuple(dict.fromkeys(folders)),
        **{key: raw[key] for key in ("target", "maintainer", "mirrors", "jobs") if key in raw},
        tools=tuple(raw.get("tools", [])),
        series=_followed(state, target) if follows else tuple(raw.get("series", _SERIES)),
        **{key: http[key] for key in _HTTP if key in http},
        store_limit=raw.get("store", {}).get("limit", 0),
        limits=Limits(**raw.get("limits", {})),
        build=_build(raw.get("build", {})),
        license=license_classes(raw.get("license", {})),
        compat=Compat(**raw.get("compat", {})),
        local=Local(**raw.get("local", {})),
        ppa=Ppa(**raw.get("ppa", {})),
        report=_report(raw.get("report", {})),
    )


def _build(raw: Mapping[str, Any]) -> Build:
    return Build(**{**_cache(), **raw, "test_hosts": tuple(raw.get("test_hosts", ()))})


def _followed(state: Path, target: str) -> tuple[str, ...]:
    today = SystemClock().now().date()
    return supported.followed(state, supported.distribution_of(target), today)


def _report(raw: Mapping[str, Any]) -> Report:
    mail, page = dict(raw.get("mail", {})), raw.get("page", {})
    if "from" in mail:
        mail["sender"] = mail.pop("from")
    return Report(
        **{key: raw[key] for key in ("silence_days",) if key in raw},
        mail=Mail(**{**mail, "to": tuple(mail.get("to", []))}),
        webhook=Webhook(**raw.get("webhook", {})),
        metrics=raw.get("metrics", {}).get("path", ""),
        page=page.get("path", ""),
        page_url=page.get("url", ""),
    )


def shipped() -> Path:
    """Return the folder of shipped configuration: a checkout's, a wheel's or the .deb's."""
    places = (
        Path(__file__).parents[2] / "conf",
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
        return Path(os.environ.get("STATE_DIRECTORY", SERVICE_STATE))
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "toolsync"


def _cache() -> dict[str, str]:
    """Return where the Debian package's service builds: /var/tmp is its own and passing."""
    if _owner(SERVICE_CACHE) != os.geteuid():
        return {}
    return {"work": str(SERVICE_CACHE), "chroots": str(SERVICE_CACHE / "chroots")}


def _is_service() -> bool:
    """Say whether this is root, or the service's user: started by systemd, cron or a person."""
    uid = os.geteuid()
    return uid == 0 or "STATE_DIRECTORY" in os.environ or _owner(SERVICE_STATE) == uid


def _owner(folder: Path) -> int | None:
    try:
        return folder.stat().st_uid
    except OSError:
        return None
