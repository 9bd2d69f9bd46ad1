"""A whole set-up as frozen values (`setup.settings` reads it), and where things lie."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from toolsync.config import supported
from toolsync.config.licensing import Classes
from toolsync.config.record import Record, Table, TargetForm
from toolsync.system.clock import SystemClock

SERVICE_STATE = Path("/var/lib/toolsync")
SERVICE_CACHE = Path("/var/cache/toolsync")


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
    at_once: int = 0
    """Builds that run at the same time, 0 for as many as this machine bears."""
    tests: bool = True
    lint: bool = True
    rebuild: bool = False
    """Whether each release is built a second time, in other surroundings, and compared."""
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
    sources: str = ""
    """A file of the form of sources.list(5): the archives that packaging is adopted from."""
    own: Table = field(default_factory=dict)
    """Keys that one backend alone has, and that no field above stands for."""
    record: Record | None = field(default=None, compare=False, repr=False)
    """The backend's record, from the table that the settings were read with."""


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
    valid_days: int = 0
    """How long an index is to be believed, 0 for ever: a sync signs anew each day."""
    snapshot_days: int = 0
    """How long what was served can be had at its moment's address; 0 for never."""
    architectures: tuple[str, ...] = ()
    """What it serves; empty for this machine's own alone. The first has what is for all, too."""
    together: bool = False
    """Whether a release waits for all of them, and not for those alone that it had before."""
    automatic: bool = False
    """Whether apt may replace the distribution's packages of the same names by it unasked."""


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
    own: Mapping[str, Table] = field(default_factory=dict)
    """Sections of channels that no field above stands for, by the channel's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Workers on other machines; without a broker there are none."""

    broker: str = ""
    seconds: int = 4 * 3600
    """Until a worker must have done what it began."""
    waiting: int = 3600
    """Seconds until some worker must have begun."""
    tries: int = 4
    tasks: tuple[str, ...] = ("build",)
    """The kinds of tasks that are given to workers."""
    host_interval: float = 0.25
    """Seconds between two requests to one host, by all machines together; 0 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedStore:
    """Where a fleet's files lie; with nothing set they are the state's own."""

    url: str = ""
    endpoint: str = ""
    cache: int = 0
    """Bytes kept on this machine, 0 for a usual number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """How ``toolsync serve`` answers, and whom."""

    listen: str = "127.0.0.1:8765"
    hosts: tuple[str, ...] = ()
    https: bool = False
    anonymous: bool = False
    proxies: tuple[str, ...] = ()
    proxy_header: str = "X-Remote-User"
    hook_secret_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """The repository that releases are imported into; a tool.toml may say otherwise."""

    repository: str = ""
    """An address or a path, ``{name}`` for the source package's name; empty for none."""
    debian_branch: str = "debian/latest"
    upstream_branch: str = "upstream/latest"
    pristine_tar: bool = True
    over: str = ""
    """The commit of the packaging branch that somebody else pushed, and that may be built upon."""
    propose: bool = False
    """Whether a merge request is opened, and only what was merged is published."""
    forge: str = ""
    """``gitlab``, ``github`` or ``forgejo``; empty where the address tells."""
    api: str = ""
    """The address of the forge; empty for the repository's host."""
    user: str = ""
    token_file: str = ""
    identity: str = ""
    known_hosts: str = ""
    sign: bool = True
    key: str = ""
    """Full fingerprint of the key that signs tags; empty for the archive's own."""
    keyring: str = ""
    """Its GnuPG home; empty for toolsync's own."""


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
    series: tuple[str, ...] = ("bookworm",)
    follows: bool = False
    """Whether the series are the distribution's supported ones (``series = "supported"``)."""
    maintainer: str = "toolsync archive <toolsync@toolsync.invalid>"
    user_agent: str = "toolsync (https://launchpad.net/toolsync)"
    timeout: int = 20
    retries: int = 3
    jobs: int = 64
    at_once: int = 0
    """Tools that are worked on at the same time, 0 for twice as many as may build."""
    per_host: int = 4
    """Requests at once to one host."""
    interval: float = 0.0
    """Seconds between the starts of two requests to one host."""
    journal_url: str = ""
    """A PostgreSQL database; empty for SQLite's file in the state folder."""
    lease_seconds: int = 60
    """How long a coordinator that is not heard of keeps others from its work."""
    shared: SharedStore = SharedStore()
    fleet: Fleet = Fleet()
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
    web: Web = Web()
    git: Git = Git()
    own: Mapping[str, Table] = field(default_factory=dict)
    """Sections of targets that no field above stands for, by the target's word."""
    targets: Mapping[str, TargetForm] = field(default_factory=dict, repr=False)
    """The table of targets that the settings were read with."""
    named_folders: Mapping[str, Path] = field(default_factory=dict)
    """Folders elsewhere that were synced by their paths, by the tool's name."""

    @property
    def journal(self) -> Path | str:
        """Where the journal is: SQLite's file, or PostgreSQL's address."""
        return self.journal_url or self.state / "journal.sqlite"

    @property
    def journal_named(self) -> str:
        """The journal as messages name it: an address may hold a password."""
        return "the journal's database" if self.journal_url else f"the journal {self.journal}"

    @property
    def archive(self) -> Path:
        """Where the local archive lies."""
        return Path(self.local.path) if self.local.path else self.state / "archive"

    @property
    def licenses(self) -> Path:
        """What a detector said of contents, by digest: a cache."""
        return self.state / "licenses.json"

    @property
    def site(self) -> Path:
        """The folder of the static site."""
        return Path(self.report.page).expanduser() if self.report.page else self.state / "page"

    @property
    def public(self) -> tuple[Path, ...]:
        """What others than our user read, besides the archive."""
        metrics = self.report.metrics
        return (self.site, *((Path(metrics).expanduser(),) if metrics else ()))

    @property
    def distribution(self) -> str:
        """Whose series the target serves: ``debian`` or ``ubuntu``."""
        kind = self.targets.get(self.target.partition(":")[0])
        return kind.distribution if kind else "debian"

    def for_target(self, target: str) -> Config:
        """Return the same set-up for another target, whose series may be other ones."""
        found = replace(self, target=target)
        if not self.follows:
            return found
        today = SystemClock().now().date()
        series = supported.followed(self.state, found.distribution, today)
        return replace(found, series=series)


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


def cache_places() -> dict[str, str]:
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
